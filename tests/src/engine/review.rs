//! Steps that may not be sent twice: what nobody can know goes to a person.

use muster_domain::execution::{ExecutionStatus, Resolution};
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::support::receiver::Reply;

/// An execution whose receiver answered 500 to a step that is not idempotent.
async fn in_doubt(engine: Engine) -> (World, ExecutionId) {
    let world = World::on(engine).await;
    world.receiver.will([Reply::Status(500)]);
    let runbook = approved(&world, json!({"idempotent": false})).await;
    let id = accepted(&world, &runbook).await;
    world.drain().await;
    check_status(&world, &id, ExecutionStatus::NeedsReview).await;
    (world, id)
}

async fn resolve(world: &World, id: &ExecutionId, resolution: Resolution) {
    let reason = "looked at the receiver's log".to_owned();
    world.app.resolve_execution(&ann(), id, resolution, reason).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn inv_b3_an_unknown_outcome_is_not_sent_again_by_itself(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let (world, id) = in_doubt(engine).await;
    for _ in 0..3 {
        world.clock.advance(std::time::Duration::from_hours(2));
        world.app.sweep().await.unwrap();
        world.handle(&muster_app::job::Job::Run { execution: id.clone() }).await.unwrap();
        world.drain().await;
    }
    check_status(&world, &id, ExecutionStatus::NeedsReview).await;
    assert_eq!(world.receiver.received().len(), 1);
    check_promises(&world, &id).await;
}

#[rstest]
#[tokio::test]
async fn a_person_says_that_it_happened(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let (world, id) = in_doubt(engine).await;
    resolve(&world, &id, Resolution::Happened).await;
    world.drain().await;
    check_status(&world, &id, ExecutionStatus::Success).await;
    assert_eq!(world.receiver.received().len(), 1);
    check_promises(&world, &id).await;
}

#[rstest]
#[tokio::test]
async fn a_person_lets_it_be_sent_again_under_the_same_key(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let (world, id) = in_doubt(engine).await;
    resolve(&world, &id, Resolution::Resend).await;
    world.drain().await;
    check_status(&world, &id, ExecutionStatus::Success).await;
    let received = world.receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].header("idempotency-key"), received[1].header("idempotency-key"));
    check_promises(&world, &id).await;
}

#[rstest]
#[tokio::test]
async fn a_resolution_needs_a_reason_and_an_execution_in_doubt(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let (world, id) = in_doubt(engine).await;
    let empty = world.app.resolve_execution(&ann(), &id, Resolution::Happened, " ".into()).await;
    assert!(matches!(empty, Err(muster_app::Error::Invalid(_))), "{empty:?}");
    resolve(&world, &id, Resolution::Happened).await;
    let again = world.app.resolve_execution(&ann(), &id, Resolution::Resend, "no".into()).await;
    assert!(matches!(again, Err(muster_app::Error::WrongStatus { .. })), "{again:?}");
}
