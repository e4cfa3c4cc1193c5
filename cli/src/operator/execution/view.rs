//! How a watch shows what it sees: a tree that is drawn over in place, or a line for each event.

use jiff::Timestamp;
use muster_app::clock::SystemClock;
use muster_app::ports::Clock as _;
use muster_domain::ids::ExecutionId;
use serde_json::Value;

use super::trail::lines_after;
use super::tree::{Sight, asked_people, draw, draw_within};
use crate::operator::api::{Api, ApiError, Call};
use crate::operator::error::OperatorError;
use crate::operator::output::{Format, OutputError, Printer, Screen};

/// Chosen at the first look.
pub(super) enum View {
    /// On a terminal, of what has phases.
    Tree { definition: Box<Value>, screen: Screen },
    /// Everywhere else.
    Lines,
}

impl View {
    pub(super) async fn of(api: &Api, printer: &Printer, execution: &Value) -> Result<Self, OperatorError> {
        let Some(screen) = printer.screen() else { return Ok(Self::Lines) };
        let definition = Box::new(definition_of(api, execution).await?);
        Ok(match definition.get("phases") {
            Some(_) => Self::Tree { definition, screen },
            None => Self::Lines,
        })
    }

    /// Shows the execution, of whose events as many were shown before.
    pub(super) async fn show(
        &mut self,
        (api, printer): (&Api, &Printer),
        execution: &Value,
        seen: usize,
    ) -> Result<(), OperatorError> {
        match self {
            Self::Lines => show_lines((api, printer), execution, seen).await,
            Self::Tree { definition, screen } => {
                let approvals = approvals_of(api, execution).await?;
                let now = now();
                let sight = Sight { execution, definition, approvals: &approvals, now };
                Ok(printer.redraw(screen, &draw_within(sight, printer.paint, Screen::room()))?)
            }
        }
    }
}

/// The whole tree once.
pub(super) async fn whole(
    api: &Api,
    printer: &Printer,
    execution: &Value,
) -> Result<Vec<String>, OperatorError> {
    let definition = definition_of(api, execution).await?;
    let approvals = approvals_of(api, execution).await?;
    let sight = Sight { execution, definition: &definition, approvals: &approvals, now: now() };
    Ok(draw(sight, printer.paint))
}

/// The events are the data of a watch in a table; for other forms the data is the execution at its end.
async fn show_lines(
    (api, printer): (&Api, &Printer),
    execution: &Value,
    seen: usize,
) -> Result<(), OperatorError> {
    let lines = lines_after(seen, execution);
    let trail = execution.get("trail").and_then(Value::as_array).into_iter().flatten().skip(seen);
    let asks = |event: &Value| event.get("event").and_then(Value::as_str) == Some("asked");
    let mut approvals = Value::Null;
    if trail.clone().any(asks) {
        approvals = approvals_of(api, execution).await?;
    }
    let sight = Sight { execution, definition: &Value::Null, approvals: &approvals, now: now() };
    for (line, event) in lines.iter().zip(trail) {
        show_line(printer, line)?;
        if asks(event) {
            asked_people(event, sight).iter().try_for_each(|line| show_line(printer, line))?;
        }
    }
    Ok(())
}

fn show_line(printer: &Printer, line: &str) -> Result<(), OutputError> {
    match printer.format {
        Format::Table => printer.line(line)?,
        Format::Json | Format::Yaml => printer.note(line),
    }
    Ok(())
}

/// The definition of the version that it runs; `null` of a workflow.
async fn definition_of(api: &Api, execution: &Value) -> Result<Value, OperatorError> {
    let text = |pointer| execution.pointer(pointer).and_then(Value::as_str);
    let version = execution.pointer("/runbook/version").and_then(Value::as_u64);
    let (Some(id), Some(version)) = (text("/runbook/id"), version) else { return Ok(Value::Null) };
    let call = Call::get(&["api", "runbooks", id, "versions", &version.to_string()]);
    let mut read = readable(api, call).await?;
    Ok(read.get_mut("definition").map(Value::take).unwrap_or_default())
}

/// What it asked people; asked for only while somebody has to answer.
async fn approvals_of(api: &Api, execution: &Value) -> Result<Value, OperatorError> {
    let steps = execution.get("steps").and_then(Value::as_array).into_iter().flatten();
    let waits = |step: &Value| step.get("gate").is_some() && step.get("endedAt").is_none();
    let id = execution.get("id").and_then(Value::as_str).and_then(|id| id.parse::<ExecutionId>().ok());
    match id {
        Some(id) if steps.into_iter().any(waits) => {
            readable(api, Call::get(&["api", "executions", id.as_str(), "approvals"])).await
        }
        Some(_) | None => Ok(Value::Null),
    }
}

/// `null` if the server refuses it: what is watched can be shown without.
async fn readable(api: &Api, call: Call) -> Result<Value, OperatorError> {
    match api.send(call).await {
        Ok(reply) => Ok(reply.body),
        Err(ApiError::Problem(_)) => Ok(Value::Null),
        Err(error) => Err(error.into()),
    }
}

/// Of this machine, as the times that it shows are.
fn now() -> Timestamp {
    Timestamp::from_millisecond(SystemClock.now().millis()).unwrap_or(Timestamp::UNIX_EPOCH)
}
