//! Which worlds are the same: those that differ only in what nothing depends on. Moments count by how far ahead they are, epochs
//! by whether they are the newest, and workers are alike.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use muster_domain::execution::{Attempt, Execution, InnerRun, State, StepRun, StoredRequest};
use muster_domain::outcome::Outcome;
use muster_domain::time::Time;

use crate::protocol::step_moment;
use crate::world::{Turn, Worker, World};

impl Hash for World {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        fingerprint(self.execution(), self.timeout, self.now).hash(hasher);
        let mut workers: Vec<u64> = self.workers.iter().map(|worker| self.of_worker(worker)).collect();
        workers.sort_unstable();
        workers.hash(hasher);
        for (gate, asked) in &self.asked {
            (gate, asked.round, asked.said).hash(hasher);
        }
        self.posted.hash(hasher);
        (self.changed, self.halted, self.left, &self.broken).hash(hasher);
    }
}

impl World {
    fn of_worker(&self, worker: &Worker) -> u64 {
        let mut hasher = DefaultHasher::new();
        std::mem::discriminant(worker).hash(&mut hasher);
        match worker {
            Worker::Idle => {}
            // Whoever saw an older version fails, whatever was in it.
            Worker::Loaded(seen) => (seen.version == self.stored.version).hash(&mut hasher),
            Worker::Holding(turn) => self.hash_turn(turn, &mut hasher),
        }
        hasher.finish()
    }

    fn hash_turn(&self, turn: &Turn, hasher: &mut DefaultHasher) {
        let fresh = turn.is_fresh(&self.stored);
        (fresh, turn.epoch == self.execution().epoch, ahead(turn.deadline, self.now)).hash(hasher);
        // Whoever saw an older version only learns that, whatever was in it.
        for call in &turn.calls {
            (&call.step, call.attempt, call.sent).hash(hasher);
        }
    }
}

/// All of an execution that its future depends on.
pub(crate) fn fingerprint(execution: &Execution, timeout: Option<Duration>, now: Time) -> u64 {
    let mut hasher = DefaultHasher::new();
    let hasher = &mut hasher;
    hash_state(&execution.state, now, hasher);
    for (id, run) in &execution.steps {
        id.hash(hasher);
        hash_run(run, now, hasher);
    }
    let stop = execution.stop.as_ref().map(|stop| (stop.mode as u8, stop.quiesced_at.is_some()));
    let paused = execution.pause.as_ref().map(|pause| pause.quiesced_at.map(|since| now.since(since)));
    (stop, paused, execution.unwinding.is_some(), execution.due_at.is_some()).hash(hasher);
    let deadline = execution.started_at.zip(timeout);
    let deadline =
        deadline.map(|(started, timeout)| started.plus(timeout + Duration::from_millis(execution.paused_ms)));
    deadline.map(|deadline| ahead(deadline, now)).hash(hasher);
    hasher.finish()
}

fn hash_state(state: &State, now: Time, hasher: &mut DefaultHasher) {
    std::mem::discriminant(state).hash(hasher);
    match state {
        State::Running { lease } => ahead(lease.until, now).hash(hasher),
        State::Waiting { until, on } => (ahead(*until, now), *on as u8).hash(hasher),
        State::NeedsReview { step, .. } | State::UndoFailed { step, .. } => step.hash(hasher),
        State::Pending
        | State::Paused
        | State::Succeeded
        | State::Failed { .. }
        | State::Cancelled { .. }
        | State::RolledBack { .. } => {}
    }
}

fn hash_run(run: &StepRun, now: Time, hasher: &mut DefaultHasher) {
    std::mem::discriminant(&run.state).hash(hasher);
    step_moment(&run.state).map(|until| ahead(until, now)).hash(hasher);
    run.request.as_ref().map(body).hash(hasher);
    (run.budget, run.place, run.attempts.len()).hash(hasher);
    for attempt in &run.attempts {
        hash_attempt(attempt, hasher);
    }
    if let Some(InnerRun { gate, way, called_back, .. }) = &run.inner {
        gate.as_ref().map(|gate| (gate.round, &gate.bindings)).hash(hasher);
        (way, called_back.as_ref().map(|back| back.error.is_some())).hash(hasher);
    }
}

/// Requests differ in their bodies alone.
fn body(request: &StoredRequest) -> Option<&str> {
    match request {
        StoredRequest::Inline(request) => Some(&request.body),
        StoredRequest::Beside { .. } => None,
    }
}

fn hash_attempt(attempt: &Attempt, hasher: &mut DefaultHasher) {
    let kind = |outcome: &Outcome| match outcome {
        Outcome::Unsent { .. } | Outcome::Refused { .. } => 0_u8,
        Outcome::Answered { .. } => 1,
        Outcome::Unknown { .. } => 2,
    };
    let known = (attempt.outcome.as_ref().map(kind), attempt.late.as_ref().map(kind));
    (known, attempt.resolution.map(|resolution| resolution as u8)).hash(hasher);
}

/// How far ahead a moment is; one that has passed is no longer told apart.
fn ahead(moment: Time, now: Time) -> u64 {
    u64::try_from(moment.since(now).as_millis()).unwrap_or(u64::MAX)
}
