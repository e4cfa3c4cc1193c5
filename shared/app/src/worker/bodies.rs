//! Requests and responses that are too large for the execution's own item.

use muster_domain::execution::decide::{Next, Prepared};
use muster_domain::execution::{Execution, StoredRequest};
use muster_domain::ids::StepId;
use muster_domain::outcome::Outcome;
use muster_domain::request::RenderedRequest;

use crate::table::{Body, BodyPart, Record, TableError, TableErrorKind, Write};

/// Requests too large for the execution's own item, of steps that have just begun.
pub(super) fn new_request_bodies(before: &Execution, after: &Execution, next: &Next) -> Vec<Write> {
    let begun = after.steps.iter().filter(|(step, _)| !before.steps.contains_key(step));
    let beside = begun.filter(|(_, run)| matches!(run.request, Some(StoredRequest::Beside { .. })));
    let bodies = beside.filter_map(|(step, _)| {
        let request = request_of(step, next)?;
        Some(Write::create(Record::Body(Body {
            execution: after.id.clone(),
            step: step.clone(),
            part: BodyPart::Request,
            text: serde_json::to_string(request).unwrap_or_default(),
        })))
    });
    bodies.collect()
}

/// The rendered request of a step, or of what takes one back.
fn request_of<'n>(step: &StepId, next: &'n Next) -> Option<&'n RenderedRequest> {
    let brought = next.prepared.get(step).or_else(|| next.prepared.get(&step.made_for()))?;
    match brought {
        Prepared::Request(Ok(request)) => Some(request),
        Prepared::Undoable { undo, .. } if step.is_undo() => Some(undo),
        Prepared::Undoable { request, .. } => Some(request),
        Prepared::Request(Err(_))
        | Prepared::Answer(_)
        | Prepared::Child(_)
        | Prepared::Way(_)
        | Prepared::Ask(_)
        | Prepared::NotDemanded
        | Prepared::Unwanted { .. }
        | Prepared::Impossible(_) => None,
    }
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
