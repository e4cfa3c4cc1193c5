//! A worker's turn: read, claim, begin, send, store what came back. It may stop after each of these.

use std::sync::Arc;

use muster_domain::execution::{Effect, Event, Lease, State};
use muster_domain::outcome::Outcome;

use crate::action::{Answer, oversleeps};
use crate::mutant::Mutant;
use crate::protocol::{Commit, LEASE, Protocol};
use crate::world::{Call, Stored, Turn, Worker, World};

impl Protocol {
    /// Whether a claim would be granted now; a worker that comes in vain changes nothing.
    pub(crate) fn is_claimable(&self, world: &World) -> bool {
        match &world.execution().state {
            State::Pending => true,
            State::Running { lease } => lease.until <= world.now,
            State::Waiting { until, .. } => {
                *until <= world.now || !self.gate_ends(world, world.execution()).is_empty()
            }
            State::Paused
            | State::NeedsReview { .. }
            | State::UndoFailed { .. }
            | State::Succeeded
            | State::Failed { .. }
            | State::Cancelled { .. }
            | State::RolledBack { .. } => false,
        }
    }

    pub(crate) fn load(&self, world: &mut World, worker: usize) -> bool {
        world.workers[worker] = Worker::Loaded(Arc::clone(&world.stored));
        true
    }

    /// A claim that comes second is left to the first.
    pub(crate) fn claim(&self, world: &mut World, worker: usize) -> bool {
        let Worker::Loaded(seen) = std::mem::replace(&mut world.workers[worker], Worker::Idle) else {
            return false;
        };
        let deadline = world.now.plus(LEASE);
        let lease = Lease { holder: "worker".into(), until: deadline };
        let next = self.brought(world, &seen.execution);
        if let Commit::Stored(effects) = self.commit(world, &seen, Event::Claim { lease, next }) {
            let epoch = world.execution().epoch;
            let turn = Turn { seen: Arc::clone(&world.stored), epoch, deadline, calls: calls(effects) };
            world.workers[worker] = Worker::Holding(turn);
            settle(world, worker);
        }
        true
    }

    pub(crate) fn advance(&self, world: &mut World, worker: usize) -> bool {
        let Some(turn) = world.turn(worker).cloned() else { return false };
        let next = self.brought(world, &turn.seen.execution);
        let event = Event::Advance { epoch: turn.epoch, next };
        match self.commit(world, &turn.seen, event) {
            Commit::Stored(effects) => took(world, worker, effects),
            Commit::Conflict => self.reload(world, worker),
            Commit::Nothing => false,
        }
    }

    /// A worker that lost its lease does not send; what it was about to send counts as not sent.
    pub(crate) fn send(&self, world: &mut World, worker: usize, call: usize) -> bool {
        let Some(turn) = world.turn(worker) else { return false };
        let made = turn.calls[call].clone();
        if turn.deadline <= world.now && self.mutant != Some(Mutant::SendsAfterItsLease) {
            let reason = "the worker's lease ended before the call could be made".into();
            return self.store_outcome(world, (worker, call), Outcome::Unsent { reason }, false);
        }
        let broken = self.broken_by_post(world, &made);
        world.broken.extend(broken);
        let times = world.posted.entry((made.step, made.attempt)).or_default();
        *times = times.saturating_add(1);
        if let Some(turn) = world.turn_mut(worker) {
            turn.calls[call].sent = true;
        }
        true
    }

    pub(crate) fn record(&self, world: &mut World, call: (usize, usize), answer: Answer, lost: bool) -> bool {
        let outcome = match answer {
            Answer::Done => answered(200),
            Answer::Refused => answered(500),
            Answer::Unknown => Outcome::Unknown { reason: "no answer".into() },
        };
        self.store_outcome(world, call, outcome, lost)
    }

    fn store_outcome(
        &self,
        world: &mut World,
        (worker, call): (usize, usize),
        outcome: Outcome,
        lost: bool,
    ) -> bool {
        let Some(turn) = world.turn(worker).cloned() else { return false };
        let made = turn.calls[call].clone();
        let event = Event::Attempted { step: made.step, attempt: made.attempt, outcome };
        match self.commit(world, &turn.seen, event) {
            // It will try again, and find that it is stored.
            Commit::Stored(_) if lost => {
                world.disturb();
                true
            }
            Commit::Stored(effects) => {
                forget(world, worker, call);
                took(world, worker, effects)
            }
            Commit::Conflict => self.reload(world, worker),
            Commit::Nothing => {
                forget(world, worker, call);
                settle(world, worker);
                true
            }
        }
    }

    pub(crate) fn give_back(&self, world: &mut World, worker: usize) -> bool {
        let Some(turn) = world.turn(worker).cloned() else { return false };
        match self.commit(world, &turn.seen, Event::Yield { epoch: turn.epoch }) {
            Commit::Stored(effects) => {
                world.disturb();
                took(world, worker, effects)
            }
            Commit::Conflict => self.reload(world, worker),
            Commit::Nothing => false,
        }
    }

    pub(crate) fn reload(&self, world: &mut World, worker: usize) -> bool {
        let stored = Arc::clone(&world.stored);
        let Some(turn) = world.turn_mut(worker) else { return false };
        turn.seen = stored;
        settle(world, worker);
        true
    }

    pub(crate) fn crash(&self, world: &mut World, worker: usize) -> bool {
        world.disturb();
        world.workers[worker] = Worker::Idle;
        true
    }

    pub(crate) fn tick(&self, world: &mut World) -> bool {
        let Some(moment) = self.next_moment(world) else { return false };
        if oversleeps(world, moment).is_some() {
            world.disturb();
        }
        world.now = moment;
        for worker in 0..world.workers.len() {
            settle(world, worker);
        }
        true
    }
}

pub(crate) fn answered(status: u16) -> Outcome {
    Outcome::Answered { status, retry_after_ms: None, body: String::new(), truncated: false }
}

pub(crate) fn calls(effects: Vec<Effect>) -> Vec<Call> {
    let sends = effects.into_iter().filter_map(|effect| match effect {
        Effect::Send { step, attempt } => Some(Call { step, attempt, sent: false }),
        Effect::Nudge { .. }
        | Effect::Wake { .. }
        | Effect::Ask { .. }
        | Effect::Notify { .. }
        | Effect::Escalate { .. }
        | Effect::Audit { .. } => None,
    });
    sends.collect()
}

/// The worker knows what it has stored itself.
fn took(world: &mut World, worker: usize, effects: Vec<Effect>) -> bool {
    let stored: Arc<Stored> = Arc::clone(&world.stored);
    if let Some(turn) = world.turn_mut(worker) {
        turn.seen = stored;
        turn.calls.extend(calls(effects));
    }
    settle(world, worker);
    true
}

fn forget(world: &mut World, worker: usize, call: usize) {
    if let Some(turn) = world.turn_mut(worker) {
        turn.calls.remove(call);
    }
}

/// A worker that has nothing in flight and may begin nothing goes home.
fn settle(world: &mut World, worker: usize) {
    let now = world.now;
    let done = |turn: &Turn| turn.calls.is_empty() && (!turn.holds() || turn.deadline <= now);
    if world.turn(worker).is_some_and(done) {
        world.workers[worker] = Worker::Idle;
    }
}
