//! What became of a step, or of all steps of a phase or group, in words.

use jiff::Timestamp;
use serde_json::Value;

use super::Sight;
use super::place::run_of;
use super::wait::waits;
use crate::operator::output::{Paint, field, items};

/// What is said beside a name, and under it.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) first: String,
    pub(super) more: Vec<String>,
}

impl Said {
    pub(super) fn line(first: String) -> Self {
        Self { first, more: Vec::new() }
    }
}

/// Shown of what has not begun and will not.
pub(super) const NOT_RUN: &str = "not run";
/// Shown of what has begun and will not end.
const NOT_FINISHED: &str = "not finished";

pub(super) fn of_step((written, run): (&Value, &Value), sight: Sight<'_>, paint: Paint) -> Said {
    let status = status_of(run, sight.execution);
    if status == "WAITING" {
        let mut said = waits((written, run), sight);
        said.first = format!("{} {}", paint.status(&status), said.first);
        return said;
    }
    let detail = match status.as_str() {
        "SUCCEEDED" => succeeded(run, sight.execution),
        "SENDING" => format!(", attempt {}", items(run, "attempts").len()),
        "SKIPPED" => format!(", {}", skipped(run)),
        "FAILED" => format!(": {}{}", field(run, "/error"), attempts(run)),
        "NEEDS_REVIEW" => format!(": {}", field(run, "/reason")),
        NOT_FINISHED => attempts(run),
        _ => String::new(),
    };
    Said::line(format!("{}{detail}", paint.status(&status)))
}

/// One word for all of them.
pub(super) fn of_steps(ids: &[String], sight: Sight<'_>, paint: Paint) -> Said {
    let statuses: Vec<String> =
        ids.iter().map(|id| status_of(run_of(sight.execution, id), sight.execution)).collect();
    let any = |wanted: &str| statuses.iter().any(|status| status == wanted);
    let all = |wanted: &[&str]| statuses.iter().all(|status| wanted.contains(&status.as_str()));
    let word = match () {
        () if any("NEEDS_REVIEW") => "NEEDS_REVIEW",
        () if any("SENDING") => "RUNNING",
        () if any("WAITING") => "WAITING",
        () if any("FAILED") => "FAILED",
        () if all(&[NOT_RUN]) => NOT_RUN,
        () if all(&["PENDING"]) => "PENDING",
        () if all(&["SKIPPED"]) => "SKIPPED",
        () if all(&["SUCCEEDED", "SKIPPED"]) => "SUCCEEDED",
        () if any(NOT_RUN) || any(NOT_FINISHED) => NOT_FINISHED,
        () => "RUNNING",
    };
    Said::line(paint.status(word))
}

fn status_of(run: &Value, execution: &Value) -> String {
    // On the way back no step begins any more.
    let over = ["endedAt", "unwinding"].iter().any(|name| execution.get(name).is_some());
    match run.get("status").and_then(Value::as_str) {
        Some("PENDING") | None if over => NOT_RUN.to_owned(),
        // Nothing of an ended execution waits for anything any more.
        Some("WAITING") if execution.get("endedAt").is_some() => NOT_FINISHED.to_owned(),
        None => "PENDING".to_owned(),
        Some(_) => field(run, "/status"),
    }
}

fn succeeded(run: &Value, execution: &Value) -> String {
    if let Some(entry) = marked_undone(run, execution) {
        return format!(", {} took it back by hand: {}", field(entry, "/by"), field(entry, "/reason"));
    }
    let mut said = took(run).map(|seconds| format!(" in {seconds:.3} s")).unwrap_or_default();
    said.push_str(&attempts(run));
    for (pointer, before) in [("/answer", "the answer is "), ("/way", "on to "), ("/executionId", "")] {
        if run.pointer(pointer).is_some() {
            said.push_str(&format!(", {before}{}", field(run, pointer)));
        }
    }
    let undo = run_of(execution, &format!("{}.undo", field(run, "/id")));
    if undo.get("status").and_then(Value::as_str) == Some("ARMED") {
        said.push_str(", can be taken back");
    }
    said
}

/// The event in which a person said that what an undo could not take back is taken back.
fn marked_undone<'e>(run: &Value, execution: &'e Value) -> Option<&'e Value> {
    let is =
        |entry: &Value, name: &str, wanted: &str| entry.get(name).and_then(Value::as_str) == Some(wanted);
    let undo = field(run, "/id");
    let step = undo.strip_suffix(".undo")?;
    items(execution, "trail").iter().rfind(|entry| {
        let of = is(entry, "step", step) || is(entry, "step", &undo);
        is(entry, "event", "undoDecided") && is(entry, "decision", "done") && of
    })
}

/// Nothing of a step that was tried once.
fn attempts(run: &Value) -> String {
    match items(run, "attempts").len() {
        0 | 1 => String::new(),
        attempts => format!(", {attempts} attempts"),
    }
}

/// From its beginning to its end, in seconds; of a call from the first attempt to the last answer.
fn took(run: &Value) -> Option<f64> {
    let attempts = items(run, "attempts");
    let first = attempts.first().unwrap_or(run);
    let last = attempts.last().unwrap_or(run);
    let (from, to) = (time(first, "/startedAt")?, time(last, "/endedAt")?);
    Some(to.duration_since(from).as_secs_f64())
}

pub(super) fn time(value: &Value, pointer: &str) -> Option<Timestamp> {
    value.pointer(pointer)?.as_str()?.parse().ok()
}

fn skipped(run: &Value) -> String {
    let because = run.get("skipped").unwrap_or(&Value::Null);
    let at = |pointer| field(because, pointer);
    match at("/because").as_str() {
        "branchNotTaken" => format!("{} chose the other way", at("/condition")),
        "nothingBefore" => "all before it was skipped".to_owned(),
        "ruleNotMet" => format!("its rule does not hold: {}", at("/rule")),
        "passedBy" => format!("{} led past it", at("/branch")),
        "afterFailure" => format!("{} failed", at("/of")),
        "groupDecided" => format!("{} was decided before", at("/group")),
        "nothingDone" => "nothing was done".to_owned(),
        "letBe" => format!("{} let it be: {}", at("/by"), at("/reason")),
        other => other.to_owned(),
    }
}
