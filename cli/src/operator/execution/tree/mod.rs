//! An execution drawn as a tree: its phases, their groups and steps, what each step waits for, and what is taken back.

mod place;
mod step;
#[cfg(test)]
mod tests;
mod wait;

use jiff::Timestamp;
use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use self::place::{Place, folded, places};
use super::layout::{duration, risk_of, why};
use crate::operator::output::{Paint, field, timestamp};

/// Between the names and what became of the steps.
const GAP: usize = 2;
/// For each level of the tree.
const INDENT: usize = 2;

/// What is known of an execution at one look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight<'v> {
    pub(super) execution: &'v Value,
    /// Of the version that it runs; `null` if it has no phases.
    pub(super) definition: &'v Value,
    /// What it asked people; `null` if that is not known.
    pub(super) approvals: &'v Value,
    pub(super) now: Timestamp,
}

/// The whole as lines. Statuses are words; `paint` colours them as well.
pub(super) fn draw(sight: Sight<'_>, paint: Paint) -> Vec<String> {
    arrange(&places(sight), sight, paint)
}

/// The same, without the steps of phases in which nothing goes on if it would have more than so many lines.
pub(super) fn draw_within(sight: Sight<'_>, paint: Paint, rows: usize) -> Vec<String> {
    let whole = draw(sight, paint);
    if whole.len() <= rows { whole } else { arrange(&folded(places(sight), sight), sight, paint) }
}

/// Whom an event of the trail asks, until when, and the commands that answer; nothing if nobody needs to any more.
pub(super) fn asked_people(event: &Value, sight: Sight<'_>) -> Vec<String> {
    let asking = wait::asking(sight.approvals, &field(event, "/step"), event.get("round"));
    let Some(said) = asking.map(|approval| wait::people(approval, sight)) else { return Vec::new() };
    let lines = std::iter::once(format!("waits {}", said.first)).chain(said.more);
    lines.map(|line| format!("{}{line}", " ".repeat(UNDER_AN_EVENT))).collect()
}

/// The place of an event's text, after its time.
const UNDER_AN_EVENT: usize = 15;

fn arrange(places: &[Place<'_>], sight: Sight<'_>, paint: Paint) -> Vec<String> {
    let width = places.iter().map(Place::width).max().unwrap_or(0);
    let mut lines = head(sight.execution, paint);
    for place in places {
        let blanks = " ".repeat(width.saturating_sub(place.width()) + GAP);
        let said = place.said(sight, paint);
        lines.push(format!("{}{blanks}{}", place.label(), said.first).trim_end().to_owned());
        lines.extend(said.more.iter().map(|more| format!("{}{more}", " ".repeat(place.indent() + INDENT))));
    }
    lines.extend(foot(sight.execution, paint));
    lines
}

fn head(execution: &Value, paint: Paint) -> Vec<String> {
    let at = |pointer| field(execution, pointer);
    let pinned = execution.get("workflow").or_else(|| execution.get("runbook")).unwrap_or(&Value::Null);
    let (name, version) = (field(pinned, "/name"), field(pinned, "/version"));
    let mut lines = vec![paint.head(&format!("{}  {name}, version {version}", at("/id")))];
    let waits = match at("/waitingOn").as_str() {
        "lease" => format!(": its turn at its target, not before {}", timestamp(execution, "/waitingUntil")),
        "worker" => ": a worker".to_owned(),
        _ => String::new(),
    };
    lines.push(format!("{}{waits}, asked for by {}", paint.status(&at("/status")), at("/requestedBy")));
    lines.extend(execution.get("undoes").map(|_| format!("takes back {}", at("/undoes"))));
    let by = |_| format!("taken back by {} ({})", at("/undoneBy/executionId"), at("/undoneBy/status"));
    lines.extend(execution.get("undoneBy").map(by));
    lines.extend(execution.get("risk").map(|risk| format!("risk {}", risk_of(risk))));
    lines.extend(asked(execution, "pause", "asked it to pause"));
    lines.extend(asked(execution, "stop", "asked it to stop"));
    lines
}

fn asked(execution: &Value, what: &str, did: &str) -> Option<String> {
    let request = execution.get(what)?;
    let effect = match request.get("latencyMs").and_then(Value::as_u64) {
        Some(millis) => format!("in effect after {millis} ms"),
        None => "a call is still in flight".to_owned(),
    };
    Some(format!("{} {did}: {} ({effect})", field(request, "/by"), field(request, "/reason")))
}

/// How it ended, and whether it helped.
fn foot(execution: &Value, paint: Paint) -> Vec<String> {
    if execution.get("endedAt").is_none() {
        return Vec::new();
    }
    let mut lines = vec![ending(execution, paint)];
    lines.extend(verdict(execution));
    lines
}

/// The status, how long it took, and why.
pub(super) fn ending(execution: &Value, paint: Paint) -> String {
    let painted = paint.status(&field(execution, "/status"));
    match (why(execution).as_str(), duration(execution).as_str()) {
        ("-", "-") => painted,
        ("-", took) => format!("{painted} in {took}"),
        (why, "-") => format!("{painted}: {why}"),
        (why, took) => format!("{painted} in {took}: {why}"),
    }
}

pub(super) fn verdict(execution: &Value) -> Option<String> {
    let verdict = execution.get("verdict")?;
    Some(format!("verdict {}: {}", field(verdict, "/is"), field(verdict, "/because")))
}

fn width_of(text: &str) -> usize {
    text.width()
}
