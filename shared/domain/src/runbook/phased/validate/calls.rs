//! What steps send, what they expect of the answer, and what they keep of it.

use super::{Reads, check_count};
use crate::fault::{Fault, pointer_to};
use crate::runbook::phased::{Probe, Step, StepType};
use crate::template::{MAX_PATH_BYTES, MAX_PATH_DEPTH};
use crate::webhook;
use crate::workflow::Action;

const MAX_OUTPUTS: usize = 8;
const MAX_OUTPUT_NAME: usize = 64;
/// What an answer is made of.
const ANSWER: [&str; 2] = ["body", "statusCode"];

pub(super) fn check(at: &str, step: &Step, reads: &Reads<'_>, faults: &mut Vec<Fault>) {
    if let Some(action) = &step.action {
        check_action(&format!("{at}/action"), action, reads, faults);
        check_kind(at, step.kind, action, faults);
        check_twice(at, step, action, faults);
    }
    if let Some(undo) = &step.undo {
        check_undo(&format!("{at}/undo"), undo, reads, faults);
    }
    if let Some(expect) = &step.expect {
        reads.with_response().check_rule(&format!("{at}/expect"), expect, faults);
    }
    if let Some(seconds) = step.timeout_seconds {
        webhook::check_timeout(&format!("{at}/timeoutSeconds"), seconds, faults);
    }
    check_outputs(&format!("{at}/outputs"), step, faults);
}

/// Checks a probe as the call that it is.
pub(super) fn check_probe(at: &str, probe: &Probe, reads: &Reads<'_>, faults: &mut Vec<Fault>) {
    check_action(at, &Action::Webhook(probe.call()), reads, faults);
    reads.with_response().check_rule(&format!("{at}/expect"), &probe.expect, faults);
}

fn check_action(at: &str, action: &Action, reads: &Reads<'_>, faults: &mut Vec<Fault>) {
    let found = action.faults(at);
    // What is valid is not deep, so that it can be walked.
    if found.is_empty()
        && let Ok(written) = serde_json::to_value(action)
    {
        reads.with_own_step().check_templates(at, &written, faults);
    }
    faults.extend(found);
}

/// Only a step of type runbook executes a runbook.
fn check_kind(at: &str, kind: StepType, action: &Action, faults: &mut Vec<Fault>) {
    let at = format!("{at}/action/type");
    let runs = matches!(action, Action::Runbook(_));
    if runs && kind != StepType::Runbook {
        faults.push(Fault::new(at, "executes a runbook; make the step one of type runbook"));
    } else if !runs && kind == StepType::Runbook {
        faults.push(Fault::new(at, "a step of type runbook has an action of type runbook"));
    }
}

/// A step and its action say the same thing in two places, of which one would be ignored.
fn check_twice(at: &str, step: &Step, action: &Action, faults: &mut Vec<Fault>) {
    let Action::Webhook(webhook) = action else { return };
    for (name, twice) in [
        ("timeoutSeconds", step.timeout_seconds.is_some() && webhook.timeout_seconds.is_some()),
        ("idempotent", step.idempotent.is_some() && webhook.idempotent.is_some()),
    ] {
        if twice {
            faults.push(Fault::new(pointer_to(at, name), "stands in the action as well; remove one"));
        }
    }
}

/// What takes a step back is a call whose answer says whether it did.
fn check_undo(at: &str, undo: &Action, reads: &Reads<'_>, faults: &mut Vec<Fault>) {
    match undo {
        Action::Webhook(_) => check_action(at, undo, reads, faults),
        Action::Jira(_) | Action::Linear(_) | Action::Slack(_) | Action::Teams(_) | Action::Runbook(_) => {
            let message = format!("is {}; what takes a step back is of type webhook", undo.kind());
            faults.push(Fault::new(format!("{at}/type"), message));
        }
    }
}

fn check_outputs(at: &str, step: &Step, faults: &mut Vec<Fault>) {
    check_count(at, step.outputs.len(), 0, MAX_OUTPUTS, faults);
    for (name, path) in &step.outputs {
        let at = pointer_to(at, name);
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || name.len() > MAX_OUTPUT_NAME || !name.chars().all(allowed) {
            let message = format!("is no name; use 1 to {MAX_OUTPUT_NAME} letters, digits or `_`");
            faults.push(Fault::new(&at, message));
        }
        faults.extend(path_problem(path).map(|problem| Fault::new(at, problem)));
    }
}

fn path_problem(path: &str) -> Option<String> {
    let mut segments = path.split('.');
    if path.len() > MAX_PATH_BYTES || segments.clone().count() > MAX_PATH_DEPTH {
        Some(format!("has more than {MAX_PATH_DEPTH} segments or {MAX_PATH_BYTES} bytes"))
    } else if !segments.clone().next().is_some_and(|root| ANSWER.contains(&root)) {
        Some("must begin with `body` or `statusCode`, as in `body.nodes.0`".to_owned())
    } else if segments.any(str::is_empty) {
        Some("has an empty segment; write it as `body.nodes.0`".to_owned())
    } else {
        None
    }
}
