//! Beginning what may begin.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Progress;
use crate::answer;
use crate::execution::decide::{Effect, Next, Prepared};
use crate::execution::ready::ready_steps;
use crate::execution::{Attempt, INLINE_REQUEST_BYTES, State, StepRun, StepState, StoredRequest, TrailEvent};
use crate::ids::StepId;
use crate::outcome::Outcome;
use crate::plan::{Step, StepKind};
use crate::request::RenderedRequest;

impl Progress<'_> {
    /// Begins what may begin, or stores why nothing more will.
    pub(in crate::execution) fn begin_or_conclude(&mut self, next: Next) {
        if !next.ended.is_empty() {
            self.end_children(next.ended);
            self.skip_closed();
        }
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
}

fn store_request(request: RenderedRequest) -> StoredRequest {
    let bytes = serde_json::to_string(&request).map_or(0, |text| text.len());
    if bytes > INLINE_REQUEST_BYTES {
        StoredRequest::Beside { digest: request.digest(), bytes }
    } else {
        StoredRequest::Inline(request)
    }
}
