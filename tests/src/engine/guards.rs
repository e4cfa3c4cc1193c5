//! What is read before every call: approval, deletion, kill switches.

use rstest::rstest;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use muster_app::kill_switches::SetKillSwitch;
use muster_app::table::{TableError, TableErrorKind};
use muster_domain::execution::ExecutionStatus;
use serde_json::json;

use super::*;
use crate::support::hooked::{Hook, fault};
use crate::support::receiver::Reply;

async fn engage(world: &World, scope: &str, engaged: bool) {
    let set = SetKillSwitch { engaged, reason: "failover".into() };
    world.app.set_kill_switch(&bob(), &scope.parse().unwrap(), &set).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn inv_c2_an_approval_withdrawn_before_dispatch_stops_the_execution(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    world.app.deprecate_runbook(&bob(), &runbook, None, Some("unsafe".into())).await.unwrap();
    world.drain().await;
    assert_eq!(failure(&world, &id).await, "Runbook is DEPRECATED, not APPROVED");
    assert_eq!(world.receiver.received().len(), 0);
    check_promises(&world, &id).await;
}

#[rstest]
#[tokio::test]
async fn inv_c2_the_guard_is_read_again_before_a_retry(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    world.receiver.will([Reply::Status(503)]);
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    world.drain_due().await;
    world.app.deprecate_runbook(&bob(), &runbook, None, None).await.unwrap();
    world.drain().await;
    assert_eq!(failure(&world, &id).await, "Runbook is DEPRECATED, not APPROVED");
    assert_eq!(world.receiver.received().len(), 1);
}

#[rstest]
#[tokio::test]
async fn inv_g3_a_kill_switch_of_every_scope_stops_what_is_due_and_refuses_what_is_new(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    for scope in ["global", "team:ops", "runbook:"] {
        let world = World::on(engine).await;
        let runbook = approved(&world, json!({})).await;
        let scope = if scope == "runbook:" { format!("runbook:{runbook}") } else { scope.to_owned() };
        let id = accepted(&world, &runbook).await;
        engage(&world, &scope, true).await;
        world.drain().await;
        assert_eq!(failure(&world, &id).await, format!("Stopped by the kill switch {scope}: failover"));
        let request = serde_json::from_value(json!({})).unwrap();
        let refused = world.app.execute_runbook(&ann(), &runbook, &request).await;
        assert!(matches!(refused, Err(muster_app::Error::KillSwitch { .. })), "{refused:?}");
        assert_eq!(world.receiver.received().len(), 0);
        engage(&world, &scope, false).await;
        let later = accepted(&world, &runbook).await;
        world.drain().await;
        check_status(&world, &later, ExecutionStatus::Success).await;
    }
}

#[rstest]
#[tokio::test]
async fn the_kill_switch_of_another_team_or_runbook_stops_nothing_here(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let other = approved(&world, json!({})).await;
    engage(&world, "team:web", true).await;
    engage(&world, &format!("runbook:{other}"), true).await;
    let id = accepted(&world, &runbook).await;
    world.drain().await;
    check_status(&world, &id, ExecutionStatus::Success).await;
}

/// While the flag is up, the guard cannot be read.
#[derive(Default)]
struct Unreadable(AtomicBool);

impl Hook for Unreadable {
    fn before_batch_get(&self) -> Result<(), TableError> {
        if self.0.load(Ordering::SeqCst) { Err(fault(TableErrorKind::Unavailable)) } else { Ok(()) }
    }
}

#[rstest]
#[tokio::test]
async fn inv_g3_a_guard_that_cannot_be_read_means_no(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let hook = Arc::new(Unreadable::default());
    let world = World::hooked(engine, Arc::clone(&hook)).await;
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    hook.0.store(true, Ordering::SeqCst);
    let jobs = world.queue.take_due();
    assert!(world.handle(&jobs[0]).await.is_err_and(|error| error.retryable()));
    check_status(&world, &id, ExecutionStatus::Pending).await;
    assert_eq!(world.receiver.received().len(), 0);
    hook.0.store(false, Ordering::SeqCst);
    world.handle(&jobs[0]).await.unwrap();
    check_status(&world, &id, ExecutionStatus::Success).await;
}
