//! Nothing is stuck: wherever everything may stop, the due-index, workers and people can bring the execution to an end.

use std::sync::Arc;

use muster_domain::execution::{Decision, Effect, Event, Lease, Moved, Resolution, State, UndoDecision};

use crate::fingerprint::fingerprint;
use crate::people::person;
use crate::protocol::{LEASE, Protocol};
use crate::worker::{answered, calls};
use crate::world::{Asked, Said, Stored, World};

/// More rounds of the due-index than any of the plans needs.
const ROUNDS: usize = 40;
/// More transitions than any worker's turn needs.
const TURN: usize = 20;
/// What the sweeper gives a nudge before it looks again.
const GRACE: std::time::Duration = std::time::Duration::from_secs(1);

impl Protocol {
    /// Every worker stops here and no message arrives any more. What is stored must come to an end all the same, by nothing but
    /// the due-index, whose nudge a worker follows, by people who answer what they are asked, and receivers that succeed.
    pub(crate) fn comes_to_an_end(&self, world: &World) -> bool {
        let mut world = World { workers: Vec::new(), ..world.clone() };
        let mut passed = Vec::new();
        for _ in 0..ROUNDS {
            let known = fingerprint_with_gates(&world);
            if world.execution().status().is_terminal() || self.is_known(known) {
                self.remember(passed);
                return true;
            }
            passed.push(known);
            if !self.goes_on(&mut world) {
                return false;
            }
        }
        false
    }

    fn is_known(&self, fingerprint: u64) -> bool {
        self.ending.lock().expect("no thread has panicked").contains(&fingerprint)
    }

    fn remember(&self, passed: Vec<u64>) {
        self.ending.lock().expect("no thread has panicked").extend(passed);
    }

    /// One round: a person who is asked answers; else the due time comes. `false`: nobody will ever look at it again.
    fn goes_on(&self, world: &mut World) -> bool {
        let asked = match world.execution().state {
            State::Paused => Event::Resume { by: person() },
            State::NeedsReview { .. } => {
                Event::Resolve { by: person(), resolution: Resolution::Happened, reason: "seen".into() }
            }
            State::UndoFailed { .. } => {
                Event::Undo { by: person(), decision: UndoDecision::Done, reason: "done".into() }
            }
            State::Pending
            | State::Running { .. }
            | State::Waiting { .. }
            | State::Succeeded
            | State::Failed { .. }
            | State::Cancelled { .. }
            | State::RolledBack { .. } => return self.falls_due(world),
        };
        self.moves(world, asked).is_some()
    }

    fn falls_due(&self, world: &mut World) -> bool {
        approve_all(world);
        let Some(due) = world.execution().due_at else { return false };
        world.now = world.now.max(due);
        let Some(found) = self.moves(world, Event::Overdue { grace: GRACE }) else { return false };
        if found.effects.iter().any(|effect| matches!(effect, Effect::Nudge { .. })) {
            self.work(world);
        }
        true
    }

    /// A worker's whole turn, with every call answered.
    fn work(&self, world: &mut World) {
        let lease = Lease { holder: "worker".into(), until: world.now.plus(LEASE) };
        let next = self.brought(world, world.execution());
        let mut event = Event::Claim { lease, next };
        for _ in 0..TURN {
            let Some(moved) = self.moves(world, event) else { return };
            for call in calls(moved.effects) {
                let outcome = answered(200);
                self.moves(world, Event::Attempted { step: call.step, attempt: call.attempt, outcome });
            }
            if !matches!(world.execution().state, State::Running { .. }) {
                return;
            }
            let next = self.brought(world, world.execution());
            event = Event::Advance { epoch: world.execution().epoch, next };
        }
    }

    fn moves(&self, world: &mut World, event: Event) -> Option<Moved> {
        let Decision::Moved(moved) = self.decide(world.execution(), event, world.now) else { return None };
        for effect in &moved.effects {
            if let Effect::Ask { step, round } = effect {
                world.asked.insert(step.clone(), Asked { round: *round, said: None });
            }
        }
        world.stored = Arc::new(Stored { execution: moved.to.clone(), version: 0 });
        Some(*moved)
    }
}

fn approve_all(world: &mut World) {
    for asked in world.asked.values_mut() {
        asked.said.get_or_insert(Said::Approved);
    }
}

fn fingerprint_with_gates(world: &World) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    fingerprint(world.execution(), world.timeout, world.now).hash(&mut hasher);
    for asked in world.asked.values() {
        (asked.round, asked.said).hash(&mut hasher);
    }
    (world.changed, world.halted).hash(&mut hasher);
    hasher.finish()
}
