//! Following an execution: polled, with a pause that grows while nothing happens.

use muster_domain::execution::ExecutionStatus;
use muster_domain::ids::ExecutionId;
use serde_json::Value;

use super::layout::{duration, execution, why};
use super::read::call_of;
use super::trail::lines_after;
use crate::exit::Exit;
use crate::operator::api::Api;
use crate::operator::context::Context;
use crate::operator::ended::Ended;
use crate::operator::error::OperatorError;
use crate::operator::output::{Format, OutputError, Printer, field};

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

/// Shows each event as it happens, until nothing more will or a person must decide. Ctrl-C only ends the watching.
pub(crate) async fn watch(context: &Context, id: &ExecutionId) -> Result<Ended, OperatorError> {
    let api = context.api()?;
    tokio::select! {
        ended = follow(&api, context, id) => ended,
        Ok(()) = tokio::signal::ctrl_c() => {
            context.printer.note(&format!("Stopped watching; the execution goes on: muster execution watch {id}"));
            Ok(Ended::Interrupted)
        }
    }
}

async fn follow(api: &Api, context: &Context, id: &ExecutionId) -> Result<Ended, OperatorError> {
    let (printer, pace) = (&context.printer, context.pace);
    let (mut seen, mut pause) = (0, pace.look);
    loop {
        let body = api.send(call_of(id)).await?.body;
        let lines = lines_after(seen, &body);
        show_progress(printer, &lines)?;
        let status = status_of(&body).ok_or_else(|| WatchError::NoStatus(id.clone()))?;
        if let Some(ended) = Ended::of(status) {
            show_end(printer, &body, status)?;
            return Ok(ended);
        }
        pause = pace.next_look(pause, lines.len());
        seen += lines.len();
        tokio::time::sleep(pause).await;
    }
}

/// A workflow is COMPLETED where a runbook is a SUCCESS.
fn status_of(body: &Value) -> Option<ExecutionStatus> {
    if body.get("status").and_then(Value::as_str) == Some("COMPLETED") {
        return Some(ExecutionStatus::Success);
    }
    serde_json::from_value(body.get("status")?.clone()).ok()
}

/// The events are the data of a watch in a table; for other forms the data is the execution at its end.
fn show_progress(printer: &Printer, lines: &[String]) -> Result<(), OutputError> {
    for line in lines {
        match printer.format {
            Format::Table => printer.line(line)?,
            Format::Json | Format::Yaml => printer.note(line),
        }
    }
    Ok(())
}

fn show_end(printer: &Printer, body: &Value, status: ExecutionStatus) -> Result<(), OutputError> {
    match printer.format {
        Format::Table => printer.line(&result(printer, body))?,
        Format::Json | Format::Yaml => printer.data(body, execution)?,
    }
    if status == ExecutionStatus::NeedsReview {
        let id = body.get("id").and_then(Value::as_str).unwrap_or("ID");
        printer.note(&format!(
            "Find out what became of the call, then: muster execution resolve {id} --outcome happened|resend --reason TEXT"
        ));
    }
    Ok(())
}

/// The last line: the status, how long it took, and why.
fn result(printer: &Printer, body: &Value) -> String {
    let painted = printer.paint.status(&field(body, "/status"));
    match (why(body).as_str(), duration(body).as_str()) {
        ("-", "-") => painted,
        ("-", took) => format!("{painted} in {took}"),
        (why, "-") => format!("{painted}: {why}"),
        (why, took) => format!("{painted} in {took}: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_is_read_or_is_none_of_ours() {
        assert_eq!(status_of(&json!({"status": "NEEDS_REVIEW"})), Some(ExecutionStatus::NeedsReview));
        assert_eq!(status_of(&json!({"status": "COMPLETED"})), Some(ExecutionStatus::Success));
        assert_eq!(status_of(&json!({"status": "DREAMING"})), None);
        assert_eq!(status_of(&json!({})), None);
    }
}
