//! What a step waits for: whom, until when, and what ends it.

use jiff::Timestamp;
use serde_json::Value;

use super::Sight;
use super::step::{Said, time};
use crate::operator::approval::needs;
use crate::operator::output::{field, items, timestamp};

pub(super) fn waits((written, run): (&Value, &Value), sight: Sight<'_>) -> Said {
    if let Some(gate) = run.get("gate") {
        let step = field(run, "/id");
        let round = gate.get("round");
        return match (asking(sight.approvals, &step, round), answer(sight.approvals, &step, round)) {
            (Some(approval), _) => people(approval, sight),
            (None, Some(answer)) => Said::line(format!("to go on; people have answered: {answer}")),
            (None, None) => Said::line(format!("for people{}", until(run, sight.now))),
        };
    }
    let attempts = items(run, "attempts");
    let answered = attempts.last().is_some_and(|last| last.get("statusCode").is_some());
    Said::line(match () {
        () if run.get("executionId").is_some() => format!("for {}", field(run, "/executionId")),
        () if attempts.is_empty() => until(run, sight.now).trim_start_matches([',', ' ']).to_owned(),
        () if answered && written.get("callback").is_some() && has_taken(attempts) => {
            format!("for the receiver to call back{}", until(run, sight.now))
        }
        () => format!("for attempt {}{}", attempts.len() + 1, not_before(run, sight.now)),
    })
}

/// Whom an approval waits for, and the commands that decide it.
pub(super) fn people(approval: &Value, sight: Sight<'_>) -> Said {
    let at = |pointer| field(approval, pointer);
    let mut more: Vec<String> = items(approval, "decisions")
        .iter()
        .filter(|decision| decision.get("withdrawn").is_none())
        .map(|decision| format!("{} said {}", field(decision, "/by"), field(decision, "/verdict")))
        .collect();
    more.extend(next_rung(approval));
    let (id, step, digest) = (at("/executionId"), at("/step"), at("/digest"));
    more.extend(
        ["approve", "reject"]
            .map(|verb| format!("muster execution {verb} {id} {step} --digest {digest} --reason TEXT")),
    );
    let until = until(approval, sight.now);
    Said { first: format!("for {}{until}", needs(approval)), more }
}

/// Who is asked next as well if nobody answers.
fn next_rung(approval: &Value) -> Option<String> {
    let waiting = |rung: &&Value| rung.get("asked").and_then(Value::as_bool) != Some(true);
    let rung = items(approval, "escalation").iter().find(waiting)?;
    let seconds = rung.get("afterSeconds").and_then(Value::as_i64)?;
    let at = time(approval, "/askedAt")?.checked_add(jiff::SignedDuration::from_secs(seconds)).ok()?;
    Some(format!("{} asked as well at {}", field(rung, "/to"), at.strftime("%FT%TZ")))
}

/// The newest round of a step; if it is open.
pub(super) fn asking<'v>(approvals: &'v Value, step: &str, round: Option<&Value>) -> Option<&'v Value> {
    items(approvals, "items").iter().find(|approval| {
        let of = |name: &str| approval.get(name);
        let open = of("status").and_then(Value::as_str) == Some("OPEN");
        open && of("step").and_then(Value::as_str) == Some(step) && (round.is_none() || of("round") == round)
    })
}

/// What came of a round that is not open any more, on which its execution has not gone on yet.
fn answer(approvals: &Value, step: &str, round: Option<&Value>) -> Option<String> {
    let of = |approval: &&Value| {
        approval.get("step").and_then(Value::as_str) == Some(step) && approval.get("round") == round
    };
    items(approvals, "items").iter().find(of).map(|approval| field(approval, "/status"))
}

/// Whether the last answer was a success, after which only the receiver can go on.
fn has_taken(attempts: &[Value]) -> bool {
    let status = attempts.last().and_then(|last| last.get("statusCode")).and_then(Value::as_u64);
    status.is_some_and(|status| (200..300).contains(&status))
}

/// As in `, until 2026-03-01T12:00:00Z (in 3 min)`.
fn until(value: &Value, now: Timestamp) -> String {
    let pointer = if value.get("until").is_some() { "/until" } else { "/waitingUntil" };
    moment(value, pointer, "until", now)
}

fn not_before(run: &Value, now: Timestamp) -> String {
    moment(run, "/waitingUntil", "not before", now)
}

fn moment(value: &Value, pointer: &str, word: &str, now: Timestamp) -> String {
    match time(value, pointer) {
        None => String::new(),
        Some(at) => format!(", {word} {}{}", timestamp(value, pointer), ahead(at, now)),
    }
}

/// Rounded up, so that nothing is announced too early; nothing once the moment has come.
fn ahead(at: Timestamp, now: Timestamp) -> String {
    let seconds = (at.duration_since(now).as_millis().max(0) + 999) / 1_000;
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0) => String::new(),
        (0, 0, seconds) => format!(" (in {seconds} s)"),
        (0, minutes, seconds) => format!(" (in {minutes} min {seconds} s)"),
        (hours, minutes, _) => format!(" (in {hours} h {minutes} min)"),
    }
}
