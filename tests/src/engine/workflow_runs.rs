//! Running workflows: branches, delays, webhooks, and runbooks as nodes (C6, C8).

use std::time::Duration;

use muster_app::job::Job;
use muster_app::table::{Key, Write};
use muster_domain::execution::State;
use rstest::rstest;

use super::workflows::{begun, call, executes, incident, saved, story, workflow};
use super::*;
use crate::support::receiver::Reply;

/// Where the receiver was called, in this order.
fn called(world: &World) -> Vec<String> {
    world.receiver.received().iter().map(|received| received.uri.path().to_owned()).collect()
}

/// The executions of a runbook.
async fn children(world: &World, runbook: &RunbookId) -> Vec<Execution> {
    let paging = muster_app::paging::Paging { limit: 100, cursor: None };
    world.app.executions_of_runbook(&bob(), runbook, &paging).await.unwrap().items
}

/// Calls one of two addresses, as the incident's service says, and then a third.
fn branching(world: &World) -> Value {
    let nodes = json!([
        {"type": "condition", "id": "ask", "field": "incident.metadata.service", "equals": "web"},
        call(world, "yes"), call(world, "no"), call(world, "after"),
    ]);
    let edges = [
        ("start", "ask", None),
        ("ask", "yes", Some("true")),
        ("ask", "no", Some("false")),
        ("yes", "after", None),
        ("no", "after", None),
    ];
    workflow(nodes, &edges)
}

#[rstest]
#[tokio::test]
async fn a_condition_takes_one_branch_and_skips_the_other(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = saved(&world, branching(&world)).await;
    for (metadata, taken, expected) in [
        (json!({"service": "web"}), "/yes", "after done, ask done, no skipped, yes done"),
        (json!({"service": "db"}), "/no", "after done, ask done, no done, yes skipped"),
        (json!({}), "/no", "after done, ask done, no done, yes skipped"),
    ] {
        let incident = incident(&world, metadata).await;
        let run = begun(&world, &id, Some(incident)).await;
        world.drain().await;
        check_status(&world, &run, ExecutionStatus::Success).await;
        assert_eq!(story(&execution(&world, &run).await), expected);
        assert_eq!(called(&world).into_iter().rev().take(2).collect::<Vec<_>>(), ["/after", taken]);
        check_promises(&world, &run).await;
    }
}

#[rstest]
#[tokio::test]
async fn each_job_delivered_twice_does_everything_once(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let nodes = json!([
        call(&world, "first"),
        {"type": "delay", "id": "pause", "seconds": 5},
        executes("restart", &runbook, json!({"wait": true})),
        call(&world, "last"),
    ]);
    let edges = [
        ("start", "first", None),
        ("first", "pause", None),
        ("pause", "restart", None),
        ("restart", "last", None),
    ];
    let id = saved(&world, workflow(nodes, &edges)).await;
    let run = begun(&world, &id, None).await;
    while let Some(moment) = world.queue.next_due() {
        world.clock.move_to(moment);
        for job in world.queue.take_due() {
            world.handle(&job).await.unwrap();
            world.handle(&job).await.unwrap();
        }
    }
    check_status(&world, &run, ExecutionStatus::Success).await;
    assert_eq!(called(&world), ["/first", "/restart", "/last"]);
    assert_eq!(children(&world, &runbook).await.len(), 1);
    check_promises(&world, &run).await;
}

#[rstest]
#[tokio::test]
async fn inv_g4_a_delay_survives_the_loss_of_the_process_and_its_queue(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let nodes = json!([{"type": "delay", "id": "pause", "seconds": 120}, call(&world, "call")]);
    let id = saved(&world, workflow(nodes, &[("start", "pause", None), ("pause", "call", None)])).await;
    let run = begun(&world, &id, None).await;
    world.drain_due().await;
    assert_eq!(story(&execution(&world, &run).await), "pause delayed");
    world.queue.lose_all();
    world.clock.advance(Duration::from_secs(119));
    world.handle(&Job::Run { execution: run.clone() }).await.unwrap();
    world.queue.lose_all();
    assert_eq!(called(&world), Vec::<String>::new(), "never early");
    world.clock.advance(Duration::from_secs(4));
    world.app.sweep().await.unwrap();
    world.drain().await;
    check_status(&world, &run, ExecutionStatus::Success).await;
    assert_eq!(called(&world), ["/call"]);
}

#[rstest]
#[tokio::test]
async fn a_webhook_sees_the_incident_and_the_answers_before_it(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    world.receiver.will([Reply::Whole(
        200,
        &[("content-type", "application/json")],
        r#"{"ticket": 7}"#.into(),
    )]);
    let mut second = call(&world, "second");
    second["action"]["payload"] =
        json!({"service": "{{incident.metadata.service}}", "ticket": "{{steps.first.body.ticket}}"});
    let nodes = json!([call(&world, "first"), second]);
    let id = saved(&world, workflow(nodes, &[("start", "first", None), ("first", "second", None)])).await;
    let incident = incident(&world, json!({"service": "web"})).await;
    let run = begun(&world, &id, Some(incident)).await;
    world.drain().await;
    check_status(&world, &run, ExecutionStatus::Success).await;
    let sent: Value = serde_json::from_str(&world.receiver.received()[1].body).unwrap();
    assert_eq!(sent["service"], "web");
    assert_eq!(sent["ticket"].to_string().trim_matches('"'), "7");
}

#[rstest]
#[tokio::test]
async fn a_failure_stops_the_workflow(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    world.receiver.will([Reply::Status(404)]);
    let nodes = json!([call(&world, "first"), call(&world, "second")]);
    let id = saved(&world, workflow(nodes, &[("start", "first", None), ("first", "second", None)])).await;
    let run = begun(&world, &id, None).await;
    world.drain().await;
    check_status(&world, &run, ExecutionStatus::Failed).await;
    assert_eq!((story(&execution(&world, &run).await).as_str(), called(&world).len()), ("first failed", 1));
}

#[rstest]
#[tokio::test]
async fn an_unknown_outcome_of_a_webhook_that_may_not_repeat_waits_for_a_person(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    world.receiver.will([Reply::Status(500)]);
    let mut node = call(&world, "call");
    node["action"]["idempotent"] = json!(false);
    let id = saved(&world, workflow(json!([node]), &[("start", "call", None)])).await;
    let run = begun(&world, &id, None).await;
    world.drain().await;
    check_status(&world, &run, ExecutionStatus::NeedsReview).await;
    assert_eq!(called(&world).len(), 1);
}

#[rstest]
#[tokio::test]
async fn a_workflow_starts_a_runbook_and_goes_on_at_once(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let nodes = json!([executes(
        "restart",
        &runbook,
        json!({"parameters": {"service": "{{incident.metadata.service}}"}})
    )]);
    let id = saved(&world, workflow(nodes, &[("start", "restart", None)])).await;
    let incident = incident(&world, json!({"service": "web"})).await;
    let run = begun(&world, &id, Some(incident.clone())).await;
    world.handle(&Job::Run { execution: run.clone() }).await.unwrap();
    check_status(&world, &run, ExecutionStatus::Success).await;
    let [child] = children(&world, &runbook).await.try_into().unwrap();
    assert_eq!(child.status(), ExecutionStatus::Pending, "nobody waited for it");
    assert_eq!((child.incident, child.chain), (Some(incident), vec![id]));
    assert_eq!(child.parent.unwrap().execution, run);
    world.drain().await;
    let sent: Value = serde_json::from_str(&world.receiver.received()[0].body).unwrap();
    assert_eq!(sent, json!({"service": "web", "why": "Down"}));
}

#[rstest]
#[tokio::test]
async fn a_workflow_that_waits_for_a_runbook_ends_as_it_does(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let nodes = json!([executes("restart", &runbook, json!({"wait": true})), call(&world, "after")]);
    let edges = [("start", "restart", None), ("restart", "after", None)];
    let id = saved(&world, workflow(nodes, &edges)).await;
    let run = begun(&world, &id, None).await;
    world.drain().await;
    check_status(&world, &run, ExecutionStatus::Success).await;
    assert_eq!(called(&world), ["/restart", "/after"]);

    world.clock.advance(Duration::from_secs(1));
    world.receiver.will([Reply::Status(404)]);
    let run = begun(&world, &id, None).await;
    world.drain().await;
    let [child, _] = children(&world, &runbook).await.try_into().unwrap();
    let error = failure(&world, &run).await;
    assert!(error.contains(&format!("execution {} is FAILED", child.id)), "{error}");
    assert_eq!(called(&world).len(), 3, "nothing after it began");
    check_promises(&world, &run).await;
}

#[rstest]
#[tokio::test]
async fn a_runbook_that_cannot_run_fails_the_workflow_with_the_reason(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let schema = json!({"type": "object", "properties": {"count": {"type": "integer"}}, "additionalProperties": false});
    let runbook = approved(&world, json!({"parameters": schema, "payloadTemplate": null})).await;
    let with = |parameters: Value| {
        let nodes = json!([executes("restart", &runbook, json!({"parameters": parameters}))]);
        workflow(nodes, &[("start", "restart", None)])
    };
    let good = saved(&world, with(json!({}))).await;
    let bad = saved(&world, with(json!({"count": "{{incident.title}}"}))).await;
    let fails = async |workflow, expected: &str| {
        let incident = incident(&world, json!({})).await;
        let run = begun(&world, workflow, Some(incident)).await;
        world.drain().await;
        let error = failure(&world, &run).await;
        assert!(error.contains(expected), "{error}");
    };
    fails(&bad, "/parameters/count").await;
    world.app.deprecate_runbook(&bob(), &runbook, None, None).await.unwrap();
    fails(&good, "Runbook is DEPRECATED, not APPROVED").await;
    let broken = world.app.workflow(&ann(), &good).await.unwrap().broken;
    assert_eq!(broken[0].reason, "Runbook is DEPRECATED, not APPROVED");
    world.app.delete_runbook(&ann(), &runbook, None).await.unwrap();
    fails(&good, "there is no runbook").await;
    let broken = world.app.workflow(&ann(), &good).await.unwrap().broken;
    assert_eq!((broken[0].node.as_str(), broken[0].reason.as_str()), ("restart", "Runbook is deleted"));
    assert_eq!(called(&world), Vec::<String>::new());
}

/// An execution that waits for a runbook which no worker takes.
async fn waiting(world: &World, runbook: &RunbookId) -> ExecutionId {
    let nodes = json!([executes("restart", runbook, json!({"wait": true})), call(world, "after")]);
    let mut definition = workflow(nodes, &[("start", "restart", None), ("restart", "after", None)]);
    definition["settings"] = json!({"timeout": "1min"});
    let id = saved(world, definition).await;
    let run = begun(world, &id, None).await;
    world.handle(&Job::Run { execution: run.clone() }).await.unwrap();
    world.queue.lose_all();
    assert_eq!(story(&execution(world, &run).await), "restart awaits");
    run
}

#[rstest]
#[tokio::test]
async fn the_whole_workflow_times_out(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let run = waiting(&world, &runbook).await;
    let job = Job::Run { execution: run.clone() };
    world.clock.advance(Duration::from_secs(59));
    world.handle(&job).await.unwrap();
    check_status(&world, &run, ExecutionStatus::Waiting).await;
    world.clock.advance(Duration::from_secs(1));
    world.handle(&job).await.unwrap();
    let state = execution(&world, &run).await.state;
    assert_eq!(state, State::Cancelled { reason: "Timed out after 60 s".into() });
    check_promises(&world, &run).await;
}

#[rstest]
#[tokio::test]
async fn cancelling_a_workflow_cancels_the_runbook_that_it_waited_for(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let run = waiting(&world, &runbook).await;
    world.app.cancel_execution(&ann(), &run, None).await.unwrap();
    check_status(&world, &run, ExecutionStatus::Cancelled).await;
    let [child] = children(&world, &runbook).await.try_into().unwrap();
    world.handle(&Job::Run { execution: child.id.clone() }).await.unwrap();
    world.drain().await;
    check_status(&world, &child.id, ExecutionStatus::Cancelled).await;
    assert!(called(&world).is_empty(), "nothing began after that");
    check_status(&world, &run, ExecutionStatus::Cancelled).await;
}

#[rstest]
#[tokio::test]
async fn a_runbook_whose_workflow_was_stopped_while_nobody_could_tell_it_stops_at_its_next_claim(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let run = waiting(&world, &runbook).await;
    let [child] = children(&world, &runbook).await.try_into().unwrap();
    world.app.cancel_execution(&ann(), &run, None).await.unwrap();
    let seen = world.table.get(&Key::Execution(child.id.clone())).await.unwrap().unwrap();
    let told: Execution = seen.record.try_into().unwrap();
    let untold = Execution { audit: told.audit, ..child.clone() };
    world.table.commit(vec![Write::replace(untold, seen.version)]).await.unwrap();
    world.handle(&Job::Run { execution: child.id.clone() }).await.unwrap();
    check_status(&world, &child.id, ExecutionStatus::Cancelled).await;
    assert!(called(&world).is_empty());
}
