//! A phased runbook as a plan: its units one after the other, between what is checked before and what is verified after (D2).

mod around;
mod jumps;
mod step;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::jumps::Jumps;
use self::step::Compiler;
use super::{Group, Join, OnFailure, Plan, Step, StepKind, Unit};
use crate::fault::Fault;
use crate::ids::StepId;
use crate::rule::Rule;
use crate::runbook::phased::{Group as WrittenGroup, GroupJoin, Layout, PhasedRunbook, Step as Written};
use crate::schema::ParameterSchema;

/// How many steps of one run may be in flight at once.
const CONCURRENCY: usize = 16;

/// Compiles a definition without faults.
pub(super) fn compile(runbook: &PhasedRunbook) -> Result<Plan, Vec<Fault>> {
    let layout = Layout::of(runbook);
    let mut line = Line::default();
    around::begin(runbook, &mut line)?;
    add_units(runbook, &layout, &mut line)?;
    around::end(runbook, &mut line)?;
    bind_gates(&mut line.steps);
    Ok(Plan {
        steps: line.steps,
        groups: line.groups,
        undos: line.undos,
        concurrency: CONCURRENCY,
        schema: runbook.parameters.as_ref().map(ParameterSchema::compile).transpose()?,
        timeout: Some(Duration::from_secs(runbook.limits.max_duration_seconds())),
        unwinds_out_of_time: runbook.rollback.on_failure,
        escalation: runbook.escalation.clone(),
        anomaly: runbook.limits.anomaly,
        unfrozen: runbook.must_not_be_frozen().cloned(),
    })
}

/// A plan as it grows.
#[derive(Default)]
struct Line {
    steps: Vec<Step>,
    groups: Vec<Group>,
    undos: Vec<Step>,
    last: Option<Unit>,
}

impl Line {
    /// Adds a step that begins when all before it is over.
    fn push(&mut self, step: Step) {
        let after = self.last.replace(Unit::Step(step.id.clone()));
        self.steps.push(Step { after, ..step });
    }

    /// Adds steps that begin together; the creation that follows a search waits for it.
    fn push_group(&mut self, group: Group, steps: Vec<Step>) {
        let number = self.groups.len();
        for step in steps {
            let after = step.search.clone().map(Unit::Step).or_else(|| self.last.clone());
            self.steps.push(Step { after, group: Some(number), ..step });
        }
        self.groups.push(group);
        self.last = Some(Unit::Group(number));
    }
}

fn add_units(runbook: &PhasedRunbook, layout: &Layout<'_>, line: &mut Line) -> Result<(), Vec<Fault>> {
    let failure = if runbook.rollback.on_failure { OnFailure::Unwind } else { OnFailure::Stop };
    for (unit, (at, phase, entry)) in layout.units.iter().enumerate() {
        let jumps = Jumps { layout, unit, failure: &failure };
        let compiler = Compiler { phase, jumps };
        for (at, step) in entry.steps(at) {
            line.undos.extend(compiler.undo(&at, step)?);
        }
        match entry.group() {
            None => {
                for (at, step) in entry.steps(at) {
                    let on_failure = jumps.on_failure(step.on_failure.as_ref());
                    compiler.steps(&at, step, &on_failure)?.into_iter().for_each(|step| line.push(step));
                }
            }
            Some(group) => {
                let steps = member_steps(&compiler, entry.steps(at))?;
                line.push_group(compile_group(group, &jumps, &steps), steps);
            }
        }
    }
    Ok(())
}

fn member_steps(compiler: &Compiler<'_>, members: Vec<(String, &Written)>) -> Result<Vec<Step>, Vec<Fault>> {
    let mut steps = Vec::new();
    for (at, step) in members {
        let on_failure = jumps::within_group(step.on_failure.as_ref());
        steps.extend(compiler.steps(&at, step, &on_failure)?);
    }
    Ok(steps)
}

fn compile_group(group: &WrittenGroup, jumps: &Jumps<'_>, steps: &[Step]) -> Group {
    Group {
        id: group.id.clone(),
        limit: group.concurrency,
        join: match group.join {
            GroupJoin::All => Join::All,
            GroupJoin::NoneFailed => Join::NoneFailed,
            GroupJoin::Any => Join::Any,
        },
        on_failure: jumps.on_failure(group.on_failure.as_ref()),
        steps: steps.iter().map(|step| step.id.clone()).collect(),
    }
}

/// Names at each step the approvals that cover it, the earliest first.
fn bind_gates(steps: &mut [Step]) {
    let gates: Vec<(StepId, Vec<StepId>)> = steps.iter().filter_map(gate).collect();
    for step in steps {
        let covering = gates.iter().filter(|(_, covers)| covers.contains(&step.id));
        step.gates = covering.map(|(gate, _)| gate.clone()).collect();
    }
}

fn gate(step: &Step) -> Option<(StepId, Vec<StepId>)> {
    match &step.kind {
        StepKind::Approval(gate) => Some((step.id.clone(), gate.covers.clone())),
        StepKind::Webhook(_)
        | StepKind::Condition { .. }
        | StepKind::Delay(_)
        | StepKind::Runbook(_)
        | StepKind::Check(_)
        | StepKind::Branch(_) => None,
    }
}

fn compile_rule(at: &str, text: &str) -> Result<Rule, Vec<Fault>> {
    Rule::compile(text).map_err(|fault| vec![Fault::new(at, fault.to_string())])
}
