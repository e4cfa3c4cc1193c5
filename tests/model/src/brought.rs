//! What a worker brings to a transition: the guard's answer, requests, what people decided.

use std::collections::BTreeMap;
use std::time::Duration;

use muster_domain::digest::Digest;
use muster_domain::execution::decide::{Ask, GateEnd, GateVerdict, Next, Prepared};
use muster_domain::execution::{Execution, StepState, ready_steps};
use muster_domain::ids::StepId;
use muster_domain::plan::{Gate, Jump, Step, StepKind};

use crate::mutant::Mutant;
use crate::people::person;
use crate::plans::request;
use crate::protocol::Protocol;
use crate::world::{Said, World};

/// How long people have.
pub(crate) const TIME_TO_DECIDE: Duration = Duration::from_secs(3_600);

impl Protocol {
    pub(crate) fn brought(&self, world: &World, execution: &Execution) -> Next {
        let clearance = if world.halted { Err("halted".to_owned()) } else { Ok(()) };
        let ready = ready_steps(execution, &self.scenario.plan, world.now).into_iter();
        let fresh = ready.filter(|step| is_fresh(execution, step));
        let prepared = fresh.map(|step| (step.id.clone(), self.prepared(execution, step, world.changed)));
        Next {
            clearance,
            prepared: prepared.collect(),
            gates: self.gate_ends(world, execution),
            ..Next::nothing()
        }
    }

    /// What people decided at the gates that the execution waits for.
    pub(crate) fn gate_ends(&self, world: &World, execution: &Execution) -> Vec<GateEnd> {
        let ends = execution.open_gates().filter_map(|(gate, _)| {
            let asked = world.asked.get(gate)?;
            let verdict = match asked.said? {
                Said::Approved => GateVerdict::Approved,
                Said::Rejected => GateVerdict::Rejected { by: person(), reason: String::new() },
                Said::Expired => GateVerdict::Expired,
                Said::Withdrawn => GateVerdict::Void("taken back".into()),
            };
            Some(GateEnd { step: gate.clone(), round: asked.round, verdict })
        });
        ends.collect()
    }

    pub(crate) fn prepared(&self, execution: &Execution, step: &Step, changed: bool) -> Prepared {
        match &step.kind {
            StepKind::Webhook(_) if self.brings_undo(step) => Prepared::Undoable {
                request: request(&step.id, changed),
                undo: request(&step.id.undo(), changed),
            },
            StepKind::Webhook(_) => Prepared::Request(Ok(request(&step.id, changed))),
            StepKind::Branch(branch) if changed => Prepared::Way(branch.otherwise.clone()),
            StepKind::Branch(_) => Prepared::Way(Jump { to: "next".into(), over: Vec::new() }),
            StepKind::Approval(gate) => Prepared::Ask(Box::new(ask(execution, gate, changed))),
            StepKind::Condition { .. } | StepKind::Check(_) | StepKind::Delay(_) | StepKind::Runbook(_) => {
                Prepared::Impossible("the plans have no such step".into())
            }
        }
    }

    fn brings_undo(&self, step: &Step) -> bool {
        self.scenario.plan.step(&step.id.undo()).is_some() && self.mutant != Some(Mutant::BringsNoUndo)
    }
}

/// A step that needs something brought: it has not begun, or asks again.
pub(crate) fn is_fresh(execution: &Execution, step: &Step) -> bool {
    execution.steps.get(&step.id).is_none_or(|run| run.state == StepState::Void)
}

/// A decision binds what a step has stored already, else what it would send now.
pub(crate) fn ask(execution: &Execution, gate: &Gate, changed: bool) -> Ask {
    let digest = |step: &StepId| {
        let stored = execution.steps.get(step).and_then(|run| run.request.as_ref());
        stored.map_or_else(|| request(step, changed).digest(), |stored| stored.digest())
    };
    let bindings: BTreeMap<StepId, Digest> =
        gate.covers.iter().map(|step| (step.clone(), digest(step))).collect();
    Ask { subject: Digest::of_bytes(b"subject"), bindings, expires_in: TIME_TO_DECIDE }
}
