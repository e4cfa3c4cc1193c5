//! What the receiver gets, and what follows from its answers.

use rstest::rstest;
use std::collections::BTreeSet;
use std::time::Duration;

use muster_domain::execution::ExecutionStatus;
use serde_json::json;

use super::*;
use crate::support::receiver::Reply;

#[rstest]
#[tokio::test]
async fn an_approved_runbook_is_delivered_once_and_ends_in_success(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    check_status(&world, &id, ExecutionStatus::Pending).await;
    world.drain().await;
    check_status(&world, &id, ExecutionStatus::Success).await;
    let received = world.receiver.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].body, r#"{"service":"checkout","why":"Manual Execution"}"#);
    assert_eq!(received[0].header("idempotency-key"), format!("{id}-webhook"));
    check_promises(&world, &id).await;
}

#[rstest]
#[tokio::test]
async fn inv_b4_every_attempt_sends_the_same_key_and_the_same_bytes(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    world.receiver.will([Reply::Status(503), Reply::Status(429)]);
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    world.drain().await;
    check_status(&world, &id, ExecutionStatus::Success).await;
    let received = world.receiver.received();
    assert_eq!(received.len(), 3);
    let keys: BTreeSet<String> = received.iter().map(|request| request.header("idempotency-key")).collect();
    let webhook_ids: BTreeSet<String> = received.iter().map(|request| request.header("webhook-id")).collect();
    let bodies: BTreeSet<&String> = received.iter().map(|request| &request.body).collect();
    assert_eq!((keys.len(), webhook_ids.len(), bodies.len()), (1, 1, 1));
    assert_eq!(world.receiver.arrivals().len(), 3, "every attempt has its own id");
    check_promises(&world, &id).await;
}

/// Answers of the receiver in turn, the status the execution ends in, and how many attempts were made.
async fn check_answers(answers: &[u16], expected: ExecutionStatus, attempts: usize) {
    let world = World::sqlite().await;
    world.receiver.will(answers.iter().map(|status| Reply::Status(*status)));
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    world.drain().await;
    check_status(&world, &id, expected).await;
    assert_eq!(world.receiver.received().len(), attempts, "{answers:?}");
    check_promises(&world, &id).await;
}

#[tokio::test]
async fn the_answers_of_a_receiver_decide_as_the_retry_table_says() {
    check_answers(&[204], ExecutionStatus::Success, 1).await;
    check_answers(&[500, 200], ExecutionStatus::Success, 2).await;
    check_answers(&[408, 425, 200], ExecutionStatus::Success, 3).await;
    check_answers(&[503, 503, 503, 200], ExecutionStatus::Failed, 3).await;
    check_answers(&[404, 200], ExecutionStatus::Failed, 1).await;
    check_answers(&[302, 200], ExecutionStatus::Failed, 1).await;
}

#[rstest]
#[tokio::test]
async fn inv_g4_a_retry_is_never_early_and_honours_retry_after(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    world.receiver.will([Reply::Whole(429, &[("retry-after", "7")], String::new())]);
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    world.drain_due().await;
    check_status(&world, &id, ExecutionStatus::Waiting).await;
    world.clock.advance(Duration::from_millis(6_900));
    world.handle(&muster_app::job::Job::Run { execution: id.clone() }).await.unwrap();
    assert_eq!(world.receiver.received().len(), 1, "6.9 s is before 7 s");
    world.drain().await;
    check_status(&world, &id, ExecutionStatus::Success).await;
}

#[rstest]
#[tokio::test]
async fn inv_b1_a_job_delivered_twice_sends_once(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    world.receiver.will([Reply::Status(503)]);
    let runbook = approved(&world, json!({})).await;
    let ids = [accepted(&world, &runbook).await, accepted(&world, &runbook).await];
    while let Some(moment) = world.queue.next_due() {
        world.clock.move_to(moment);
        for job in world.queue.take_due() {
            let (first, second) = tokio::join!(world.handle(&job), world.handle(&job));
            first.and(second).unwrap();
            world.handle(&job).await.unwrap();
        }
    }
    for id in ids {
        check_status(&world, &id, ExecutionStatus::Success).await;
        check_promises(&world, &id).await;
    }
    assert_eq!(world.receiver.received().len(), 3, "two executions, one of them retried once");
}

#[rstest]
#[tokio::test]
async fn b3_the_version_of_the_trigger_runs_whatever_was_edited_since(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    let edited = definition(&world, json!({"payloadTemplate": {"edited": true}}));
    let edited = serde_json::from_value(edited).unwrap();
    world.app.update_runbook(&ann(), &runbook, edited, None, None).await.unwrap();
    world.app.approve_runbook(&bob(), &runbook, None, None).await.unwrap();
    world.drain().await;
    check_status(&world, &id, ExecutionStatus::Success).await;
    assert!(world.receiver.received()[0].body.contains("checkout"));
    let later = accepted(&world, &runbook).await;
    world.drain().await;
    check_status(&world, &later, ExecutionStatus::Success).await;
    assert_eq!(world.receiver.received()[1].body, r#"{"edited":true}"#);
}

#[rstest]
#[tokio::test]
async fn a_path_that_is_missing_fails_the_execution_before_anything_is_sent(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({"payloadTemplate": {"a": "{{incident.metadata.service}}"}})).await;
    let id = accepted(&world, &runbook).await;
    world.drain().await;
    let error = failure(&world, &id).await;
    assert!(error.contains("incident.metadata.service"), "{error}");
    assert_eq!(world.receiver.received().len(), 0);
    check_promises(&world, &id).await;
}
