//! Lost nudges, workers that die, workers that sleep too long, jobs in the dead-letter queue.

use rstest::rstest;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use muster_app::job::Job;
use muster_app::ports::{Call, Clock, Egress};
use muster_app::table::TableError;
use muster_app::worker::Shift;
use muster_domain::execution::ExecutionStatus;
use muster_domain::outcome::Outcome;
use serde_json::json;

use super::*;
use crate::support::clock::ManualClock;
use crate::support::hooked::Hook;
use crate::support::world::SHIFT;

#[rstest]
#[tokio::test]
async fn inv_a2_a_lost_nudge_is_repaired_by_the_sweeper(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    world.queue.lose_all();
    assert_eq!(world.app.sweep().await.unwrap().nudged, 0, "not due yet");
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(world.app.sweep().await.unwrap().nudged, 1);
    assert_eq!(world.app.sweep().await.unwrap().nudged, 0, "pushed forward by the sweep before");
    world.drain().await;
    check_status(&world, &id, ExecutionStatus::Success).await;
    assert_eq!(world.app.sweep().await.unwrap().due, 0, "what has ended is owed nothing");
    check_promises(&world, &id).await;
}

/// A way out on which the process dies: the request leaves, the answer is never stored.
struct Dies;

#[async_trait]
impl Egress for Dies {
    async fn send(&self, _: Call<'_>) -> Outcome {
        std::future::pending().await
    }
}

/// Runs the job until it has sent, and no further.
async fn die_while_sending(world: &World, id: &ExecutionId) {
    let job = Job::Run { execution: id.clone() };
    let shift = Shift { egress: &Dies, holder: "worker-0", deadline: world.clock.now().plus(SHIFT) };
    let handling = world.app.handle(&job, &shift);
    tokio::pin!(handling);
    while execution(world, id).await.status() != ExecutionStatus::Running {
        let step = tokio::time::timeout(Duration::from_millis(5), &mut handling).await;
        assert!(step.is_err(), "the call never ends");
    }
    world.queue.lose_all();
}

#[rstest]
#[tokio::test]
async fn inv_g1_the_execution_of_a_killed_worker_moves_on_under_the_same_key(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    die_while_sending(&world, &id).await;
    world.clock.advance(SHIFT);
    world.app.sweep().await.unwrap();
    world.drain().await;
    check_status(&world, &id, ExecutionStatus::Success).await;
    let received = world.receiver.received();
    assert_eq!(received[0].header("muster-attempt-id"), format!("{id}-webhook-2"));
    assert_eq!(received[0].header("idempotency-key"), format!("{id}-webhook"));
    check_promises(&world, &id).await;
}

#[rstest]
#[tokio::test]
async fn inv_b3_a_killed_worker_of_a_step_that_is_not_idempotent_leaves_a_question(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({"idempotent": false})).await;
    let id = accepted(&world, &runbook).await;
    die_while_sending(&world, &id).await;
    world.clock.advance(SHIFT);
    world.app.sweep().await.unwrap();
    world.drain().await;
    check_status(&world, &id, ExecutionStatus::NeedsReview).await;
    assert_eq!(world.receiver.received().len(), 0);
    check_promises(&world, &id).await;
}

#[rstest]
#[tokio::test]
async fn after_a_restart_the_leases_of_the_dead_process_are_void(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    die_while_sending(&world, &id).await;
    world.app.sweep().await.unwrap();
    world.drain().await;
    check_status(&world, &id, ExecutionStatus::Running).await;
    world.app.recover_after_restart().await.unwrap();
    world.drain().await;
    check_status(&world, &id, ExecutionStatus::Success).await;
    check_promises(&world, &id).await;
}

/// A way out that says when it was taken, and whose answer waits for the test.
#[derive(Default)]
struct Gate {
    entered: tokio::sync::Notify,
    answered: tokio::sync::Notify,
}

#[async_trait]
impl Egress for Gate {
    async fn send(&self, _: Call<'_>) -> Outcome {
        self.entered.notify_one();
        self.answered.notified().await;
        Outcome::Answered { status: 200, retry_after_ms: None, body: String::new(), truncated: false }
    }
}

#[rstest]
#[tokio::test]
async fn inv_b7_an_answer_after_the_take_over_is_kept_on_its_attempt_and_changes_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({"idempotent": false})).await;
    let id = accepted(&world, &runbook).await;
    let gate = Gate::default();
    let job = Job::Run { execution: id.clone() };
    let shift = Shift { egress: &gate, holder: "worker-0", deadline: world.clock.now().plus(SHIFT) };
    let slow = world.app.handle(&job, &shift);
    let meanwhile = async {
        gate.entered.notified().await;
        world.clock.advance(SHIFT);
        world.handle(&job).await.unwrap();
        check_status(&world, &id, ExecutionStatus::NeedsReview).await;
        world.app.cancel_execution(&ann(), &id, None).await.unwrap();
        gate.answered.notify_one();
    };
    let (handled, ()) = tokio::join!(slow, meanwhile);
    handled.unwrap();
    let ended = execution(&world, &id).await;
    assert_eq!(ended.status(), ExecutionStatus::Cancelled);
    let attempt = &ended.steps.values().next().unwrap().attempts[0];
    assert!(matches!(attempt.late, Some(Outcome::Answered { status: 200, .. })), "{attempt:?}");
    check_promises(&world, &id).await;
}

/// The process is paused right after its claim was stored, for longer than its lease.
struct Paused {
    clock: Arc<std::sync::OnceLock<Arc<ManualClock>>>,
}

impl Hook for Paused {
    fn after_commit(&self) -> Result<(), TableError> {
        if let Some(clock) = self.clock.get() {
            clock.advance(SHIFT);
        }
        Ok(())
    }
}

#[rstest]
#[tokio::test]
async fn inv_g2_a_worker_paused_past_its_lease_sends_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let clock = Arc::<std::sync::OnceLock<Arc<ManualClock>>>::default();
    let world = World::hooked(engine, Arc::new(Paused { clock: Arc::clone(&clock) })).await;
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    clock.set(Arc::clone(&world.clock)).ok();
    world.handle(&Job::Run { execution: id.clone() }).await.unwrap();
    assert_eq!(world.receiver.received().len(), 0);
    let seen = execution(&world, &id).await;
    let attempt = &seen.steps.values().next().unwrap().attempts[0];
    assert!(matches!(attempt.outcome, Some(Outcome::Unsent { .. })), "{attempt:?}");
}

#[rstest]
#[tokio::test]
async fn inv_g2_a_worker_with_too_little_time_left_claims_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    let deadline = world.clock.now().plus(Duration::from_secs(21));
    let shift = Shift { egress: world.egress.as_ref(), holder: "worker-0", deadline };
    let outcome = world.app.handle(&Job::Run { execution: id.clone() }, &shift).await;
    assert!(matches!(outcome, Err(muster_app::Error::NoTime)), "{outcome:?}");
    check_status(&world, &id, ExecutionStatus::Pending).await;
    assert_eq!(world.receiver.received().len(), 0);
}

#[rstest]
#[tokio::test]
async fn a_job_in_the_dead_letter_queue_ends_its_execution_without_a_call(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    world.queue.lose_all();
    world.app.finalise(&id, "the job failed too often").await.unwrap();
    assert_eq!(failure(&world, &id).await, "the job failed too often");
    world.app.finalise(&id, "again").await.unwrap();
    assert_eq!(failure(&world, &id).await, "the job failed too often");
    assert_eq!(world.receiver.received().len(), 0);
    check_promises(&world, &id).await;
}

#[rstest]
#[tokio::test]
async fn inv_g5_a_dead_letter_of_an_execution_that_moved_on_or_ended_changes_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let running = accepted(&world, &runbook).await;
    die_while_sending(&world, &running).await;
    world.app.finalise(&running, "late").await.unwrap();
    check_status(&world, &running, ExecutionStatus::Running).await;
    world.clock.advance(SHIFT);
    world.app.sweep().await.unwrap();
    world.drain().await;
    world.app.finalise(&running, "late").await.unwrap();
    check_status(&world, &running, ExecutionStatus::Success).await;
}
