//! What becomes of attempts: their outcomes, and what the retry table or a person makes of the step.

use super::Progress;
use crate::digest::Digest;
use crate::execution::decide::Effect;
use crate::execution::{Resolution, StepRun, StepState, TrailEvent};
use crate::ids::StepId;
use crate::outcome::{Attempts, Outcome, RetryPolicy, Verdict, judge};
use crate::plan::Step;

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
}

/// What the retry table asks about a step.
fn facts(planned: &Step, run: &StepRun) -> Attempts {
    let made = u32::try_from(run.attempts.len()).unwrap_or(u32::MAX);
    let policy = RetryPolicy { max_attempts: run.budget, ..planned.retry };
    Attempts { made, idempotent: planned.idempotent, policy, answer: planned.kind.answer() }
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
