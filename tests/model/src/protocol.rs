//! The model: the states that follow from a state, and the commit that every one of them goes through.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use muster_domain::execution::{Decision, Effect, Event, Execution, State, StepState, Trail, decide};
use muster_domain::time::Time;
use stateright::{Model, Property};

use crate::action::Action;
use crate::mutant::Mutant;
use crate::plans::{Scenario, T0};
use crate::promise::Promise;
use crate::world::{Asked, Stored, Worker, World};

/// How long a claim holds.
pub(crate) const LEASE: Duration = Duration::from_secs(60);
const WORKERS: usize = 2;

pub(crate) struct Protocol {
    pub scenario: Scenario,
    pub mutant: Option<Mutant>,
    /// Fingerprints of executions that were seen to come to an end.
    pub ending: Mutex<HashSet<u64>>,
}

/// What became of a transition.
pub(crate) enum Commit {
    Stored(Vec<Effect>),
    /// Somebody else changed the execution first.
    Conflict,
    /// There is nothing to store.
    Nothing,
}

impl Protocol {
    pub(crate) fn new(scenario: Scenario, mutant: Option<Mutant>) -> Self {
        Self { scenario, mutant, ending: Mutex::new(HashSet::new()) }
    }

    pub(crate) fn decide(&self, execution: &Execution, event: Event, now: Time) -> Decision {
        match self.mutant {
            None => decide(execution, &self.scenario.plan, event, now),
            Some(mutant) => mutant.decide(&self.scenario, execution, event, now),
        }
    }

    /// Decides on what was seen and stores the result, if the table still holds what was seen.
    pub(crate) fn commit(&self, world: &mut World, seen: &Arc<Stored>, event: Event) -> Commit {
        let Decision::Moved(moved) = self.decide(&seen.execution, event, world.now) else {
            return Commit::Nothing;
        };
        if seen.version != world.stored.version && self.mutant != Some(Mutant::OverwritesNewer) {
            return Commit::Conflict;
        }
        let mut moved = *moved;
        for effect in &moved.effects {
            if let Effect::Ask { step, round } = effect {
                world.asked.insert(step.clone(), Asked { round: *round, said: None });
            }
        }
        let broken = self.broken_by(world, &moved);
        world.broken.extend(broken);
        // Each entry links to the one before, so a trail is intact if every stretch of it is; the stretches are not kept.
        moved.to.trail = Trail::new(moved.to.id.as_str());
        world.store(moved.to);
        Commit::Stored(moved.effects)
    }

    /// The next moment after now at which anything may change.
    pub(crate) fn next_moment(&self, world: &World) -> Option<Time> {
        let execution = world.execution();
        let state = match &execution.state {
            State::Running { lease } => Some(lease.until),
            State::Waiting { until, .. } => Some(*until),
            State::Pending
            | State::Paused
            | State::NeedsReview { .. }
            | State::UndoFailed { .. }
            | State::Succeeded
            | State::Failed { .. }
            | State::Cancelled { .. }
            | State::RolledBack { .. } => None,
        };
        let steps = execution.steps.values().filter_map(|run| step_moment(&run.state));
        let held = world.workers.iter().filter_map(|worker| match worker {
            Worker::Holding(turn) => Some(turn.deadline),
            Worker::Idle | Worker::Loaded(_) => None,
        });
        let over = execution.status().is_terminal();
        let of_execution = state.into_iter().chain(steps).chain(execution.deadline(&self.scenario.plan));
        let moments = of_execution.filter(|_| !over).chain(held);
        moments.filter(|moment| *moment > world.now).min()
    }
}

pub(crate) fn step_moment(state: &StepState) -> Option<Time> {
    match state {
        StepState::Waiting { until }
        | StepState::Delayed { until }
        | StepState::AwaitsApproval { until }
        | StepState::AwaitsCallback { until } => Some(*until),
        StepState::Sending
        | StepState::AwaitsChild { .. }
        | StepState::Void
        | StepState::Armed
        | StepState::Succeeded
        | StepState::Skipped { .. }
        | StepState::Failed { .. }
        | StepState::NeedsReview { .. } => None,
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            now: T0,
            timeout: self.scenario.plan.timeout,
            stored: Arc::new(Stored { execution: self.scenario.accepted(), version: 1 }),
            workers: vec![Worker::Idle; WORKERS],
            asked: Default::default(),
            posted: Default::default(),
            changed: false,
            halted: false,
            left: self.scenario.disturbances.0,
            broken: Default::default(),
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        // What follows after a promise is broken proves nothing more.
        if world.broken.is_empty() {
            self.list_actions(world, actions);
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        let changed = match action {
            Action::Load { worker } => self.load(&mut next, worker),
            Action::Claim { worker } => self.claim(&mut next, worker),
            Action::Advance { worker } => self.advance(&mut next, worker),
            Action::Send { worker, call } => self.send(&mut next, worker, call),
            Action::Record { worker, call, answer, lost } => {
                self.record(&mut next, (worker, call), answer, lost)
            }
            Action::Reload { worker } => self.reload(&mut next, worker),
            Action::Yield { worker } => self.give_back(&mut next, worker),
            Action::Crash { worker } => self.crash(&mut next, worker),
            Action::Tick => self.tick(&mut next),
            Action::Decide { gate, said } => self.say(&mut next, &gate, said),
            Action::Change => self.change(&mut next),
            Action::Halt => self.halt(&mut next),
            Action::CallBack { step, fails } => self.call_back(&mut next, step, fails),
            Action::Ask(request) => self.ask_for(&mut next, request),
        };
        changed.then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        Promise::properties()
    }
}
