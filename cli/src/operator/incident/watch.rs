//! Following an incident: polled, with a pause that grows while nothing happens.

use clap::Args;
use muster_domain::ids::IncidentId;
use muster_domain::incident::IncidentStatus;
use serde_json::Value;

use super::{call_of, incident};
use crate::exit::Exit;
use crate::operator::api::{Api, Call};
use crate::operator::context::Context;
use crate::operator::ended::Ended;
use crate::operator::error::OperatorError;
use crate::operator::output::{Format, OutputError, Printer, field, timestamp};

/// The most events of one look: what happened before them is not told.
const MOST_EVENTS: u32 = 100;

#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// The incident
    pub(super) id: IncidentId,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum IncidentWatchError {
    #[error("incident {0} has no status that this version of muster knows; a newer one may")]
    NoStatus(IncidentId),
}

impl IncidentWatchError {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::NoStatus(_) => Exit::Failure,
        }
    }
}

/// Shows each event as it happens, until nobody has to do anything more. Ctrl-C only ends the watching.
pub(super) async fn watch(context: &Context, id: &IncidentId) -> Result<Ended, OperatorError> {
    let api = context.api()?;
    tokio::select! {
        ended = follow(&api, context, id) => ended,
        Ok(()) = tokio::signal::ctrl_c() => {
            context.printer.note(&format!("Stopped watching: muster incident watch {id}"));
            Ok(Ended::Interrupted)
        }
    }
}

async fn follow(api: &Api, context: &Context, id: &IncidentId) -> Result<Ended, OperatorError> {
    let (printer, pace) = (&context.printer, context.pace);
    let (mut seen, mut pause) = (0, pace.look);
    loop {
        // The incident first: the events that led to its status are then in the list.
        let body = api.send(call_of(id)).await?.body;
        let events = api.send(events_of(id)).await?.body;
        let news = news_after(seen, &events);
        for event in &news {
            show(printer, &line(event))?;
        }
        if !status_of(&body).ok_or_else(|| IncidentWatchError::NoStatus(id.clone()))?.is_open() {
            show_end(printer, &body)?;
            return Ok(Ended::SUCCESS);
        }
        seen = news.last().map_or(seen, number);
        pause = pace.next_look(pause, news.len());
        tokio::time::sleep(pause).await;
    }
}

fn events_of(id: &IncidentId) -> Call {
    Call::get(&["api", "incidents", id.as_str(), "events"]).query("limit", Some(MOST_EVENTS))
}

/// The events after the one of this number, oldest first.
fn news_after(seen: u64, events: &Value) -> Vec<Value> {
    let items = events.get("items").and_then(Value::as_array);
    let news = items.into_iter().flatten().filter(|event| number(event) > seen);
    news.rev().cloned().collect()
}

fn number(event: &Value) -> u64 {
    event.get("seq").and_then(Value::as_u64).unwrap_or(0)
}

fn status_of(body: &Value) -> Option<IncidentStatus> {
    serde_json::from_value(body.get("status")?.clone()).ok()
}

fn line(event: &Value) -> String {
    format!("{}  {} by {}", timestamp(event, "/at"), what_happened(event), who(event))
}

/// An event that this version does not know is shown by its name.
fn what_happened(event: &Value) -> String {
    let at = |pointer| field(event, pointer);
    match at("/type").as_str() {
        "created" => "opened".to_owned(),
        "stateChanged" => format!("{} → {}", at("/from"), at("/to")),
        "escalated" => format!("escalated to level {}", at("/level")),
        "updated" => format!("changed {}", at("/fields")),
        other => other.to_owned(),
    }
}

fn who(event: &Value) -> String {
    let at = |pointer| field(event, pointer);
    match at("/actor/type").as_str() {
        "person" => at("/actor/user"),
        "workflow" => format!("workflow {}", at("/actor/workflow")),
        "source" => at("/actor/name"),
        other => other.to_owned(),
    }
}

/// The events are the data of a watch in a table; for other forms the data is the incident at its end.
fn show(printer: &Printer, line: &str) -> Result<(), OutputError> {
    match printer.format {
        Format::Table => printer.line(line)?,
        Format::Json | Format::Yaml => printer.note(line),
    }
    Ok(())
}

fn show_end(printer: &Printer, body: &Value) -> Result<(), OutputError> {
    match printer.format {
        Format::Table => printer.line(&printer.paint.status(&field(body, "/status"))),
        Format::Json | Format::Yaml => printer.data(body, incident),
    }
}
