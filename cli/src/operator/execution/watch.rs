//! Following an execution: polled, with a pause that grows while nothing happens.

use muster_domain::execution::ExecutionStatus;
use muster_domain::ids::ExecutionId;
use serde_json::Value;

use super::layout::execution;
use super::read::call_of;
use super::tree::{ending, verdict};
use super::view::{View, whole};
use crate::exit::Exit;
use crate::operator::api::Api;
use crate::operator::context::Context;
use crate::operator::ended::Ended;
use crate::operator::error::OperatorError;
use crate::operator::output::{Format, OutputError, Printer};

#[derive(Debug, thiserror::Error)]
pub(crate) enum WatchError {
    #[error("execution {0} has no status that this version of muster knows; a newer one may")]
    NoStatus(ExecutionId),
}

impl WatchError {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::NoStatus(_) => Exit::Failure,
        }
    }
}

/// What whoever watches wants to come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// What the execution is for.
    Done,
    /// That what it did is taken back.
    TakenBack,
}

/// Shows each event as it happens, until nothing more will or a person must decide. Ctrl-C only ends the watching.
pub(crate) async fn watch(
    context: &Context,
    id: &ExecutionId,
    wanted: Wanted,
) -> Result<Ended, OperatorError> {
    let api = context.api()?;
    tokio::select! {
        ended = follow((&api, context), id, wanted) => ended,
        Ok(()) = tokio::signal::ctrl_c() => {
            context.printer.note(&format!("Stopped watching; the execution goes on: muster execution watch {id}"));
            Ok(Ended::Interrupted)
        }
    }
}

/// Shows where it stands now.
pub(super) async fn look_once(context: &Context, id: &ExecutionId) -> Result<Ended, OperatorError> {
    let (api, printer) = (context.api()?, &context.printer);
    let body = api.send(call_of(id)).await?.body;
    match printer.format {
        Format::Table => printer.line(&whole(&api, printer, &body).await?.join("\n"))?,
        Format::Json | Format::Yaml => printer.data(&body, execution)?,
    }
    let status = status_of(&body).ok_or_else(|| WatchError::NoStatus(id.clone()))?;
    Ok(ended(&body, status, Wanted::Done).unwrap_or(Ended::SUCCESS))
}

async fn follow(
    (api, context): (&Api, &Context),
    id: &ExecutionId,
    wanted: Wanted,
) -> Result<Ended, OperatorError> {
    let (printer, pace) = (&context.printer, context.pace);
    let mut body = api.send(call_of(id)).await?.body;
    let mut view = View::of(api, printer, &body).await?;
    let (mut seen, mut pause) = (0, pace.look);
    loop {
        view.show((api, printer), &body, seen).await?;
        let status = status_of(&body).ok_or_else(|| WatchError::NoStatus(id.clone()))?;
        if let Some(ended) = ended(&body, status, wanted) {
            show_end(printer, &view, &body, status)?;
            return Ok(ended);
        }
        let events = body.get("trail").and_then(Value::as_array).map_or(0, Vec::len);
        pause = pace.next_look(pause, events.saturating_sub(seen));
        seen = events;
        tokio::time::sleep(pause).await;
        body = api.send(call_of(id)).await?.body;
    }
}

/// How a watch ends; `None` while there is more to see. To take back is what a rollback is for.
fn ended(body: &Value, status: ExecutionStatus, wanted: Wanted) -> Option<Ended> {
    let wanted = if body.get("undoes").is_some() { Wanted::TakenBack } else { wanted };
    let aborted = body.pointer("/stop/mode").and_then(Value::as_str) == Some("abort");
    match (wanted, status) {
        (Wanted::TakenBack, ExecutionStatus::RolledBack) => Some(Ended::SUCCESS),
        // Nothing had been done.
        (Wanted::TakenBack, ExecutionStatus::Cancelled) if aborted => Some(Ended::SUCCESS),
        (Wanted::TakenBack, ExecutionStatus::Success) => Some(Ended::As(Exit::Failure)),
        (Wanted::Done | Wanted::TakenBack, status) => Ended::of(status),
    }
}

/// A workflow is COMPLETED where a runbook is a SUCCESS.
fn status_of(body: &Value) -> Option<ExecutionStatus> {
    if body.get("status").and_then(Value::as_str) == Some("COMPLETED") {
        return Some(ExecutionStatus::Success);
    }
    serde_json::from_value(body.get("status")?.clone()).ok()
}

/// A tree says itself how it ended.
fn show_end(
    printer: &Printer,
    view: &View,
    body: &Value,
    status: ExecutionStatus,
) -> Result<(), OutputError> {
    match (printer.format, view) {
        (Format::Table, View::Tree { .. }) => {}
        (Format::Table, View::Lines) => {
            printer.line(&ending(body, printer.paint))?;
            verdict(body).iter().try_for_each(|verdict| printer.line(verdict))?;
        }
        (Format::Json | Format::Yaml, _) => printer.data(body, execution)?,
    }
    let id = body.get("id").and_then(Value::as_str).unwrap_or("ID");
    how_to_settle(status, id).iter().for_each(|how| printer.note(how));
    Ok(())
}

/// What a person does whose decision it waits for.
fn how_to_settle(status: ExecutionStatus, id: &str) -> Option<String> {
    match status {
        ExecutionStatus::NeedsReview => Some(format!(
            "Find out what became of the call, then: muster execution resolve {id} --outcome happened|resend --reason TEXT"
        )),
        ExecutionStatus::UndoFailed => Some(format!(
            "Settle the undo that failed: muster execution retry-undo|skip-undo|mark-undone {id} --reason TEXT"
        )),
        ExecutionStatus::Pending
        | ExecutionStatus::Running
        | ExecutionStatus::Waiting
        | ExecutionStatus::Paused
        | ExecutionStatus::Success
        | ExecutionStatus::Failed
        | ExecutionStatus::Cancelled
        | ExecutionStatus::RolledBack => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_to_be_taken_back_ends_well_when_it_is() {
        let ends = |body: Value, status, wanted| ended(&body, status, wanted).map(Ended::code);
        let (rollback, aborted) = (json!({"undoes": "ex_1"}), json!({"stop": {"mode": "abort"}}));
        let killed = json!({"undoes": "ex_1", "stop": {"mode": "kill"}});
        assert_eq!(ends(rollback.clone(), ExecutionStatus::RolledBack, Wanted::Done), Some(0));
        assert_eq!(ends(rollback.clone(), ExecutionStatus::UndoFailed, Wanted::Done), Some(7));
        assert_eq!(ends(rollback, ExecutionStatus::Failed, Wanted::Done), Some(1));
        assert_eq!(ends(killed, ExecutionStatus::Cancelled, Wanted::TakenBack), Some(1));
        assert_eq!(ends(aborted.clone(), ExecutionStatus::RolledBack, Wanted::TakenBack), Some(0));
        assert_eq!(ends(aborted.clone(), ExecutionStatus::Cancelled, Wanted::TakenBack), Some(0));
        assert_eq!(ends(aborted.clone(), ExecutionStatus::Running, Wanted::TakenBack), None);
        assert_eq!(ends(aborted.clone(), ExecutionStatus::Success, Wanted::TakenBack), Some(1));
        assert_eq!(ends(aborted, ExecutionStatus::RolledBack, Wanted::Done), Some(1), "it was to run");
    }

    #[test]
    fn a_status_is_read_or_is_none_of_ours() {
        assert_eq!(status_of(&json!({"status": "NEEDS_REVIEW"})), Some(ExecutionStatus::NeedsReview));
        assert_eq!(status_of(&json!({"status": "COMPLETED"})), Some(ExecutionStatus::Success));
        assert_eq!(status_of(&json!({"status": "DREAMING"})), None);
        assert_eq!(status_of(&json!({})), None);
    }
}
