//! How approvals look.

use serde_json::Value;

use crate::operator::output::{Layout, field, timestamp};

pub(crate) fn approvals(body: &Value) -> Layout {
    Layout::rows(&["EXECUTION", "STEP", "STATUS", "UNTIL", "NEEDS", "RUNBOOK", "DIGEST"], body, |item| {
        vec![
            field(item, "/executionId"),
            field(item, "/step"),
            field(item, "/status"),
            timestamp(item, "/until"),
            needs(item),
            field(item, "/runbook/name"),
            field(item, "/digest"),
        ]
    })
}

pub(crate) fn approval(body: &Value) -> Layout {
    let at = |pointer| field(body, pointer);
    let decisions = elements(body, "decisions").map(|one| said(&one)).collect::<Vec<_>>().join("; ");
    let covers = elements(body, "shown").map(|one| field(&one, "/step")).collect::<Vec<_>>().join(", ");
    Layout::facts(vec![
        ("Execution", at("/executionId")),
        ("Step", at("/step")),
        ("Round", at("/round")),
        ("Status", at("/status")),
        ("Because", at("/because")),
        ("Runbook", at("/runbook/name")),
        ("Asked by", at("/requestedBy")),
        ("Needs", needs(body)),
        ("Covers", covers),
        ("Until", timestamp(body, "/until")),
        ("Decisions", decisions),
        ("Digest", at("/digest")),
    ])
}

/// Level by level: how many of whom.
pub(crate) fn needs(approval: &Value) -> String {
    let level = |level: Value| {
        let of: Vec<String> =
            elements(&level, "of").filter_map(|one| one.as_str().map(str::to_owned)).collect();
        format!("{} of {}", field(&level, "/needed"), of.join(" or "))
    };
    elements(approval, "levels").map(level).collect::<Vec<_>>().join(", then ")
}

fn said(decision: &Value) -> String {
    let withdrawn = if decision.get("withdrawn").is_some() { " (taken back)" } else { "" };
    format!("{} {}{withdrawn}", field(decision, "/by"), field(decision, "/verdict"))
}

fn elements(value: &Value, name: &str) -> impl Iterator<Item = Value> {
    value.get(name).and_then(Value::as_array).cloned().unwrap_or_default().into_iter()
}
