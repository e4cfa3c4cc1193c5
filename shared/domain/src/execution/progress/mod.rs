//! The moves that transitions are made of. Each keeps the trail and the due time in step with the state.

mod anomaly;
mod begin;
mod conclude;
mod freeze;
mod gates;
mod outcome;

use super::decide::{Decision, Effect, Moved};
use super::ready::first_closed;
use super::{Attempt, Execution, Lease, State, StepRun, Stop, TrailEvent, Unwinding};
use crate::ids::StepId;
use crate::plan::{Plan, Step};
use crate::time::Time;

/// An execution on its way from one stored state to the next.
pub(super) struct Progress<'a> {
    execution: Execution,
    plan: &'a Plan,
    now: Time,
    effects: Vec<Effect>,
    children: Vec<Execution>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(execution: &Execution, plan: &'a Plan, now: Time) -> Self {
        Self { execution: execution.clone(), plan, now, effects: Vec::new(), children: Vec::new() }
    }

    pub(super) fn moved(self) -> Decision {
        let Self { execution: to, effects, children, .. } = self;
        Decision::Moved(Box::new(Moved { to, effects, children }))
    }

    pub(super) fn execution(&self) -> &Execution {
        &self.execution
    }

    pub(super) fn state(&self) -> &State {
        &self.execution.state
    }

    pub(super) fn epoch(&self) -> u32 {
        self.execution.epoch
    }

    pub(super) fn now(&self) -> Time {
        self.now
    }

    pub(super) fn attempt(&self, step: &StepId, number: usize) -> Option<&Attempt> {
        self.execution.steps.get(step)?.attempts.get(number.checked_sub(1)?)
    }

    pub(super) fn any_in_flight(&self) -> bool {
        self.execution.steps.values().any(StepRun::in_flight)
    }

    pub(super) fn has_room(&self) -> bool {
        let in_flight = self.execution.steps.values().filter(|run| run.in_flight()).count();
        in_flight < self.plan.concurrency
    }

    pub(super) fn run_mut(&mut self, step: &StepId) -> Option<&mut StepRun> {
        self.execution.steps.get_mut(step)
    }

    /// A step that begins; it gets its place in the order of beginnings if that may matter on the way back.
    pub(super) fn insert_run(&mut self, step: &StepId, run: StepRun) {
        let place = if self.plan.undos.is_empty() { 0 } else { self.next_place() };
        self.execution.steps.insert(step.clone(), StepRun { place, ..run });
    }

    fn next_place(&self) -> u32 {
        let last = self.execution.steps.values().map(|run| run.place).max();
        last.unwrap_or_default().saturating_add(1)
    }

    pub(super) fn child(&mut self, child: Execution) {
        self.children.push(child);
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(super) fn trail(&mut self, event: TrailEvent) {
        self.execution.trail.push(event, self.now);
    }

    pub(super) fn due(&mut self, at: Time) {
        self.execution.due_at = Some(at);
    }

    pub(super) fn end_lease(&mut self) {
        if let State::Running { lease } = &mut self.execution.state {
            lease.until = self.now;
        }
        self.due(self.now);
    }

    /// A new epoch. The due time stays, for an index entry that stays is free: should it come before the lease ends, the
    /// sweeper moves it there.
    pub(super) fn take_over(&mut self, lease: Lease) {
        self.execution.epoch = self.execution.epoch.saturating_add(1);
        self.execution.started_at.get_or_insert(self.now);
        self.trail(TrailEvent::Claimed { epoch: self.execution.epoch, by: lease.holder.clone() });
        self.execution.state = State::Running { lease };
    }

    pub(super) fn request_stop(&mut self, stop: Stop) {
        self.trail(TrailEvent::StopRequested { by: stop.by.clone(), reason: stop.reason.clone() });
        self.execution.stop = Some(stop);
    }

    pub(super) fn execution_mut(&mut self) -> &mut Execution {
        &mut self.execution
    }

    pub(super) fn begin_unwinding(&mut self, reason: String) {
        self.execution.unwinding = Some(Unwinding { since: self.now, reason });
    }

    /// Nothing is in flight any more: whoever asked for that is told when it was so.
    fn note_quiescence(&mut self) {
        let now = self.now;
        let stopped = self.execution.stop.as_mut().map(|stop| &mut stop.quiesced_at);
        let paused = self.execution.pause.as_mut().map(|pause| &mut pause.quiesced_at);
        let mut quiet = false;
        for at in stopped.into_iter().chain(paused) {
            quiet |= at.is_none();
            at.get_or_insert(now);
        }
        if quiet {
            self.trail(TrailEvent::Quiesced);
        }
    }

    /// After steps have settled, once: what nothing leads to any more is skipped. Steps come after all that leads to them, so
    /// each that is skipped here may close others.
    fn skip_closed(&mut self) {
        if self.execution.unwinding.is_some() {
            return;
        }
        let next = |execution: &Execution, plan: &Plan| {
            first_closed(execution, plan).or_else(|| execution.first_passed(plan))
        };
        while let Some((step, because)) = next(&self.execution, self.plan) {
            self.skip(&step, because);
        }
    }

    /// Whether all is over and the execution has succeeded.
    fn all_over(&self) -> bool {
        self.plan.steps.iter().all(|step: &Step| self.execution.is_over(self.plan, step))
    }
}
