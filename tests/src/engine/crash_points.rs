//! The process stops before, and after, each of its writes in turn (INVARIANTS, "crash points").

use rstest::rstest;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use muster_app::table::{TableError, TableErrorKind};
use serde_json::json;

use super::*;
use crate::support::hooked::{Hook, fault};
use crate::support::receiver::Reply;
use crate::support::world::SHIFT;

/// Where the table fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CrashPoint {
    /// Nothing is written.
    Before,
    /// All is written, and the answer is lost.
    After,
}

/// Commits fail from the n-th on, for as many as a worker tries, and then work again.
pub(super) struct Breaking {
    commits: AtomicUsize,
    from: AtomicUsize,
    at: CrashPoint,
}

/// At least as often as one outcome is tried to be stored, so that the worker gives up.
const FAILING: usize = 7;

impl Breaking {
    /// Works until it is told to break.
    pub(super) fn at(at: CrashPoint) -> Arc<Self> {
        let never = usize::MAX / 2;
        Arc::new(Self { commits: 0.into(), from: never.into(), at })
    }

    /// Breaks at the n-th write from now, counted from 0.
    pub(super) fn after(&self, nth: usize) {
        self.from.store(self.commits.load(Ordering::SeqCst) + 1 + nth, Ordering::SeqCst);
    }

    fn strike(&self, at: CrashPoint) -> Result<(), TableError> {
        let from = self.from.load(Ordering::SeqCst);
        let commit = self.commits.load(Ordering::SeqCst);
        if at == self.at && (from..from + FAILING).contains(&commit) {
            // Not one that is tried again: the process is gone.
            return Err(fault(TableErrorKind::Corrupt));
        }
        Ok(())
    }
}

impl Hook for Breaking {
    fn before_commit(&self) -> Result<(), TableError> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        self.strike(CrashPoint::Before)
    }

    fn after_commit(&self) -> Result<(), TableError> {
        self.strike(CrashPoint::After)
    }
}

/// Runs what is due while jobs may fail, with the sweeper's help, until nothing is owed.
pub(super) async fn survive(world: &World) {
    for _ in 0..60 {
        while let Some(moment) = world.queue.next_due() {
            world.clock.move_to(moment);
            for job in world.queue.take_due() {
                // A failed job is what a crash leaves: its message comes back, here by the sweeper's hand.
                let _ = world.handle(&job).await;
            }
        }
        world.clock.advance(SHIFT + Duration::from_secs(5));
        let swept = world.app.sweep().await;
        if world.queue.next_due().is_none() && swept.is_ok_and(|swept| swept.due == 0) {
            return;
        }
    }
}

/// One execution whose receiver fails once, with the table breaking at its n-th write after the accept.
async fn run_with(engine: Engine, at: CrashPoint, nth: usize) -> usize {
    let hook = Breaking::at(at);
    let world = World::hooked(engine, Arc::clone(&hook)).await;
    world.receiver.will([Reply::Status(503)]);
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    hook.after(nth);
    survive(&world).await;
    let ended = execution(&world, &id).await;
    assert!(ended.status().is_terminal(), "inv_a1: {at:?} at write {nth}: {:?}", ended.state);
    check_promises(&world, &id).await;
    let stored: usize = ended.steps.values().map(|run| run.attempts.len()).sum();
    let arrived = world.receiver.received().len();
    assert!(arrived <= stored, "inv_b2: {arrived} calls, {stored} intents: {at:?} at write {nth}");
    arrived
}

#[rstest]
#[tokio::test]
async fn inv_a6_b2_a_crash_before_or_after_any_write_loses_nothing_and_sends_nothing_twice(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    for at in [CrashPoint::Before, CrashPoint::After] {
        for nth in 0..5 {
            let arrived = run_with(engine, at, nth).await;
            assert!(arrived >= 1, "{at:?} at write {nth}: the receiver was never called");
        }
    }
}
