//! Runbooks that run others: what is waited for, stopped with whom, and what would never end.

use std::time::Duration;

use muster_app::job::Job;
use muster_app::ports::Clock as _;
use muster_app::table::{Key, Versioned, Write};
use muster_domain::execution::{Execution, Pause, State, Stop, StopMode, WaitingOn};
use rstest::rstest;
use serde_json::{Value, json};

use super::hanging::Hanging;
use crate::http::phases::{accepted, act, ask, because, called, look, read, stored};
use crate::http::{ann, bob, text};
use crate::support::receiver::Reply;
use crate::support::world::{Engine, World};

/// Runs another runbook and waits for it, then looks.
fn runs(world: &World, runbook: &str) -> Value {
    let action = json!({"type": "runbook", "runbookId": runbook, "wait": true});
    let sub = json!({"id": "sub", "type": "runbook", "action": action});
    json!({"name": "Run another", "teamId": "ops", "phases": [{"id": "all", "steps": [sub, look(world, "after")]}]})
}

/// Acts twice.
fn acts(world: &World) -> Value {
    let phases = json!([{"id": "act", "steps": [act(world, "cordon"), act(world, "drain")]}]);
    json!({"name": "Act", "teamId": "ops", "phases": phases})
}

/// The execution that the step `sub` of another one started.
async fn sub_run(world: &World, execution: &str) -> Value {
    let shown = read(world, execution).await;
    let step = shown["steps"].as_array().unwrap().iter().find(|step| step["id"] == "sub").unwrap();
    read(world, &text(&step["executionId"])).await
}

#[rstest]
#[tokio::test]
async fn a_step_that_runs_a_runbook_waits_for_its_end_and_fails_with_it(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    for (reply, status, calls) in
        [(200, "SUCCESS", vec!["cordon", "drain", "after"]), (404, "FAILED", vec!["cordon", "drain"])]
    {
        let world = World::on(engine).await;
        let runbook = stored(&world, acts(&world)).await;
        let execution = accepted(&world, runs(&world, &runbook)).await;
        world.receiver.will_at("/drain", [Reply::Status(reply)]);
        world.drain().await;
        assert_eq!(called(&world), calls);
        let (parent, child) = (read(&world, &execution).await, sub_run(&world, &execution).await);
        assert_eq!((&parent["status"], &child["status"]), (&json!(status), &json!(status)));
        assert_eq!(child["parentExecutionId"], json!(execution));
        assert_eq!(child.get("workflowExecutionId"), None);
    }
}

/// A parent whose sub-runbook has its second call in flight, and these two executions.
async fn under_way(engine: Engine) -> (Hanging, String, String) {
    let hanging = Hanging::on(engine, &["/drain"]).await;
    let runbook = stored(&hanging.world, acts(&hanging.world)).await;
    let execution = accepted(&hanging.world, runs(&hanging.world, &runbook)).await;
    hanging.passes(Duration::from_secs(5)).await;
    let child = text(&sub_run(&hanging.world, &execution).await["id"]);
    (hanging, execution, child)
}

#[rstest]
#[tokio::test]
async fn a_run_whose_parent_is_cancelled_begins_nothing_more(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let (hanging, parent, child) = under_way(engine).await;
    let world = &hanging.world;
    ask(world, &parent, "cancel", json!({})).await;
    hanging.passes(Duration::from_secs(90)).await;
    assert_eq!(called(world), ["cordon", "drain"]);
    let child = read(world, &child).await;
    assert_eq!(child["status"], "CANCELLED");
    assert!(text(&child["stop"]["reason"]).contains("which waits for it, was stopped"), "{child}");
    assert_eq!(read(world, &parent).await["status"], "CANCELLED");
}

#[rstest]
#[tokio::test]
async fn a_run_whose_parent_is_aborted_takes_back_what_it_did(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let (hanging, parent, child) = under_way(engine).await;
    ask(&hanging.world, &parent, "abort", because()).await;
    hanging.passes(Duration::from_secs(90)).await;
    assert_eq!(called(&hanging.world), ["cordon", "drain", "undrain", "uncordon"]);
    assert_eq!(read(&hanging.world, &child).await["status"], "ROLLED_BACK");
}

/// Stores the stop of one execution alone.
async fn stops_alone(world: &World, execution: &str) {
    let (by, reason) = ("ann".parse().unwrap(), "a drill".to_owned());
    let at = world.clock.now();
    let stop = Stop { by, at, reason, mode: StopMode::Kill, quiesced_at: Some(at) };
    alone(world, execution, |stopped| stopped.stop = Some(stop)).await;
}

/// Whoever stopped the parent could not say so to its child: the child finds out at its next claim.
#[rstest]
#[tokio::test]
async fn a_run_that_was_not_told_that_its_parent_is_cancelled_finds_out_before_it_begins(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = stored(&world, acts(&world)).await;
    let execution = accepted(&world, runs(&world, &runbook)).await;
    let job = Job::Run { execution: execution.parse().unwrap() };
    // The parent alone: its child is stored and has not begun.
    world.queue.lose_all();
    world.handle(&job).await.unwrap();
    world.queue.lose_all();
    let child = sub_run(&world, &execution).await;
    assert_eq!(child["status"], "PENDING");
    stops_alone(&world, &execution).await;
    world.handle(&Job::Run { execution: text(&child["id"]).parse().unwrap() }).await.unwrap();
    assert!(called(&world).is_empty());
    assert_eq!(sub_run(&world, &execution).await["status"], "CANCELLED");
}

#[rstest]
#[tokio::test]
async fn a_run_is_paused_and_resumed_with_its_parent_unless_somebody_paused_it_before(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let (hanging, parent, child) = under_way(engine).await;
    let world = &hanging.world;
    ask(world, &parent, "pause", because()).await;
    hanging.passes(Duration::from_secs(90)).await;
    assert_eq!(read(world, &child).await["status"], "PAUSED");
    assert_eq!(called(world), ["cordon", "drain"]);
    ask(world, &parent, "resume", json!({})).await;
    hanging.passes(Duration::from_secs(5)).await;
    assert_eq!(called(world), ["cordon", "drain", "drain"]);
    ask(world, &child, "pause", json!({"reason": "my own"})).await;
    ask(world, &parent, "pause", because()).await;
    ask(world, &parent, "resume", json!({})).await;
    hanging.passes(Duration::from_secs(90)).await;
    assert_eq!(read(world, &child).await["status"], "PAUSED");
}

#[rstest]
#[tokio::test]
async fn inv_g3_the_kill_switch_of_a_runbook_stops_what_its_executions_started(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let (hanging, parent, child) = under_way(engine).await;
    let world = &hanging.world;
    let runbook = text(&read(world, &parent).await["runbook"]["id"]);
    let engaged = json!({"engaged": true, "reason": "a drill"});
    bob(world).put(&format!("/api/kill-switches/runbook:{runbook}"), engaged).await.expect(200);
    hanging.passes(Duration::from_secs(120)).await;
    assert_eq!(called(world), ["cordon", "drain"]);
    for execution in [&parent, &child] {
        assert_eq!(read(world, execution).await["status"], "FAILED");
    }
}

#[rstest]
#[tokio::test]
async fn a_runbook_that_runs_itself_even_by_way_of_another_is_stopped_at_the_first_turn(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let first = stored(&world, acts(&world)).await;
    let second = stored(&world, runs(&world, &first)).await;
    ann(&world).put(&format!("/api/runbooks/{first}"), runs(&world, &second)).await.expect(200);
    bob(&world).post(&format!("/api/runbooks/{first}/approve"), json!({})).await.expect(200);
    let execution = crate::http::executed(&world, &first, json!({})).await;
    world.drain().await;
    let ended = read(&world, &execution).await;
    assert_eq!(ended["status"], "FAILED");
    let error = text(&ended["error"]);
    assert!(error.contains(&format!("runbook {first} would start itself")), "{error}");
    assert!(called(&world).is_empty());
}

#[rstest]
#[tokio::test]
async fn runbooks_start_one_another_five_deep_at_most(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let mut runbook = stored(&world, acts(&world)).await;
    for _ in 0..3 {
        runbook = stored(&world, runs(&world, &runbook)).await;
    }
    let deep = accepted(&world, runs(&world, &runbook)).await;
    world.drain().await;
    assert_eq!(read(&world, &deep).await["status"], "SUCCESS");
    let runbook = stored(&world, runs(&world, &runbook)).await;
    let deeper = accepted(&world, runs(&world, &runbook)).await;
    world.drain().await;
    let ended = read(&world, &deeper).await;
    assert_eq!(ended["status"], "FAILED");
    assert!(text(&ended["error"]).contains("at most 5 runbooks may start one another"), "{ended}");
}

/// Acts, and then waits for people.
fn acts_and_asks(world: &World) -> Value {
    let approval = json!({"levels": [{"of": ["team:ops:responder"]}], "expiresInSeconds": 3_600});
    let gate = json!({"id": "ask", "type": "approval", "approval": approval});
    json!({"name": "Act", "teamId": "ops", "phases": [{"id": "act", "steps": [act(world, "cordon"), gate]}]})
}

/// A sub-runbook that has acted once and asks people, when the time of its parent is up.
async fn out_of_time(engine: Engine, rollback: bool) -> (World, Value, Value) {
    let world = World::on(engine).await;
    let runbook = stored(&world, acts_and_asks(&world)).await;
    let mut parent = runs(&world, &runbook);
    parent["limits"] = json!({"maxDurationSeconds": 60});
    parent["rollback"] = json!({"onFailure": rollback});
    parent["phases"][0]["steps"].as_array_mut().unwrap().insert(0, act(&world, "fence"));
    let execution = accepted(&world, parent).await;
    world.drain().await;
    assert_eq!(sub_run(&world, &execution).await["status"], "WAITING");
    world.clock.advance(Duration::from_secs(61));
    world.app.sweep().await.unwrap();
    world.drain_due().await;
    let (parent, child) = (read(&world, &execution).await, sub_run(&world, &execution).await);
    (world, parent, child)
}

#[rstest]
#[tokio::test]
async fn inv_g3_a_run_does_not_outlive_its_parent_that_ran_out_of_time(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    for (rollback, status, because, calls) in [
        (false, "CANCELLED", "ran out of time", vec!["cordon", "fence"]),
        (true, "ROLLED_BACK", "takes back what it did", vec!["cordon", "fence", "uncordon", "unfence"]),
    ] {
        let (world, parent, child) = out_of_time(engine, rollback).await;
        assert_eq!(
            (&parent["status"], &child["status"]),
            (&json!(status), &json!(status)),
            "{parent} {child}"
        );
        let reason = text(&child["stop"]["reason"]);
        assert!(reason.ends_with(&format!("which waits for it, {because}")), "{reason}");
        let mut called = called(&world);
        called.sort_unstable();
        assert_eq!(called, calls);
    }
}

/// Changes one execution alone, as a process does that dies before it says so to others.
async fn alone(world: &World, execution: &str, change: impl FnOnce(&mut Execution)) {
    let key = Key::Execution(execution.parse().unwrap());
    let seen: Versioned<Execution> = world.table.get(&key).await.unwrap().unwrap().typed().unwrap();
    let mut changed = seen.value;
    change(&mut changed);
    world.table.commit(vec![Write::replace(changed, seen.version)]).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn a_run_that_was_not_told_that_its_parent_is_paused_or_goes_on_finds_out(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let (hanging, parent, child) = under_way(engine).await;
    let world = &hanging.world;
    let paused = Pause {
        by: "ann".parse().unwrap(),
        at: world.clock.now(),
        reason: "a drill".into(),
        quiesced_at: None,
    };
    alone(world, &parent, |parent| parent.pause = Some(paused)).await;
    // Its call ends; before it makes another it finds out.
    hanging.passes(Duration::from_secs(90)).await;
    assert_eq!(read(world, &child).await["status"], "PAUSED");
    let before = called(world).len();
    let now = world.clock.now();
    alone(world, &parent, |parent| {
        (parent.pause, parent.due_at) = (None, Some(now));
        parent.state = State::Waiting { until: now, on: WaitingOn::Worker };
    })
    .await;
    world.app.sweep().await.unwrap();
    hanging.passes(Duration::from_secs(90)).await;
    assert!(called(world).len() > before, "{:?}", called(world));
    assert_ne!(read(world, &child).await["status"], "PAUSED");
}
