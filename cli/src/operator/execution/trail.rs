//! The trail of an execution as lines for people: when, after its beginning, what happened.

use jiff::Timestamp;
use serde_json::Value;

use super::layout::what_became;
use crate::operator::output::field;

/// The lines of all entries after the first `seen`. An event that this version does not know is shown by its name.
pub(super) fn lines_after(seen: usize, execution: &Value) -> Vec<String> {
    let began = time(execution, "/createdAt");
    let entries = execution.get("trail").and_then(Value::as_array);
    let new = entries.into_iter().flatten().skip(seen);
    new.map(|entry| format!("{}  {}", after(began, entry), what_happened(entry, execution))).collect()
}

/// As in `+12.345 s`.
fn after(began: Option<Timestamp>, entry: &Value) -> String {
    match seconds(began, time(entry, "/at")) {
        Some(seconds) => format!("{:>+9.3} s", seconds),
        None => format!("{:>11}", "?"),
    }
}

fn what_happened(entry: &Value, execution: &Value) -> String {
    let at = |pointer| field(entry, pointer);
    let attempt = || format!("step {}, attempt {}", at("/step"), at("/attempt"));
    match at("/event").as_str() {
        "accepted" => format!("accepted from {}", at("/by")),
        "claimed" => format!("taken by worker {} (epoch {})", at("/by"), at("/epoch")),
        "intent" => format!("{}: sending", attempt()),
        "outcome" => format!("{}: {}", attempt(), outcome(entry, execution)),
        "late" => format!("{}: answered late, {}", attempt(), at("/outcome")),
        "waiting" => waiting(entry),
        "needsReview" => format!("step {}: nobody can know what became of it", at("/step")),
        "resolved" => {
            format!("step {}: {} by {}: {}", at("/step"), at("/resolution"), at("/by"), at("/reason"))
        }
        "stopRequested" => format!("{} asks it to stop: {}", at("/by"), at("/reason")),
        "ended" => format!("ended: {}", at("/status")),
        other => of_step(other, entry).unwrap_or_else(|| other.to_owned()),
    }
}

/// What happened to a step of a workflow or of a phased runbook, or to the whole of one.
fn of_step(event: &str, entry: &Value) -> Option<String> {
    let at = |pointer| field(entry, pointer);
    let step = format!("step {}", at("/step"));
    Some(match event {
        "answered" => format!("{step}: {}", at("/answer")),
        "skipped" => format!("{step}: skipped"),
        "delayed" => format!("{step}: a delay"),
        "resumed" => format!("{step}: the delay is over"),
        "found" => format!("{step}: done before"),
        "started" => format!("{step}: started {}", at("/execution")),
        "childEnded" => format!("{step}: {} is {}", at("/execution"), at("/status")),
        "stepFailed" => format!("{step}: {}", at("/error")),
        "branched" => format!("{step}: on to {}", at("/to")),
        "asked" => format!("{step}: people are asked, round {}, digest {}", at("/round"), at("/subject")),
        "decided" => format!("{step}: {}", at("/verdict")),
        "voided" => format!("{step}: the decision is void, {}", at("/because")),
        "calledBack" => format!("{step}: the receiver called back"),
        "armed" => format!("{step}: stored"),
        "unwinding" => format!("taking back what was done: {}", at("/reason")),
        "undoFailed" => format!("{step}: it could not be taken back"),
        "undoDecided" => format!("{step}: undo {} by {}: {}", at("/decision"), at("/by"), at("/reason")),
        "pauseRequested" => format!("{} asks it to pause: {}", at("/by"), at("/reason")),
        "freezePassed" => format!("changes are frozen; it begins by break-glass {}", at("/glass")),
        "quiesced" => "nothing is in flight any more".to_owned(),
        "anomaly" => format!("unusual: {}", at("/because")),
        "gaveUp" => format!("given up: {}", at("/because")),
        "unpaused" => format!("{} lets it go on", at("/by")),
        _ => return None,
    })
}

/// What the attempt itself says, else the word of the trail.
fn outcome(entry: &Value, execution: &Value) -> String {
    let made = attempt_of(entry, execution);
    made.map_or_else(|| field(entry, "/outcome"), what_became)
}

fn attempt_of<'e>(entry: &Value, execution: &'e Value) -> Option<&'e Value> {
    let steps = execution.get("steps")?.as_array()?;
    let step = steps.iter().find(|step| step.get("id") == entry.get("step"))?;
    let attempts = step.get("attempts")?.as_array()?;
    attempts.iter().find(|attempt| attempt.get("number") == entry.get("attempt"))
}

fn waiting(entry: &Value) -> String {
    match seconds(time(entry, "/at"), time(entry, "/until")) {
        Some(seconds) if seconds > 0.0 => format!("waiting {seconds:.3} s"),
        Some(_) | None => "waiting for a worker".to_owned(),
    }
}

fn time(value: &Value, pointer: &str) -> Option<Timestamp> {
    value.pointer(pointer)?.as_str()?.parse().ok()
}

fn seconds(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<f64> {
    Some(to?.duration_since(from?).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn execution() -> Value {
        let at = |millis: u32| format!("2026-03-01T12:00:{:02}.{:03}Z", millis / 1_000, millis % 1_000);
        json!({
            "createdAt": at(0),
            "steps": [{"id": "webhook", "attempts": [
                {"number": 1, "outcome": "unknown", "reason": "no answer within 20 s"},
                {"number": 2, "outcome": "answered", "statusCode": 503},
                {"number": 3},
            ]}],
            "trail": [
                {"at": at(0), "event": "accepted", "by": "ada"},
                {"at": at(12), "event": "claimed", "by": "worker-1", "epoch": 1},
                {"at": at(12), "event": "intent", "step": "webhook", "attempt": 1, "request": "d"},
                {"at": at(20_012), "event": "outcome", "step": "webhook", "attempt": 1, "outcome": "unknown"},
                {"at": at(20_012), "event": "waiting", "until": at(21_100)},
                {"at": at(21_200), "event": "outcome", "step": "webhook", "attempt": 2, "outcome": "503"},
                {"at": at(21_200), "event": "waiting", "until": at(21_200)},
                {"at": at(21_300), "event": "late", "step": "webhook", "attempt": 1, "outcome": "200"},
                {"at": at(21_400), "event": "needsReview", "step": "webhook"},
                {"at": at(21_500), "event": "resolved", "by": "bo", "step": "webhook", "resolution": "happened",
                 "reason": "seen in the log\u{1b}[2J"},
                {"at": at(21_600), "event": "stopRequested", "by": "bo", "reason": "enough"},
                {"at": at(21_700), "event": "somethingNew"},
                {"at": "soon", "event": "ended", "status": "SUCCESS"},
            ],
        })
    }

    #[test]
    fn each_event_is_one_line_with_its_time() {
        insta::assert_snapshot!(lines_after(0, &execution()).join("\n"));
    }

    #[test]
    fn only_what_is_new_is_shown() {
        assert_eq!(lines_after(12, &execution()).len(), 1);
        assert_eq!(lines_after(99, &execution()).len(), 0);
        assert_eq!(lines_after(0, &json!({})).len(), 0);
    }
}
