//! Beginning what may begin.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::Progress;
use crate::answer;
use crate::digest::Digest;
use crate::execution::decide::{Effect, Hold, Next, Prepared};
use crate::execution::ready::{GatePass, is_ready, ready_steps};
use crate::execution::{
    Attempt, INLINE_REQUEST_BYTES, SkipCause, State, StepRun, StepState, StoredRequest, TrailEvent, WaitingOn,
};
use crate::ids::StepId;
use crate::outcome::Outcome;
use crate::plan::{Jump, Step, StepKind};
use crate::request::RenderedRequest;

/// Whether more may begin in the same transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Go {
    On,
    /// What was decided is stored before anything further begins (C6).
    Rest,
}

impl Progress<'_> {
    /// Begins what may begin, or stores why nothing more will.
    pub(in crate::execution) fn begin_or_conclude(&mut self, next: Next) {
        self.end_children(next.ended);
        self.end_gates(next.gates);
        self.skip_closed();
        if self.may_begin() {
            if let Some(admission) = next.admission.filter(|_| next.clearance.is_ok()) {
                self.execution.admission = admission;
            }
            match (next.clearance, next.hold) {
                (Err(_), _) | (_, Some(Hold::Refused(_))) if self.all_over() => {}
                (Err(error), _) => {
                    if !self.any_in_flight() {
                        self.end(State::Failed { error });
                    }
                    return;
                }
                (Ok(()), Some(Hold::Refused(error))) if !self.any_in_flight() => {
                    return self.end(State::Failed { error });
                }
                (Ok(()), Some(Hold::GivenUp(error))) if !self.any_in_flight() => {
                    self.trail(TrailEvent::GaveUp { because: error.clone() });
                    return self.end(State::Failed { error });
                }
                (Ok(()), Some(Hold::Until(until))) if !self.any_in_flight() => {
                    return self.wait(until, WaitingOn::Lease);
                }
                (Ok(()), Some(_)) => return,
                (Ok(()), None) => {
                    self.pass_freeze(next.pass);
                    self.begin_ready(next.prepared);
                }
            }
        }
        self.conclude();
    }

    /// Looks for its turn again, without a new epoch: it may do so for days. `false`: there is something else to do.
    pub(in crate::execution) fn stays_in_line(&mut self, next: &Next) -> bool {
        let (State::Waiting { on: WaitingOn::Lease, .. }, Some(Hold::Until(until)), Ok(())) =
            (&self.execution.state, &next.hold, &next.clearance)
        else {
            return false;
        };
        if !self.may_begin() {
            return false;
        }
        self.wait_again(*until, WaitingOn::Lease);
        if let Some(admission) = &next.admission {
            self.execution.admission = admission.clone();
        }
        true
    }

    fn may_begin(&self) -> bool {
        let execution = self.execution();
        if execution.pause.is_some() {
            return false;
        }
        if execution.unwinding.is_some() {
            return !self.killed();
        }
        let unusual = self.stopping_anomaly().is_some();
        execution.stop.is_none() && self.blocking_step().is_none() && !self.timed_out() && !unusual
    }

    fn begin_ready(&mut self, mut prepared: BTreeMap<StepId, Prepared>) {
        let ready = ready_steps(&self.execution, self.plan, self.now);
        if self.any_differs(&ready, &prepared) {
            return;
        }
        for step in ready {
            if !self.has_room() {
                break;
            }
            // What began a moment ago may have taken the last place of a group.
            let fresh = !step.id.is_undo() && !is_ready(&self.execution, self.plan, step, self.now);
            if fresh {
                continue;
            }
            match self.begin_step(step, prepared.remove(&step.id)) {
                Go::On => {}
                Go::Rest => return,
            }
        }
    }

    /// Whether one of the ready steps would send something else than what was decided about: then its gates are void, and that is
    /// stored before any step that they bind begins or is tried again.
    fn any_differs(&mut self, ready: &[&Step], prepared: &BTreeMap<StepId, Prepared>) -> bool {
        let mut differs = false;
        for step in ready.iter().filter(|step| !step.gates.is_empty()) {
            let stored = self.execution.steps.get(&step.id).and_then(|run| run.request.as_ref());
            let sends = stored.map(StoredRequest::digest).or_else(|| prepared.get(&step.id)?.sends());
            differs |= sends.is_some_and(|sends| !self.is_as_decided(step, &sends));
        }
        differs
    }

    fn begin_step(&mut self, step: &Step, brought: Option<Prepared>) -> Go {
        if let Some(found) = self.found_before(step) {
            self.take_found(&step.id, found);
            return Go::Rest;
        }
        if let Some(shut) = step.gates.iter().find(|gate| self.execution.gate_pass(gate) == GatePass::Shut) {
            let error = format!("the approval {shut}, which binds it, was not given");
            return self.fail(step, error);
        }
        match (&step.kind, brought) {
            (_, Some(Prepared::Unwanted { rule })) => {
                self.skip(&step.id, SkipCause::RuleNotMet { rule });
                Go::Rest
            }
            (_, Some(Prepared::Impossible(error))) => self.fail(step, error),
            (StepKind::Webhook(_), brought) => self.begin_call(step, brought),
            (StepKind::Delay(lasting), _) => self.begin_delay(step, *lasting),
            (StepKind::Condition { .. }, Some(Prepared::Answer(answer))) => {
                self.answer(&step.id, answer);
                Go::Rest
            }
            (StepKind::Check(rule), Some(Prepared::Answer(holds))) => {
                self.check(&step.id, holds, rule.text());
                Go::Rest
            }
            (StepKind::Branch(_), Some(Prepared::Way(jump))) => self.begin_branch(step, &jump),
            (StepKind::Approval(_), Some(Prepared::Ask(ask))) => {
                self.ask(&step.id, *ask);
                Go::On
            }
            (StepKind::Approval(_), Some(Prepared::NotDemanded)) => {
                self.demand_nothing(&step.id);
                Go::Rest
            }
            (StepKind::Runbook(_), Some(Prepared::Child(Ok(child)))) => {
                self.start_child(&step.id, *child);
                Go::Rest
            }
            (StepKind::Runbook(_), Some(Prepared::Child(Err(error)))) => self.fail(step, error),
            (
                StepKind::Condition { .. }
                | StepKind::Runbook(_)
                | StepKind::Check(_)
                | StepKind::Branch(_)
                | StepKind::Approval(_),
                _,
            ) => Go::On,
        }
    }

    fn fail(&mut self, step: &Step, error: String) -> Go {
        self.fail_inner(&step.id, error);
        Go::Rest
    }

    fn begin_delay(&mut self, step: &Step, lasting: Duration) -> Go {
        self.delay(&step.id, lasting);
        Go::Rest
    }

    fn begin_branch(&mut self, step: &Step, jump: &Jump) -> Go {
        self.branch(&step.id, jump);
        Go::Rest
    }

    /// What the step's search found of an earlier attempt.
    fn found_before(&self, step: &Step) -> Option<Value> {
        let search = self.execution.steps.get(step.search.as_ref()?)?;
        match search.attempts.last()?.outcome.as_ref()? {
            Outcome::Answered { body, .. } => answer::found(body),
            Outcome::Unsent { .. } | Outcome::Refused { .. } | Outcome::Unknown { .. } => None,
        }
    }

    /// Begins an attempt, if there is a request for it. What takes the step back is stored in the same transition.
    fn begin_call(&mut self, step: &Step, brought: Option<Prepared>) -> Go {
        if self.callback_lapsed(step) {
            return self.fail(step, "the receiver did not call back in time".into());
        }
        let stored = self.execution.steps.get(&step.id).and_then(|run| run.request.clone());
        let (request, undo) = match (stored, brought) {
            (Some(stored), _) => (stored, None),
            (None, Some(Prepared::Request(Ok(request)))) => (store_request(request), None),
            (None, Some(Prepared::Undoable { request, undo })) => (store_request(request), Some(undo)),
            (None, Some(Prepared::Request(Err(error)))) => {
                return self.fail(step, format!("step {}: {error}", step.id));
            }
            (None, _) => return Go::On,
        };
        if let Some(undo) = undo {
            self.arm(&step.id.undo(), undo);
        }
        self.begin(step, request);
        Go::On
    }

    fn callback_lapsed(&self, step: &Step) -> bool {
        let run = self.execution.steps.get(&step.id);
        run.is_some_and(|run| matches!(run.state, StepState::AwaitsCallback { .. }))
    }

    /// Stores what takes a step back, before the step begins (D6).
    fn arm(&mut self, undo: &StepId, request: RenderedRequest) {
        let request = store_request(request);
        let digest = request.digest();
        let budget = self.plan.step(undo).map_or(1, |planned| planned.retry.max_attempts);
        let armed = StepRun { request: Some(request), budget, ..StepRun::of_state(StepState::Armed) };
        self.insert_run(undo, armed);
        self.trail(TrailEvent::Armed { step: undo.clone(), request: digest });
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
        if !self.execution.steps.contains_key(&step.id) {
            let begun = StepRun {
                request: Some(request),
                budget: step.retry.max_attempts,
                ..StepRun::of_state(StepState::Sending)
            };
            self.insert_run(&step.id, begun);
        }
        let Some(run) = self.execution.steps.get_mut(&step.id) else { return };
        run.state = StepState::Sending;
        run.attempts.push(attempt);
        let number = run.attempts.len();
        self.trail(TrailEvent::Intent { step: step.id.clone(), attempt: number, request: digest });
        self.effect(Effect::Send { step: step.id.clone(), attempt: number });
    }
}

impl crate::execution::Execution {
    /// What a decision binds of an execution that a step starts: what it runs, with which parameters.
    pub fn subject(&self) -> Digest {
        Digest::of_json(&serde_json::json!({"runs": self.pinned, "parameters": self.parameters}))
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
