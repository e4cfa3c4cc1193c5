//! What becomes of attempts: their outcomes, and what the retry table or a person makes of the step.

use serde_json::{Value, json};

use super::Progress;
use crate::digest::Digest;
use crate::execution::decide::Effect;
use crate::execution::{CalledBack, Resolution, StepRun, StepState, TrailEvent};
use crate::ids::StepId;
use crate::outcome::{Attempts, Outcome, Verdict, judge, retry_or_fail};
use crate::plan::Step;
use crate::template::walk;
use crate::time::Time;

impl Progress<'_> {
    /// Stores an outcome on its attempt and moves the step as the retry table says.
    pub(in crate::execution) fn record(&mut self, step: &StepId, attempt: usize, outcome: Outcome) {
        let seed = Digest::of_bytes(self.execution.attempt_id(step, attempt).as_bytes());
        let (now, summary) = (self.now, summary(&outcome));
        let planned = self.plan.step(step);
        let Some(run) = self.execution.steps.get_mut(step) else {
            return;
        };
        let verdict = match planned {
            Some(planned) => {
                expected(planned, run, &outcome, judge(&outcome, facts(planned, run), &seed), &seed)
            }
            None => Verdict::Failed("the plan has no such step".into()),
        };
        let kept = planned.filter(|_| verdict == Verdict::Succeeded).map(|planned| kept(planned, &outcome));
        run.outputs.extend(kept.into_iter().flatten());
        if let Some(made) = attempt.checked_sub(1).and_then(|index| run.attempts.get_mut(index)) {
            made.ended_at = Some(now);
            made.outcome = Some(outcome);
        }
        let succeeded = verdict == Verdict::Succeeded;
        run.state = match verdict {
            Verdict::Succeeded => taken(planned, run, now),
            // Whoever said that it is done is neither asked again nor doubted.
            Verdict::Retry(wait) => told(run).unwrap_or(StepState::Waiting { until: now.plus(wait) }),
            Verdict::Review(reason) => told(run).unwrap_or(StepState::NeedsReview { reason }),
            Verdict::Failed(error) => StepState::Failed { error },
        };
        self.trail(TrailEvent::Outcome { step: step.clone(), attempt, outcome: summary });
        if succeeded {
            self.compare(step, attempt);
        }
        self.search_again(step);
    }

    /// The receiver of a call says that it is done. It may say so before its answer to the call is stored. `false`: the step does
    /// not wait for that, or not any more.
    pub(in crate::execution) fn call_back(&mut self, step: &StepId, back: CalledBack) -> bool {
        let fresh = self.inner_run();
        let Some(run) = self.execution.steps.get_mut(step) else { return false };
        let earlier = run.inner.as_ref().and_then(|inner| inner.called_back.as_ref());
        let settles = match run.state {
            StepState::Sending if earlier.is_none() => false,
            StepState::AwaitsCallback { .. } | StepState::Waiting { .. } => true,
            StepState::Sending
            | StepState::Delayed { .. }
            | StepState::AwaitsChild { .. }
            | StepState::AwaitsApproval { .. }
            | StepState::Void
            | StepState::Armed
            | StepState::Succeeded
            | StepState::Skipped { .. }
            | StepState::Failed { .. }
            | StepState::NeedsReview { .. } => return false,
        };
        if settles {
            run.state = back.state();
        }
        let error = back.error.clone();
        run.inner.get_or_insert(fresh).called_back = Some(back);
        self.trail(TrailEvent::CalledBack { step: step.clone(), error });
        true
    }

    /// What became known too late to decide anything is still kept on the attempt (INVARIANTS B7).
    pub(in crate::execution) fn record_late(&mut self, step: &StepId, attempt: usize, outcome: Outcome) {
        let summary = summary(&outcome);
        let run = self.execution.steps.get_mut(step);
        if let Some(made) = run.and_then(|run| run.attempts.get_mut(attempt.saturating_sub(1))) {
            made.late = Some(outcome);
        }
        self.trail(TrailEvent::Late { step: step.clone(), attempt, outcome: summary });
        // The audit log's last entry anchored a shorter trail; this one anchors what it has become.
        self.effect(Effect::Audit { action: "execution.late_outcome", actor: None, reason: None });
    }

    /// Attempts whose answer nobody will store: their outcome is unknown, and the retry table decides.
    pub(in crate::execution) fn give_up_in_flight(&mut self, reason: &str) {
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

    /// Applies what a person found out about the step's last attempt.
    pub(in crate::execution) fn resolve(&mut self, step: &StepId, resolution: Resolution) {
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

    /// A person wants an undo to be sent again.
    pub(in crate::execution) fn resend(&mut self, undo: &StepId) {
        let now = self.now;
        let more = self.plan.step(undo).map_or(1, |planned| planned.retry.max_attempts);
        let Some(run) = self.execution.steps.get_mut(undo) else { return };
        run.budget = u32::try_from(run.attempts.len()).unwrap_or(u32::MAX).saturating_add(more);
        run.state = StepState::Waiting { until: now };
    }
}

impl CalledBack {
    fn state(&self) -> StepState {
        match &self.error {
            None => StepState::Succeeded,
            Some(error) => StepState::Failed { error: format!("the receiver called back: {error}") },
        }
    }
}

/// The receiver took the call: the step has succeeded, unless the receiver will say when it is done.
fn taken(planned: Option<&Step>, run: &StepRun, now: Time) -> StepState {
    let Some(patience) = planned.and_then(|planned| planned.callback) else { return StepState::Succeeded };
    told(run).unwrap_or(StepState::AwaitsCallback { until: now.plus(patience) })
}

/// What the receiver made of the step by calling back before its answer was stored.
fn told(run: &StepRun) -> Option<StepState> {
    run.inner.as_ref()?.called_back.as_ref().map(CalledBack::state)
}

/// What becomes of a success whose answer is not as expected: a step that polls asks again.
fn expected(planned: &Step, run: &StepRun, outcome: &Outcome, verdict: Verdict, seed: &Digest) -> Verdict {
    let (Verdict::Succeeded, Some(rule)) = (&verdict, &planned.expect) else { return verdict };
    let why = match rule.holds(&json!({"response": answer_of(outcome)})) {
        Ok(true) => return verdict,
        Ok(false) => format!("the answer is not as expected: {}", rule.text()),
        Err(error) => format!("the answer is not as expected: {}: {error}", rule.text()),
    };
    if planned.polls { retry_or_fail(facts(planned, run), None, seed, &why) } else { Verdict::Failed(why) }
}

/// The answer as rules and outputs see it: `statusCode`, and `body`, parsed if it is JSON.
fn answer_of(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Answered { status, body, .. } => {
            let body = serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.clone()));
            json!({"statusCode": status, "body": body})
        }
        Outcome::Unsent { .. } | Outcome::Refused { .. } | Outcome::Unknown { .. } => json!({}),
    }
}

/// The longest output, in bytes of JSON; a longer one is left out.
pub(super) const MAX_OUTPUT_BYTES: usize = 1_024;

/// What the step keeps of its answer. What is not there, or is too long, is not kept.
fn kept(planned: &Step, outcome: &Outcome) -> Vec<(String, Value)> {
    if planned.outputs.is_empty() {
        return Vec::new();
    }
    let answer = answer_of(outcome);
    let found = |(name, path): &(String, String)| {
        let value = walk(&answer, path.split('.'))?;
        (value.to_string().len() <= MAX_OUTPUT_BYTES).then(|| (name.clone(), value.clone()))
    };
    planned.outputs.iter().filter_map(found).collect()
}

/// What the retry table asks about a step. Once a person has sent it again, neither the attempts before count nor their waits.
fn facts(planned: &Step, run: &StepRun) -> Attempts {
    let before = run.budget.saturating_sub(planned.retry.max_attempts);
    let made = u32::try_from(run.attempts.len()).unwrap_or(u32::MAX).saturating_sub(before);
    let (idempotent, policy, answer) = (planned.idempotent, planned.retry, planned.kind.answer());
    Attempts { made, idempotent, policy, answer }
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
