//! Which fields a step of each type has.

use crate::fault::{Fault, pointer_to};
use crate::runbook::phased::{Step, StepType};

/// The fields of a type, beside those that every step may have.
struct Fields {
    needed: &'static [&'static str],
    allowed: &'static [&'static str],
}

const OF_A_CALL: [&str; 3] = ["timeoutSeconds", "retry", "idempotent"];

const fn fields(kind: StepType) -> Fields {
    match kind {
        StepType::Diagnostic => Fields { needed: &["action"], allowed: &["expect", "outputs", "callback"] },
        StepType::Remediation => Fields {
            needed: &["action"],
            allowed: &["expect", "outputs", "callback", "undo", "irreversible"],
        },
        StepType::Check => Fields { needed: &[], allowed: &["rule", "action", "expect", "outputs"] },
        StepType::Approval => Fields { needed: &["approval"], allowed: &[] },
        StepType::Delay => Fields { needed: &["seconds"], allowed: &[] },
        StepType::Branch => Fields { needed: &["branches", "otherwise"], allowed: &[] },
        StepType::Notify | StepType::Runbook => Fields { needed: &["action"], allowed: &[] },
    }
}

/// Whether a step of the type makes a call itself, of which it may say how long, how often and how it may be repeated.
const fn may_call(kind: StepType) -> bool {
    match kind {
        StepType::Diagnostic | StepType::Remediation | StepType::Check | StepType::Notify => true,
        StepType::Approval | StepType::Delay | StepType::Branch | StepType::Runbook => false,
    }
}

pub(super) fn check(at: &str, step: &Step, faults: &mut Vec<Fault>) {
    let (kind, Fields { needed, allowed }) = (step.kind.as_str(), fields(step.kind));
    let written = written(step);
    for field in needed.iter().filter(|field| !written.contains(field)) {
        faults.push(Fault::new(at, format!("is of type {kind}, which needs `{field}`; add it")));
    }
    let of_call: &[&str] = if may_call(step.kind) { &OF_A_CALL } else { &[] };
    let belongs = |field: &&str| [needed, allowed, of_call].iter().any(|fields| fields.contains(field));
    for field in written.iter().filter(|field| !belongs(field)) {
        let message = format!("belongs to no step of type {kind}; remove it");
        faults.push(Fault::new(pointer_to(at, field), message));
    }
    match step.kind {
        StepType::Remediation => check_undo(at, step, faults),
        StepType::Check => check_assertion(at, step, faults),
        StepType::Diagnostic
        | StepType::Approval
        | StepType::Delay
        | StepType::Branch
        | StepType::Notify
        | StepType::Runbook => {}
    }
}

/// What takes a change back is written before it is made, or why nothing does (D6).
fn check_undo(at: &str, step: &Step, faults: &mut Vec<Fault>) {
    let message = match (&step.undo, &step.irreversible) {
        (Some(_), None) | (None, Some(_)) => return,
        (None, None) => {
            "changes something: say how it is taken back with `undo`, or why it is not with `irreversible`"
        }
        (Some(_), Some(_)) => "has both `undo` and `irreversible`; remove one",
    };
    faults.push(Fault::new(at, message));
}

fn check_assertion(at: &str, step: &Step, faults: &mut Vec<Fault>) {
    match (&step.rule, &step.action) {
        (None, None) => {
            faults.push(Fault::new(at, "checks nothing; give a `rule`, or an `action` with `expect`"))
        }
        (Some(_), Some(_)) => faults.push(Fault::new(at, "has both `rule` and `action`; remove one")),
        (None, Some(_)) if step.expect.is_none() => {
            faults.push(Fault::new(at, "expects nothing of the answer; add `expect`"));
        }
        (Some(_), None) => check_no_answer(at, step, faults),
        (None, Some(_)) => {}
    }
}

/// A rule alone gets no answer that could be expected, kept or asked for again.
fn check_no_answer(at: &str, step: &Step, faults: &mut Vec<Fault>) {
    let of_answer = |field: &&str| ["expect", "outputs"].contains(field) || OF_A_CALL.contains(field);
    for field in written(step).into_iter().filter(of_answer) {
        faults.push(Fault::new(pointer_to(at, field), "belongs to a check with an `action`; remove it"));
    }
}

/// The fields that are there, of those that not every step may have.
fn written(step: &Step) -> Vec<&'static str> {
    let fields = [
        ("action", step.action.is_some()),
        ("expect", step.expect.is_some()),
        ("outputs", !step.outputs.is_empty()),
        ("timeoutSeconds", step.timeout_seconds.is_some()),
        ("retry", step.retry.is_some()),
        ("idempotent", step.idempotent.is_some()),
        ("undo", step.undo.is_some()),
        ("irreversible", step.irreversible.is_some()),
        ("callback", step.callback.is_some()),
        ("rule", step.rule.is_some()),
        ("approval", step.approval.is_some()),
        ("seconds", step.seconds.is_some()),
        ("branches", !step.branches.is_empty()),
        ("otherwise", step.otherwise.is_some()),
    ];
    fields.into_iter().filter_map(|(field, there)| there.then_some(field)).collect()
}
