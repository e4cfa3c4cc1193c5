//! How approvals look.

use serde_json::Value;

use super::shown::covered;
use crate::operator::output::{Layout, field, items, timestamp};

/// One line each: what to look at first, and how far it has come.
pub(super) fn inbox(body: &Value) -> Layout {
    Layout::rows(
        &["EXECUTION", "STEP", "STATUS", "UNTIL", "NEEDS", "AGREED", "RUNBOOK", "BY"],
        body,
        |item| {
            vec![
                field(item, "/executionId"),
                field(item, "/step"),
                field(item, "/status"),
                timestamp(item, "/until"),
                needs(item),
                agreed(item),
                field(item, "/runbook/name"),
                field(item, "/requestedBy"),
            ]
        },
    )
}

/// Each asking of an execution whole, the one under the other.
pub(crate) fn rounds(body: &Value) -> Layout {
    Layout::groups(items(body, "items").iter().map(facts).collect())
}

pub(crate) fn approval(body: &Value) -> Layout {
    Layout::facts(facts(body))
}

fn facts(approval: &Value) -> Vec<(&'static str, String)> {
    let at = |pointer| field(approval, pointer);
    let mut facts = vec![
        ("Execution", at("/executionId")),
        ("Step", format!("{}, round {}", at("/step"), at("/round"))),
        ("Status", at("/status")),
    ];
    facts.extend(approval.get("because").map(|_| ("Because", at("/because"))));
    facts.extend([
        ("Runbook", format!("{} version {}", at("/runbook/name"), at("/runbook/version"))),
        ("Asked by", at("/requestedBy")),
        ("Needs", needs(approval)),
        ("Until", timestamp(approval, "/until")),
    ]);
    facts.extend(covered(approval));
    facts.extend(items(approval, "decisions").iter().map(|one| ("Answer", said(one))));
    facts.push(("Digest", at("/digest")));
    facts
}

/// Level by level: how many of whom.
pub(crate) fn needs(approval: &Value) -> String {
    let level = |level: &Value| {
        let of: Vec<&str> = items(level, "of").iter().filter_map(Value::as_str).collect();
        format!("{} of {}", field(level, "/needed"), of.join(" or "))
    };
    items(approval, "levels").iter().map(level).collect::<Vec<_>>().join(", then ")
}

/// As in `1 of 2`: answers that stand, of those that all levels need.
pub(super) fn agreed(approval: &Value) -> String {
    let stands = |one: &&Value| {
        one.get("withdrawn").is_none() && one.get("verdict").and_then(Value::as_str) == Some("APPROVE")
    };
    let agreed = items(approval, "decisions").iter().filter(stands).count();
    let needed: u64 =
        items(approval, "levels").iter().filter_map(|level| level.get("needed")?.as_u64()).sum();
    format!("{agreed} of {needed}")
}

fn said(decision: &Value) -> String {
    let at = |pointer| field(decision, pointer);
    let mut said = format!("{} {} at {}", at("/by"), at("/verdict"), timestamp(decision, "/at"));
    for (member, pointer) in [("reason", "/reason"), ("form", "/form")] {
        if decision.get(member).is_some() {
            said.push_str(&format!(", {member} {}", at(pointer)));
        }
    }
    if decision.get("withdrawn").is_some() {
        said.push_str(&format!(" (taken back by {})", at("/withdrawn/by")));
    }
    said
}
