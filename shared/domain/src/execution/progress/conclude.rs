//! What the steps add up to: the execution waits, or has come to its end.

use std::time::Duration;

use super::Progress;
use crate::execution::decide::{CHILD_CHECK, Effect, REVIEW_REMINDER};
use crate::execution::ready::{awaits_search, ready_steps};
use crate::execution::{State, StepState, TrailEvent, WaitingOn};
use crate::ids::StepId;
use crate::notification::{number_of, owes_notification};
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
        if let Some(ended) = self.blocking_step().or_else(|| self.finished()).or_else(|| self.out_of_time()) {
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
        match self.blocking_step().or_else(|| self.finished()) {
            Some(ended) => self.settle(ended),
            None => self.wait_for_worker(),
        }
    }

    pub(in crate::execution) fn wait_for_worker(&mut self) {
        self.wait(self.now, WaitingOn::Worker);
    }

    fn wait(&mut self, until: Time, on: WaitingOn) {
        let until = self.execution.deadline(self.plan).map_or(until, |deadline| until.min(deadline));
        self.execution.state = State::Waiting { until, on };
        self.trail(TrailEvent::Waiting { until });
        let due = until.plus(RETRY_GRACE);
        match on {
            // The end of the other execution comes with a nudge of its own.
            WaitingOn::Child => self.due(due.min(self.now.plus(CHILD_CHECK))),
            WaitingOn::Retry | WaitingOn::Worker | WaitingOn::Delay => {
                self.due(due);
                self.effect(Effect::Nudge { at: until });
            }
        }
    }

    fn settle(&mut self, ended: State) {
        if let State::NeedsReview { step, .. } = &ended {
            self.trail(TrailEvent::NeedsReview { step: step.clone() });
            self.effect(Effect::Audit { action: "execution.needs_review", actor: None, reason: None });
            self.due(self.now.plus(REVIEW_REMINDER));
            self.execution.state = ended;
            self.notify_if_owed();
        } else {
            self.end(ended);
        }
    }

    /// The last transition. The audit entry anchors the trail.
    pub(in crate::execution) fn end(&mut self, state: State) {
        self.execution.state = state;
        self.execution.ended_at = Some(self.now);
        self.execution.due_at = None;
        let status = self.execution.status();
        self.trail(TrailEvent::Ended { status });
        if let Some(parent) = self.execution.parent.clone().filter(|parent| parent.waits) {
            self.effect(Effect::Wake { execution: parent.execution });
        }
        let told = |effect: &Effect| matches!(effect, Effect::Audit { action: "execution.cancelled", .. });
        if !self.effects.iter().any(told) {
            let action = end_action(&self.execution.state);
            self.effect(Effect::Audit { action, actor: None, reason: None });
        }
        self.notify_if_owed();
    }

    /// Said at the one place where an execution ends and the one where it stops for a person, so that nobody forgets it.
    fn notify_if_owed(&mut self) {
        if owes_notification(&self.execution) {
            self.effect(Effect::Notify { number: number_of(&self.execution) });
        }
    }

    pub(in crate::execution) fn abandon(&mut self, reason: &str) {
        match self.blocking_step() {
            Some(ended) => self.settle(ended),
            None => self.end(State::Failed { error: reason.to_owned() }),
        }
    }

    /// A step that failed, or whose outcome a person must find out: nothing further begins.
    pub(super) fn blocking_step(&self) -> Option<State> {
        self.execution.steps.iter().find_map(|(id, run)| match &run.state {
            StepState::Failed { error } => Some(State::Failed { error: error.clone() }),
            StepState::NeedsReview { reason } => {
                Some(State::NeedsReview { step: id.clone(), reason: reason.clone() })
            }
            StepState::Sending
            | StepState::Waiting { .. }
            | StepState::Delayed { .. }
            | StepState::AwaitsChild { .. }
            | StepState::Succeeded
            | StepState::Skipped { .. } => None,
        })
    }

    fn finished(&self) -> Option<State> {
        if self.all_settled() {
            return Some(State::Succeeded);
        }
        self.execution.stop.as_ref().map(|stop| State::Cancelled { reason: stop.reason.clone() })
    }

    fn out_of_time(&self) -> Option<State> {
        let timeout = self.plan.timeout.filter(|_| self.timed_out())?;
        let reason = format!("Timed out after {} s", timeout.as_secs());
        Some(State::Cancelled { reason })
    }

    /// Whether the time of the whole execution is up and something is left to do.
    pub(super) fn timed_out(&self) -> bool {
        let up = self.execution.deadline(self.plan).is_some_and(|deadline| deadline <= self.now);
        up && !self.all_settled()
    }

    /// The next moment at which something can go on, and what that is.
    fn next_wait(&self) -> Option<(Time, WaitingOn)> {
        let held =
            |id: &StepId| self.plan.step(id).is_some_and(|planned| awaits_search(&self.execution, planned));
        let waiting = self.execution.steps.iter().filter(|(id, _)| !held(id));
        let waits = waiting.filter_map(|(_, run)| match run.state {
            StepState::Waiting { until } => Some((until, WaitingOn::Retry)),
            StepState::Delayed { until } => Some((until, WaitingOn::Delay)),
            StepState::AwaitsChild { .. } => Some((self.now.plus(LONGEST_CHILD), WaitingOn::Child)),
            StepState::Sending
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
        State::Failed { .. }
        | State::Pending
        | State::Running { .. }
        | State::Waiting { .. }
        | State::NeedsReview { .. } => "execution.failed",
    }
}
