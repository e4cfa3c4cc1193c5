//! Cancelling, at every moment.

use muster_app::metrics::Counter;
use muster_domain::execution::ExecutionStatus;
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::support::receiver::Reply;

async fn cancel(world: &World, id: &ExecutionId) -> Result<Execution, muster_app::Error> {
    world.app.cancel_execution(&ann(), id, Some("not needed".into())).await
}

#[rstest]
#[tokio::test]
async fn what_has_not_begun_is_cancelled_at_once_and_never_sent(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    cancel(&world, &id).await.unwrap();
    cancel(&world, &id).await.unwrap();
    world.drain().await;
    check_status(&world, &id, ExecutionStatus::Cancelled).await;
    assert_eq!(world.app.metrics().value(Counter::ExecutionsCancelled), 1);
    assert_eq!(world.receiver.received().len(), 0);
    check_promises(&world, &id).await;
}

#[rstest]
#[tokio::test]
async fn what_waits_for_a_retry_is_cancelled_before_it(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    world.receiver.will([Reply::Status(503)]);
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    world.drain_due().await;
    cancel(&world, &id).await.unwrap();
    world.drain().await;
    check_status(&world, &id, ExecutionStatus::Cancelled).await;
    assert_eq!(world.receiver.received().len(), 1);
    check_promises(&world, &id).await;
}

#[rstest]
#[tokio::test]
async fn inv_b7_what_has_ended_cannot_be_cancelled(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    world.drain().await;
    let refused = cancel(&world, &id).await;
    assert!(matches!(refused, Err(muster_app::Error::WrongStatus { .. })), "{refused:?}");
    check_status(&world, &id, ExecutionStatus::Success).await;
}

#[rstest]
#[tokio::test]
async fn a_runbook_with_an_active_execution_is_not_deleted_and_afterwards_its_history_stays(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    let refused = world.app.delete_runbook(&ann(), &runbook, None).await;
    assert!(
        matches!(&refused, Err(muster_app::Error::Conflict(why)) if why.contains(id.as_str())),
        "{refused:?}"
    );
    world.drain().await;
    world.app.delete_runbook(&ann(), &runbook, None).await.unwrap();
    let gone = world.app.runbook(&ann(), &runbook).await;
    assert!(matches!(gone, Err(muster_app::Error::NotFound { .. })), "{gone:?}");
    check_status(&world, &id, ExecutionStatus::Success).await;
    check_promises(&world, &id).await;
    let chain = world.app.audit_export(&bob(), &runbook.as_str().parse().unwrap()).await.unwrap();
    chain.verify().unwrap();
    assert_eq!(chain.entries.last().unwrap().action, "runbook.deleted");
}
