//! What the steps add up to: the execution waits, or has come to its end.

use std::time::Duration;

use super::Progress;
use crate::execution::decide::{CHILD_CHECK, Effect, REVIEW_REMINDER};
use crate::execution::flow::Blocked;
use crate::execution::ready::{is_held, ready_steps};
use crate::execution::{State, StepState, StopMode, TrailEvent, WaitingOn};
use crate::ids::{ExecutionId, StepId};
use crate::notification::{escalates_to, number_of, owes_notification};
use crate::time::Time;

impl Progress<'_> {
    /// The state that the steps add up to, while a worker holds the execution.
    pub(in crate::execution) fn conclude(&mut self) {
        if !matches!(self.execution.state, State::Running { .. }) {
            return;
        }
        self.skip_closed();
        if self.any_in_flight() {
            return;
        }
        if let Some(ended) = self.come_to_rest() {
            self.settle(ended);
        } else if ready_steps(&self.execution, self.plan, self.now).is_empty()
            && let Some((until, on)) = self.next_wait()
        {
            self.wait(until, on);
        }
    }

    /// The same after a person's decision, when no worker holds it.
    pub(in crate::execution) fn conclude_unclaimed(&mut self) {
        self.skip_closed();
        match self.come_to_rest() {
            Some(ended) => self.settle(ended),
            None => self.wait_for_worker(),
        }
    }

    /// With nothing in flight: the end, or a state that only a person can change. A failure or an abort may turn the execution
    /// back instead.
    fn come_to_rest(&mut self) -> Option<State> {
        self.note_quiescence();
        self.last_state().or_else(|| self.execution.pause.is_some().then_some(State::Paused))
    }

    fn last_state(&mut self) -> Option<State> {
        if self.execution.unwinding.is_some() {
            return self.killed_state().or_else(|| self.unwound());
        }
        // Whoever stops an execution need not find out first what became of a call.
        if let Some(review) = self.review().filter(|_| self.execution.stop.is_none()) {
            return Some(review);
        }
        let (ended, unwinds) = self.ended()?;
        let reason = match &ended {
            State::Failed { error: reason } | State::Cancelled { reason } if unwinds => reason.clone(),
            State::Failed { .. }
            | State::Cancelled { .. }
            | State::Pending
            | State::Running { .. }
            | State::Waiting { .. }
            | State::Paused
            | State::NeedsReview { .. }
            | State::UndoFailed { .. }
            | State::Succeeded
            | State::RolledBack { .. } => return Some(ended),
        };
        (!self.turn_back(&reason)).then_some(ended)
    }

    /// How the way forward ended, and whether what was done is to be taken back then.
    fn ended(&self) -> Option<(State, bool)> {
        if let Some(Blocked { error, unwinds }) = self.execution.blocked(self.plan) {
            return Some((State::Failed { error }, unwinds));
        }
        if self.all_over() {
            return Some((State::Succeeded, false));
        }
        if let Some(stop) = &self.execution.stop {
            return Some((State::Cancelled { reason: stop.reason.clone() }, stop.mode == StopMode::Abort));
        }
        if let Some(because) = self.stopping_anomaly() {
            return Some((State::Failed { error: because.to_owned() }, self.plan.unwinds_out_of_time));
        }
        let timeout = self.plan.timeout.filter(|_| self.timed_out())?;
        let reason = format!("Timed out after {} s", timeout.as_secs());
        Some((State::Cancelled { reason }, self.plan.unwinds_out_of_time))
    }

    fn killed_state(&self) -> Option<State> {
        let stop = self.execution.stop.as_ref().filter(|stop| stop.mode == StopMode::Kill)?;
        Some(State::Cancelled { reason: stop.reason.clone() })
    }

    pub(in crate::execution) fn killed(&self) -> bool {
        self.killed_state().is_some()
    }

    pub(in crate::execution) fn wait_for_worker(&mut self) {
        self.wait(self.now, WaitingOn::Worker);
    }

    pub(in crate::execution) fn wait(&mut self, until: Time, on: WaitingOn) {
        let until = self.wait_again(until, on);
        self.trail(TrailEvent::Waiting { until });
    }

    /// The same wait goes on: the trail has it already. Tells until when, which is no later than the time of the whole is up.
    pub(super) fn wait_again(&mut self, until: Time, on: WaitingOn) -> Time {
        let until = self.execution.deadline(self.plan).map_or(until, |deadline| until.min(deadline));
        self.execution.state = State::Waiting { until, on };
        let due = until.plus(RETRY_GRACE);
        // The end of another execution comes with a nudge of its own, which may be lost.
        let awaits_child = self.execution.awaited().next().is_some();
        self.due(if awaits_child { due.min(self.now.plus(CHILD_CHECK)) } else { due });
        match on {
            WaitingOn::Child | WaitingOn::Approval | WaitingOn::Callback => {}
            WaitingOn::Retry | WaitingOn::Worker | WaitingOn::Delay | WaitingOn::Lease => {
                self.effect(Effect::Nudge { at: until });
            }
        }
        until
    }

    fn settle(&mut self, ended: State) {
        match &ended {
            State::NeedsReview { step, .. } => {
                self.trail(TrailEvent::NeedsReview { step: step.clone() });
                self.rest(ended, Some("execution.needs_review"));
                self.notify_if_owed();
            }
            State::UndoFailed { step, .. } => {
                self.trail(TrailEvent::UndoFailed { step: step.clone() });
                self.rest(ended, Some("execution.undo_failed"));
                self.notify_if_owed();
            }
            State::Paused => self.rest(ended, None),
            State::Succeeded
            | State::Failed { .. }
            | State::Cancelled { .. }
            | State::RolledBack { .. }
            | State::Pending
            | State::Running { .. }
            | State::Waiting { .. } => self.end(ended),
        }
    }

    /// A state that only a person changes; the sweeper reports it now and then.
    pub(in crate::execution) fn rest(&mut self, state: State, action: Option<&'static str>) {
        self.execution.state = state;
        self.due(self.now.plus(REVIEW_REMINDER));
        if let Some(action) = action {
            self.effect(Effect::Audit { action, actor: None, reason: None });
        }
    }

    /// The last transition. The audit entry anchors the trail.
    pub(in crate::execution) fn end(&mut self, state: State) {
        self.execution.state = state;
        self.execution.ended_at = Some(self.now);
        if self.execution.state == State::Succeeded {
            self.execution.verdict = self.execution.judge_outcome();
        }
        self.execution.due_at = None;
        let status = self.execution.status();
        self.trail(TrailEvent::Ended { status });
        if let Some(parent) = self.execution.parent.clone().filter(|parent| parent.waits) {
            self.effect(Effect::Wake { execution: parent.execution });
        }
        self.wake_awaited();
        let told = |effect: &Effect| {
            matches!(effect, Effect::Audit { action: "execution.cancelled" | "execution.aborted", .. })
        };
        if !self.effects.iter().any(told) {
            let action = end_action(&self.execution.state);
            self.effect(Effect::Audit { action, actor: None, reason: None });
        }
        self.notify_if_owed();
    }

    /// What it waits for is not to go on without it.
    pub(in crate::execution) fn wake_awaited(&mut self) {
        let awaited: Vec<ExecutionId> =
            self.execution.awaited().map(|(_, execution)| execution.clone()).collect();
        for execution in awaited {
            self.effect(Effect::Wake { execution });
        }
    }

    /// Said at the one place where an execution ends and the one where it stops for a person, so that nobody forgets it.
    fn notify_if_owed(&mut self) {
        if owes_notification(&self.execution) {
            self.effect(Effect::Notify { number: number_of(&self.execution) });
        }
        let to = escalates_to(&self.execution, &self.plan.escalation);
        if !to.is_empty() {
            self.effect(Effect::Escalate { number: number_of(&self.execution), to });
        }
    }

    /// Ends it without another call. What an execution on its way back has not taken back, a person has to.
    pub(in crate::execution) fn abandon(&mut self, reason: &str) {
        let undo = self.execution.unwinding.as_ref().and_then(|_| self.execution.next_undo());
        if let Some(step) = undo.map(|(undo, _)| undo.made_for()) {
            return self.settle(State::UndoFailed { step, reason: reason.to_owned() });
        }
        match self.blocking_step() {
            Some(ended) => self.settle(ended),
            None => self.end(State::Failed { error: reason.to_owned() }),
        }
    }

    /// A step that failed, or whose outcome a person must find out: nothing further begins.
    pub(super) fn blocking_step(&self) -> Option<State> {
        let failed =
            || self.execution.blocked(self.plan).map(|blocked| State::Failed { error: blocked.error });
        self.review().or_else(failed)
    }

    fn review(&self) -> Option<State> {
        self.execution.steps.iter().find_map(|(id, run)| match &run.state {
            StepState::NeedsReview { reason } if !id.is_undo() => {
                Some(State::NeedsReview { step: id.clone(), reason: reason.clone() })
            }
            StepState::NeedsReview { .. }
            | StepState::Failed { .. }
            | StepState::Sending
            | StepState::Waiting { .. }
            | StepState::Delayed { .. }
            | StepState::AwaitsChild { .. }
            | StepState::AwaitsApproval { .. }
            | StepState::Void
            | StepState::AwaitsCallback { .. }
            | StepState::Armed
            | StepState::Succeeded
            | StepState::Skipped { .. } => None,
        })
    }

    /// Whether the time of the whole execution is up and something is left to do.
    pub(super) fn timed_out(&self) -> bool {
        let up = self.execution.deadline(self.plan).is_some_and(|deadline| deadline <= self.now);
        up && !self.all_over()
    }

    /// The next moment at which something can go on, and what that is.
    fn next_wait(&self) -> Option<(Time, WaitingOn)> {
        let back = self.execution.unwinding.is_some();
        let held = |id: &StepId| self.plan.step(id).is_some_and(|planned| is_held(&self.execution, planned));
        let waiting = self.execution.steps.iter().filter(|(id, _)| id.is_undo() == back && !held(id));
        let waits = waiting.filter_map(|(_, run)| match run.state {
            StepState::Waiting { until } => Some((until, WaitingOn::Retry)),
            StepState::Delayed { until } => Some((until, WaitingOn::Delay)),
            StepState::AwaitsChild { .. } => Some((self.now.plus(LONGEST_CHILD), WaitingOn::Child)),
            StepState::AwaitsApproval { until } => Some((until, WaitingOn::Approval)),
            StepState::AwaitsCallback { until } => Some((until, WaitingOn::Callback)),
            StepState::Sending
            | StepState::Void
            | StepState::Armed
            | StepState::Succeeded
            | StepState::Skipped { .. }
            | StepState::Failed { .. }
            | StepState::NeedsReview { .. } => None,
        });
        waits.min_by_key(|(until, _)| *until)
    }
}

/// How long after a wait ends the sweeper steps in, should the nudge be lost.
const RETRY_GRACE: Duration = Duration::from_secs(1);

/// How long a step waits for another execution if the plan sets no time: as long as the longest delay.
const LONGEST_CHILD: Duration = Duration::from_hours(30 * 24);

fn end_action(state: &State) -> &'static str {
    match state {
        State::Succeeded => "execution.succeeded",
        State::Cancelled { .. } => "execution.cancelled",
        State::RolledBack { .. } => "execution.rolled_back",
        State::Failed { .. }
        | State::Pending
        | State::Running { .. }
        | State::Waiting { .. }
        | State::Paused
        | State::NeedsReview { .. }
        | State::UndoFailed { .. } => "execution.failed",
    }
}
