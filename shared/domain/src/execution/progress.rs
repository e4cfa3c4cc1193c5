//! The moves that transitions are made of. Each keeps the trail and the due time in step with the state.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::decide::{CHILD_CHECK, Decision, Effect, Moved, Next, Prepared};
use super::ready::{awaits_search, first_closed, ready_steps};
use super::{
    Attempt, Execution, INLINE_REQUEST_BYTES, Lease, Resolution, State, StepRun, StepState, Stop,
    StoredRequest, TrailEvent, WaitingOn,
};
use crate::answer::{self, Answer};
use crate::digest::Digest;
use crate::ids::StepId;
use crate::notification::{number_of, owes_notification};
use crate::outcome::{Attempts, Outcome, RetryPolicy, Verdict, judge};
use crate::plan::{Plan, Step, StepKind};
use crate::request::RenderedRequest;
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

    pub(super) fn insert_run(&mut self, step: &StepId, run: StepRun) {
        self.execution.steps.insert(step.clone(), run);
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
        self.search_again(step);
    }

    /// Stores an outcome on its attempt and moves the step as the retry table says.
    pub(super) fn record(&mut self, step: &StepId, attempt: usize, outcome: Outcome) {
        let seed = Digest::of_bytes(self.execution.attempt_id(step, attempt).as_bytes());
        let (now, summary) = (self.now, summary(&outcome));
        let planned = self.plan.step(step);
        let Some(run) = self.execution.steps.get_mut(step) else {
            return;
        };
        let verdict = match planned {
            Some(planned) => judge(&outcome, facts(planned, run), &seed),
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
        self.search_again(step);
    }

    /// A step that will be sent again is searched for again first, as soon as it may be sent.
    fn search_again(&mut self, step: &StepId) {
        let Some(search) = self.plan.step(step).and_then(|planned| planned.search.as_ref()) else { return };
        let Some(StepState::Waiting { until }) = self.execution.steps.get(step).map(|run| run.state.clone())
        else {
            return;
        };
        let more = self.plan.step(search).map_or(1, |planned| planned.retry.max_attempts);
        if let Some(run) = self.execution.steps.get_mut(search) {
            run.budget = u32::try_from(run.attempts.len()).unwrap_or(u32::MAX).saturating_add(more);
            run.state = StepState::Waiting { until };
        }
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
        self.end_children(next.ended);
        self.skip_closed();
        if self.execution.stop.is_none() && self.blocking_step().is_none() && !self.timed_out() {
            match next.clearance {
                Err(_) if self.all_settled() => {}
                Err(error) => {
                    if !self.any_in_flight() {
                        self.end(State::Failed { error });
                    }
                    return;
                }
                Ok(()) => self.begin_ready(next.prepared),
            }
        }
        self.conclude();
    }

    fn begin_ready(&mut self, mut prepared: BTreeMap<StepId, Prepared>) {
        for step in ready_steps(&self.execution, self.plan, self.now) {
            if !self.has_room() {
                break;
            }
            if let Some(found) = self.found_before(step) {
                self.take_found(&step.id, found);
                self.skip_closed();
                return;
            }
            match (&step.kind, prepared.remove(&step.id)) {
                (StepKind::Webhook(_), brought) => {
                    if !self.begin_call(step, brought) {
                        return;
                    }
                    continue;
                }
                (StepKind::Delay(lasting), _) => self.delay(&step.id, *lasting),
                (StepKind::Condition { .. }, Some(Prepared::Answer(answer))) => self.answer(&step.id, answer),
                (StepKind::Runbook(_), Some(Prepared::Child(Ok(child)))) => {
                    self.start_child(&step.id, *child)
                }
                (StepKind::Runbook(_), Some(Prepared::Child(Err(error)))) => self.fail_inner(&step.id, error),
                (StepKind::Condition { .. } | StepKind::Runbook(_), _) => continue,
            }
            // What such a step decides is stored before anything further begins (C6).
            self.skip_closed();
            return;
        }
    }

    /// What the step's search found of an earlier attempt.
    fn found_before(&self, step: &Step) -> Option<Value> {
        let search = self.execution.steps.get(step.search.as_ref()?)?;
        match search.attempts.last()?.outcome.as_ref()? {
            Outcome::Answered { body, .. } => answer::found(body),
            Outcome::Unsent { .. } | Outcome::Refused { .. } | Outcome::Unknown { .. } => None,
        }
    }

    /// Begins an attempt, if there is a request for it; `false` if that ended the execution.
    fn begin_call(&mut self, step: &Step, brought: Option<Prepared>) -> bool {
        let stored = self.execution.steps.get(&step.id).and_then(|run| run.request.clone());
        let request = match (stored, brought) {
            (Some(stored), _) => Ok(stored),
            (None, Some(Prepared::Request(rendered))) => rendered.map(store_request),
            (None, Some(Prepared::Answer(_) | Prepared::Child(_)) | None) => return true,
        };
        match request {
            Ok(request) => {
                self.begin(step, request);
                true
            }
            Err(error) => {
                self.end(State::Failed { error: format!("step {}: {error}", step.id) });
                false
            }
        }
    }

    /// Steps come after all that leads to them, so each that is skipped here may close others.
    fn skip_closed(&mut self) {
        while let Some((step, because)) = first_closed(&self.execution, self.plan) {
            self.skip(&step, because);
        }
    }

    /// Whether the time of the whole execution is up and something is left to do.
    fn timed_out(&self) -> bool {
        let up = self.execution.deadline(self.plan).is_some_and(|deadline| deadline <= self.now);
        up && !self.all_settled()
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
            request: Some(request),
            attempts: Vec::new(),
            budget: step.retry.max_attempts,
            inner: None,
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
        self.skip_closed();
        if let Some(ended) = self.blocking_step().or_else(|| self.finished()).or_else(|| self.out_of_time()) {
            self.settle(ended);
        } else if ready_steps(&self.execution, self.plan, self.now).is_empty()
            && let Some((until, on)) = self.next_wait()
        {
            self.wait(until, on);
        }
    }

    /// The same after a person's decision, when no worker holds it.
    pub(super) fn conclude_unclaimed(&mut self) {
        self.skip_closed();
        match self.blocking_step().or_else(|| self.finished()) {
            Some(ended) => self.settle(ended),
            None => self.wait_for_worker(),
        }
    }

    pub(super) fn wait_for_worker(&mut self) {
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
            self.due(self.now.plus(super::decide::REVIEW_REMINDER));
            self.execution.state = ended;
            self.notify_if_owed();
        } else {
            self.end(ended);
        }
    }

    /// Said at the one place where an execution ends and the one where it stops for a person, so that nobody forgets it.
    fn notify_if_owed(&mut self) {
        if owes_notification(&self.execution) {
            self.effect(Effect::Notify { number: number_of(&self.execution) });
        }
    }

    /// A step that failed, or whose outcome a person must find out: nothing further begins.
    fn blocking_step(&self) -> Option<State> {
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

    fn all_settled(&self) -> bool {
        let settled = |step: &Step| self.execution.steps.get(&step.id).is_some_and(StepRun::settled);
        self.plan.steps.iter().all(settled)
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

    /// The last transition. The audit entry anchors the trail.
    pub(super) fn end(&mut self, state: State) {
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
        self.search_again(step);
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

/// How long a step waits for another execution if the plan sets no time: as long as the longest delay.
const LONGEST_CHILD: Duration = Duration::from_hours(30 * 24);

fn store_request(request: RenderedRequest) -> StoredRequest {
    let bytes = serde_json::to_string(&request).map_or(0, |text| text.len());
    if bytes > INLINE_REQUEST_BYTES {
        StoredRequest::Beside { digest: request.digest(), bytes }
    } else {
        StoredRequest::Inline(request)
    }
}

/// What the retry table asks about a step.
fn facts(planned: &Step, run: &StepRun) -> Attempts {
    let made = u32::try_from(run.attempts.len()).unwrap_or(u32::MAX);
    let policy = RetryPolicy { max_attempts: run.budget, ..planned.retry };
    let answer = match &planned.kind {
        StepKind::Webhook(call) => call.answer,
        StepKind::Condition { .. } | StepKind::Delay(_) | StepKind::Runbook(_) => Answer::Status,
    };
    Attempts { made, idempotent: planned.idempotent, policy, answer }
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
