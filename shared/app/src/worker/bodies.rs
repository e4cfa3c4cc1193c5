//! Requests and responses that are too large for the execution's own item.

use muster_domain::execution::decide::{Next, Prepared};
use muster_domain::execution::{Execution, StoredRequest};
use muster_domain::ids::{ExecutionId, StepId};
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

/// Keeps the start of a long response in the outcome and the whole beside the execution.
pub(super) fn split_response(
    execution: &ExecutionId,
    step: &StepId,
    attempt: usize,
    outcome: Outcome,
) -> (Outcome, Option<Write>) {
    let Outcome::Answered { status, retry_after_ms, body, truncated } = outcome else {
        return (outcome, None);
    };
    let inline = muster_domain::execution::INLINE_RESPONSE_BYTES;
    if body.len() <= inline {
        return (Outcome::Answered { status, retry_after_ms, body, truncated }, None);
    }
    let start = body.get(..body.floor_char_boundary(inline)).unwrap_or_default().to_owned();
    let part = BodyPart::Response(u32::try_from(attempt).unwrap_or(u32::MAX));
    let whole = Body { execution: execution.clone(), step: step.clone(), part, text: body };
    let outcome = Outcome::Answered { status, retry_after_ms, body: start, truncated: true };
    (outcome, Some(Write::create(whole)))
}

pub(super) fn lost_body(step: &StepId, source: Option<serde_json::Error>) -> TableError {
    TableError {
        doing: format!("reading the stored request of step {step}"),
        kind: TableErrorKind::Corrupt,
        source: source.map(Into::into),
    }
}
