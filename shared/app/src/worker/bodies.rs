//! Requests and responses that are too large for the execution's own item.

use muster_domain::execution::decide::{Next, Prepared};
use muster_domain::execution::{Execution, StoredRequest};
use muster_domain::ids::StepId;
use muster_domain::outcome::Outcome;

use crate::table::{Body, BodyPart, Record, TableError, TableErrorKind, Write};

/// Requests too large for the execution's own item, of steps that have just begun.
pub(super) fn new_request_bodies(before: &Execution, after: &Execution, next: &Next) -> Vec<Write> {
    let begun = after.steps.iter().filter(|(step, _)| !before.steps.contains_key(step));
    let beside = begun.filter(|(_, run)| matches!(run.request, Some(StoredRequest::Beside { .. })));
    let bodies = beside.filter_map(|(step, _)| {
        let Some(Prepared::Request(Ok(request))) = next.prepared.get(step) else { return None };
        Some(Write::create(Record::Body(Body {
            execution: after.id.clone(),
            step: step.clone(),
            part: BodyPart::Request,
            text: serde_json::to_string(request).unwrap_or_default(),
        })))
    });
    bodies.collect()
}

/// Keeps the start of a long response in the execution and the whole beside it. This comes after the decision, which reads all
/// of an answer.
pub(super) fn split_response(to: &mut Execution, step: &StepId, attempt: usize) -> Option<Write> {
    let execution = to.id.clone();
    let made = to.steps.get_mut(step)?.attempts.get_mut(attempt.checked_sub(1)?)?;
    let outcome = made.late.as_mut().or(made.outcome.as_mut())?;
    let Outcome::Answered { body, truncated, .. } = outcome else { return None };
    let inline = muster_domain::execution::INLINE_RESPONSE_BYTES;
    if body.len() <= inline {
        return None;
    }
    let start = body.get(..body.floor_char_boundary(inline)).unwrap_or_default().to_owned();
    let text = std::mem::replace(body, start);
    *truncated = true;
    let part = BodyPart::Response(u32::try_from(attempt).unwrap_or(u32::MAX));
    Some(Write::create(Body { execution, step: step.clone(), part, text }))
}

pub(super) fn lost_body(step: &StepId, source: Option<serde_json::Error>) -> TableError {
    TableError {
        doing: format!("reading the stored request of step {step}"),
        kind: TableErrorKind::Corrupt,
        source: source.map(Into::into),
    }
}
