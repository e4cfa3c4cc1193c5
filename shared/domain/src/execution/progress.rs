//! The moves that transitions are made of. Each keeps the trail and the due time in step with the state.

use std::collections::BTreeMap;
use std::time::Duration;

use super::decide::{Decision, Effect, Moved, Next};
use super::{
    Attempt, Execution, INLINE_REQUEST_BYTES, Lease, Resolution, State, StepRun, StepState, Stop,
    StoredRequest, TrailEvent, WaitingOn,
};
use crate::digest::Digest;
use crate::ids::StepId;
use crate::outcome::{Attempts, Outcome, Verdict, judge};
use crate::plan::{Plan, Step};
use crate::request::RenderedRequest;
use crate::time::Time;

/// An execution on its way from one stored state to the next.
pub(super) struct Progress<'a> {
    execution: Execution,
    plan: &'a Plan,
    now: Time,
    effects: Vec<Effect>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(execution: &Execution, plan: &'a Plan, now: Time) -> Self {
        Self { execution: execution.clone(), plan, now, effects: Vec::new() }
    }

    pub(super) fn moved(self) -> Decision {
        Decision::Moved(Box::new(Moved { to: self.execution, effects: self.effects }))
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

    /// Attempts whose answer nobody will store: their outcome is unknown, and the retry table decides.
    pub(super) fn give_up_in_flight(&mut self, reason: &str) {
        let in_flight: Vec<(StepId, usize)> = self
            .execution
            .steps
            .iter()
            .filter(|(_, run)| run.in_flight())
            .map(|(step, run)| (step.clone(), run.attempts.len()))
            .collect();
        for (step, attempt) in in_flight {
            self.record(&step, attempt, Outcome::Unknown { reason: reason.to_owned() });
            self.skip_wait(&step);
        }
    }

    /// A step that lost its worker has waited long enough already.
    fn skip_wait(&mut self, step: &StepId) {
        let now = self.now;
        if let Some(run) = self.execution.steps.get_mut(step)
            && let StepState::Waiting { until } = &mut run.state
        {
            *until = now;
        }
    }

    /// Stores an outcome on its attempt and moves the step as the retry table says.
    pub(super) fn record(&mut self, step: &StepId, attempt: usize, outcome: Outcome) {
        let seed = Digest::of_bytes(self.execution.attempt_id(step, attempt).as_bytes());
        let (now, summary) = (self.now, summary(&outcome));
        let facts = self.plan.step(step).map(|planned| (planned.idempotent, planned.retry));
        let Some(run) = self.execution.steps.get_mut(step) else {
            return;
        };
        let verdict = match facts {
            Some((idempotent, retry)) => {
                let policy = crate::outcome::RetryPolicy { max_attempts: run.budget, ..retry };
                let made = u32::try_from(run.attempts.len()).unwrap_or(u32::MAX);
                judge(&outcome, Attempts { made, idempotent, policy }, &seed)
            }
            None => Verdict::Failed("the plan has no such step".into()),
        };
        if let Some(made) = attempt.checked_sub(1).and_then(|index| run.attempts.get_mut(index)) {
            made.ended_at = Some(now);
            made.outcome = Some(outcome);
        }
        run.state = match verdict {
            Verdict::Succeeded => StepState::Succeeded,
            Verdict::Retry(wait) => StepState::Waiting { until: now.plus(wait) },
            Verdict::Failed(error) => StepState::Failed { error },
            Verdict::Review(reason) => StepState::NeedsReview { reason },
        };
        self.trail(TrailEvent::Outcome { step: step.clone(), attempt, outcome: summary });
    }

    /// What became known too late to decide anything is still kept on the attempt (INVARIANTS B7).
    pub(super) fn record_late(&mut self, step: &StepId, attempt: usize, outcome: Outcome) {
        let summary = summary(&outcome);
        let run = self.execution.steps.get_mut(step);
        if let Some(made) = run.and_then(|run| run.attempts.get_mut(attempt.saturating_sub(1))) {
            made.late = Some(outcome);
        }
        self.trail(TrailEvent::Late { step: step.clone(), attempt, outcome: summary });
        // The audit log's last entry anchored a shorter trail; this one anchors what it has become.
        self.effect(Effect::Audit { action: "execution.late_outcome", actor: None, reason: None });
    }

    /// Begins what may begin, or stores why nothing more will.
    pub(super) fn begin_or_conclude(&mut self, next: Next) {
        if self.execution.stop.is_none() && self.blocking_step().is_none() {
            match next.clearance {
                Err(_) if self.all_succeeded() => {}
                Err(error) => {
                    if !self.any_in_flight() {
                        self.end(State::Failed { error });
                    }
                    return;
                }
                Ok(()) => self.begin_ready(next.requests),
            }
        }
        self.conclude();
    }

    fn begin_ready(&mut self, mut requests: BTreeMap<StepId, Result<RenderedRequest, String>>) {
        for step in ready_steps(&self.execution, self.plan, self.now) {
            if !self.has_room() {
                break;
            }
            let stored = self.execution.steps.get(&step.id).map(|run| run.request.clone());
            let request = match (stored, requests.remove(&step.id)) {
                (Some(stored), _) => Ok(stored),
                (None, Some(rendered)) => rendered.map(store_request),
                (None, None) => continue,
            };
            match request {
                Ok(request) => self.begin(step, request),
                Err(error) => {
                    self.end(State::Failed { error: format!("step {}: {error}", step.id) });
                    return;
                }
            }
        }
    }

    /// Stores the intent of an attempt; sending it is an effect.
    fn begin(&mut self, step: &Step, request: StoredRequest) {
        let digest = request.digest();
        let attempt = Attempt {
            epoch: self.execution.epoch,
            started_at: self.now,
            ended_at: None,
            outcome: None,
            late: None,
            resolution: None,
        };
        let run = self.execution.steps.entry(step.id.clone()).or_insert_with(|| StepRun {
            state: StepState::Sending,
            request,
            attempts: Vec::new(),
            budget: step.retry.max_attempts,
        });
        run.state = StepState::Sending;
        run.attempts.push(attempt);
        let number = run.attempts.len();
        self.trail(TrailEvent::Intent { step: step.id.clone(), attempt: number, request: digest });
        self.effect(Effect::Send { step: step.id.clone(), attempt: number });
    }

    /// The state that the steps add up to, while a worker holds the execution.
    pub(super) fn conclude(&mut self) {
        if self.any_in_flight() || self.execution.status().is_terminal() {
            return;
        }
        if !matches!(self.execution.state, State::Running { .. }) {
            return;
        }
        if let Some(ended) = self.blocking_step().or_else(|| self.finished()) {
            self.settle(ended);
        } else if ready_steps(&self.execution, self.plan, self.now).is_empty()
            && let Some(until) = self.next_retry()
        {
            self.wait(until, WaitingOn::Retry);
        }
    }

    /// The same after a person's decision, when no worker holds it.
    pub(super) fn conclude_unclaimed(&mut self) {
        match self.blocking_step().or_else(|| self.finished()) {
            Some(ended) => self.settle(ended),
            None => self.wait_for_worker(),
        }
    }

    pub(super) fn wait_for_worker(&mut self) {
        self.wait(self.now, WaitingOn::Worker);
    }

    fn wait(&mut self, until: Time, on: WaitingOn) {
        self.execution.state = State::Waiting { until, on };
        self.due(until.plus(RETRY_GRACE));
        self.trail(TrailEvent::Waiting { until });
        self.effect(Effect::Nudge { at: until });
    }

    fn settle(&mut self, ended: State) {
        if let State::NeedsReview { step, .. } = &ended {
            self.trail(TrailEvent::NeedsReview { step: step.clone() });
            self.effect(Effect::Audit { action: "execution.needs_review", actor: None, reason: None });
            self.due(self.now.plus(super::decide::REVIEW_REMINDER));
            self.execution.state = ended;
        } else {
            self.end(ended);
        }
    }

    /// A step that failed, or whose outcome a person must find out: nothing further begins.
    fn blocking_step(&self) -> Option<State> {
        self.execution.steps.iter().find_map(|(id, run)| match &run.state {
            StepState::Failed { error } => Some(State::Failed { error: error.clone() }),
            StepState::NeedsReview { reason } => {
                Some(State::NeedsReview { step: id.clone(), reason: reason.clone() })
            }
            StepState::Sending | StepState::Waiting { .. } | StepState::Succeeded => None,
        })
    }

    fn finished(&self) -> Option<State> {
        if self.all_succeeded() {
            return Some(State::Succeeded);
        }
        self.execution.stop.as_ref().map(|stop| State::Cancelled { reason: stop.reason.clone() })
    }

    fn all_succeeded(&self) -> bool {
        self.plan.steps.iter().all(|step| succeeded(&self.execution, &step.id))
    }

    fn next_retry(&self) -> Option<Time> {
        let waits = self.execution.steps.values().filter_map(|run| match run.state {
            StepState::Waiting { until } => Some(until),
            StepState::Sending
            | StepState::Succeeded
            | StepState::Failed { .. }
            | StepState::NeedsReview { .. } => None,
        });
        waits.min()
    }

    /// The last transition. The audit entry anchors the trail.
    pub(super) fn end(&mut self, state: State) {
        self.execution.state = state;
        self.execution.ended_at = Some(self.now);
        self.execution.due_at = None;
        let status = self.execution.status();
        self.trail(TrailEvent::Ended { status });
        let told = |effect: &Effect| matches!(effect, Effect::Audit { action: "execution.cancelled", .. });
        if !self.effects.iter().any(told) {
            let action = end_action(&self.execution.state);
            self.effect(Effect::Audit { action, actor: None, reason: None });
        }
    }

    pub(super) fn request_stop(&mut self, stop: Stop) {
        self.trail(TrailEvent::StopRequested { by: stop.by.clone(), reason: stop.reason.clone() });
        self.execution.stop = Some(stop);
    }

    /// Applies what a person found out about the step's last attempt.
    pub(super) fn resolve(&mut self, step: &StepId, resolution: Resolution) {
        let now = self.now;
        let more = self.plan.step(step).map_or(1, |planned| planned.retry.max_attempts);
        let Some(run) = self.execution.steps.get_mut(step) else {
            return;
        };
        if let Some(attempt) = run.attempts.last_mut() {
            attempt.resolution = Some(resolution);
        }
        run.state = match resolution {
            Resolution::Happened => StepState::Succeeded,
            Resolution::Resend => {
                run.budget = u32::try_from(run.attempts.len()).unwrap_or(u32::MAX).saturating_add(more);
                StepState::Waiting { until: now }
            }
        };
    }

    pub(super) fn abandon(&mut self, reason: &str) {
        match self.blocking_step() {
            Some(ended) => self.settle(ended),
            None => self.end(State::Failed { error: reason.to_owned() }),
        }
    }
}

/// How long after a wait ends the sweeper steps in, should the nudge be lost.
const RETRY_GRACE: Duration = Duration::from_secs(1);

/// Steps that may start an attempt now, in the plan's order.
pub fn ready_steps<'p>(execution: &Execution, plan: &'p Plan, now: Time) -> Vec<&'p Step> {
    let ready = |step: &&Step| match execution.steps.get(&step.id) {
        None => step.needs.iter().all(|need| succeeded(execution, need)),
        Some(run) => matches!(run.state, StepState::Waiting { until } if until <= now),
    };
    plan.steps.iter().filter(ready).collect()
}

fn succeeded(execution: &Execution, step: &StepId) -> bool {
    execution.steps.get(step).is_some_and(|run| run.state == StepState::Succeeded)
}

fn store_request(request: RenderedRequest) -> StoredRequest {
    let bytes = serde_json::to_string(&request).map_or(0, |text| text.len());
    if bytes > INLINE_REQUEST_BYTES {
        StoredRequest::Beside { digest: request.digest(), bytes }
    } else {
        StoredRequest::Inline(request)
    }
}

/// An outcome in a word, for the trail.
fn summary(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Unsent { .. } => "unsent".into(),
        Outcome::Refused { .. } => "refused".into(),
        Outcome::Answered { status, .. } => status.to_string(),
        Outcome::Unknown { .. } => "unknown".into(),
    }
}

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
