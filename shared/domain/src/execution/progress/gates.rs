//! Approval steps: asking people, what they decided, and what makes a decision void.

use std::time::Duration;

use super::Progress;
use crate::digest::Digest;
use crate::execution::decide::{Ask, Effect, GateEnd, GateVerdict};
use crate::execution::{GateRun, InnerRun, SkipCause, StepState, TrailEvent};
use crate::ids::StepId;
use crate::plan::Step;

impl Progress<'_> {
    /// Asks people, for the first time or again.
    pub(in crate::execution) fn ask(&mut self, step: &StepId, ask: Ask) {
        let Ask { subject, bindings, expires_in } = ask;
        let before = self.execution.steps.get(step).and_then(|run| run.inner.as_ref());
        let round =
            before.and_then(|inner| inner.gate.as_ref()).map_or(1, |gate| gate.round.saturating_add(1));
        let until = self.now.plus(expires_in);
        let inner = InnerRun { gate: Some(GateRun { round, subject, bindings }), ..self.inner_run() };
        self.insert(step, StepState::AwaitsApproval { until }, inner);
        self.trail(TrailEvent::Asked { step: step.clone(), round, subject, until });
        self.effect(Effect::Ask { step: step.clone(), round });
    }

    pub(in crate::execution) fn demand_nothing(&mut self, step: &StepId) {
        self.skip(step, SkipCause::NotDemanded);
    }

    /// What people decided, as the ledger has it.
    pub(in crate::execution) fn end_gates(&mut self, ended: Vec<GateEnd>) {
        for GateEnd { step, round, verdict } in ended {
            if !self.awaits_round(&step, round) {
                continue;
            }
            let word = verdict.word();
            self.trail(TrailEvent::Decided { step: step.clone(), round, verdict: word.clone() });
            self.effect(Effect::Audit { action: "execution.gate_ended", actor: None, reason: Some(word) });
            let now = self.now;
            let Some(run) = self.execution.steps.get_mut(&step) else { continue };
            let over = !matches!(verdict, GateVerdict::Longer { .. });
            run.state = match verdict {
                GateVerdict::Longer { until } => StepState::AwaitsApproval { until },
                GateVerdict::Approved => StepState::Succeeded,
                GateVerdict::Void(_) => StepState::Void,
                GateVerdict::Rejected { by, reason } => {
                    let said = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                    StepState::Failed { error: format!("rejected by {by}{said}") }
                }
                GateVerdict::Expired => StepState::Failed { error: "the approval expired".into() },
            };
            if let Some(inner) = run.inner.as_mut().filter(|_| over) {
                inner.ended_at = Some(now);
            }
        }
    }

    fn awaits_round(&self, step: &StepId, round: u32) -> bool {
        let Some(run) = self.execution.steps.get(step) else { return false };
        let asked = run.inner.as_ref().and_then(|inner| inner.gate.as_ref()).map(|gate| gate.round);
        matches!(run.state, StepState::AwaitsApproval { .. }) && asked == Some(round)
    }

    /// Whether what a step would send is what was decided about. If it is not, every gate that bound it is void and asks again.
    pub(in crate::execution) fn is_as_decided(&mut self, step: &Step, request: &Digest) -> bool {
        let gates: Vec<StepId> =
            step.gates.iter().filter(|gate| self.differs(gate, &step.id, request)).cloned().collect();
        for gate in &gates {
            self.void(
                gate,
                format!("step {} would send something else than what was decided about", step.id),
            );
        }
        gates.is_empty()
    }

    fn differs(&self, gate: &StepId, step: &StepId, request: &Digest) -> bool {
        let inner = self.execution.steps.get(gate).and_then(|run| run.inner.as_ref());
        let bound = inner.and_then(|inner| inner.gate.as_ref()).and_then(|gate| gate.bindings.get(step));
        bound.is_some_and(|bound| bound != request)
    }

    fn void(&mut self, gate: &StepId, because: String) {
        let Some(run) = self.execution.steps.get_mut(gate) else { return };
        run.state = StepState::Void;
        let round = run.inner.as_ref().and_then(|inner| inner.gate.as_ref()).map_or(0, |gate| gate.round);
        self.trail(TrailEvent::Voided { step: gate.clone(), round, because: because.clone() });
        self.effect(Effect::Audit { action: "execution.approval_void", actor: None, reason: Some(because) });
    }

    /// Waits that are bounded for people's sake go on for as long as the execution was paused.
    pub(in crate::execution) fn lengthen_waits(&mut self, by: Duration) {
        for run in self.execution.steps.values_mut() {
            if let StepState::AwaitsApproval { until } | StepState::AwaitsCallback { until } = &mut run.state
            {
                *until = until.plus(by);
            }
        }
    }
}
