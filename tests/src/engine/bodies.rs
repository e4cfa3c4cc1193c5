//! Requests and responses too large for the execution's own item.

use muster_app::table::BodyPart;
use muster_domain::execution::{ExecutionStatus, StoredRequest};
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::support::receiver::Reply;

#[rstest]
#[tokio::test]
async fn inv_b4_a_large_request_is_kept_beside_and_sent_the_same_again(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    world.receiver.will([Reply::Status(503)]);
    let text = "x".repeat(5_000);
    let runbook =
        approved(&world, json!({"payloadTemplate": {"text": text, "at": "{{incident.title}}"}})).await;
    let id = accepted(&world, &runbook).await;
    world.drain().await;
    check_status(&world, &id, ExecutionStatus::Success).await;
    let execution = execution(&world, &id).await;
    let run = execution.steps.values().next().unwrap();
    assert!(matches!(run.request, Some(StoredRequest::Beside { .. })), "{:?}", run.request);
    let received = world.receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body, received[1].body);
    let step = "webhook".parse().unwrap();
    let body = world.app.execution_body(&ann(), &id, &step, BodyPart::Request).await.unwrap();
    assert!(body.text.contains("xxxxx"));
    check_promises(&world, &id).await;
}

#[rstest]
#[tokio::test]
async fn a_long_answer_is_kept_in_part_with_the_execution_and_whole_beside_it(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    world.receiver.will([Reply::Whole(200, &[], "é".repeat(3_000))]);
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    world.drain().await;
    let step = "webhook".parse().unwrap();
    let whole = world.app.execution_body(&ann(), &id, &step, BodyPart::Response(1)).await.unwrap();
    assert_eq!(whole.text, "é".repeat(3_000));
    let text = serde_json::to_string(&execution(&world, &id).await).unwrap();
    assert!(text.contains("\"truncated\":true") && text.len() < 4_000, "{}", text.len());
    check_promises(&world, &id).await;
}
