//! Jumps: they lead forward, to something that is there, and never into a group.

use super::Reads;
use crate::fault::Fault;
use crate::runbook::phased::{FailurePolicy, Layout, Step, StepType, Target};

pub(super) const MAX_BRANCHES: usize = 16;

/// What follows the failure of a unit; `unit` is the number of the one that it stands at.
pub(super) fn check_failure(
    at: &str,
    policy: Option<&FailurePolicy>,
    layout: &Layout<'_>,
    unit: usize,
    faults: &mut Vec<Fault>,
) {
    match policy {
        Some(FailurePolicy::Goto(name)) => {
            check_jump(&format!("{at}/onFailure/goto"), name, (layout, unit), faults);
        }
        Some(FailurePolicy::Abort | FailurePolicy::Continue | FailurePolicy::Rollback) | None => {}
    }
}

/// What a step of a group cannot be, or do.
pub(super) fn check_member(at: &str, step: &Step, faults: &mut Vec<Fault>) {
    match step.on_failure {
        Some(FailurePolicy::Goto(_) | FailurePolicy::Rollback) => {
            let message = "belongs to the group, not to a step of it; here `abort` or `continue` may stand";
            faults.push(Fault::new(format!("{at}/onFailure"), message));
        }
        Some(FailurePolicy::Abort | FailurePolicy::Continue) | None => {}
    }
    match step.kind {
        StepType::Branch | StepType::Delay => {
            let message = format!("a {} cannot stand in a group; put it before or after", step.kind.as_str());
            faults.push(Fault::new(format!("{at}/type"), message));
        }
        StepType::Diagnostic
        | StepType::Remediation
        | StepType::Check
        | StepType::Approval
        | StepType::Notify
        | StepType::Runbook => {}
    }
}

pub(super) fn check_branch(
    at: &str,
    step: &Step,
    reads: &Reads<'_>,
    place: (&Layout<'_>, usize),
    faults: &mut Vec<Fault>,
) {
    for (number, case) in step.branches.iter().enumerate() {
        let at = format!("{at}/branches/{number}");
        reads.check_rule(&format!("{at}/when"), &case.when, faults);
        check_jump(&format!("{at}/goto"), &case.goto, place, faults);
    }
    if let Some(otherwise) = &step.otherwise {
        check_jump(&format!("{at}/otherwise"), otherwise, place, faults);
    }
}

fn check_jump(at: &str, name: &str, (layout, from): (&Layout<'_>, usize), faults: &mut Vec<Fault>) {
    let message = match layout.target(name) {
        Some(Target::End) => return,
        Some(Target::Unit(unit)) if unit > from => return,
        Some(Target::Unit(_)) => format!("`{name}` does not come later; a runbook runs forward only"),
        Some(Target::Member(_)) => format!("`{name}` is inside a group; lead to the group itself"),
        None => format!("there is no step, group or phase `{name}`; `end` ends the run"),
    };
    faults.push(Fault::new(at, message));
}
