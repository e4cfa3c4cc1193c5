//! Workflows, and what they would do, arranged for people.

use serde_json::Value;

use crate::operator::execution::{duration, why};
use crate::operator::output::{Layout, field, timestamp};

pub(super) fn workflow(body: &Value) -> Layout {
    let at = |pointer| field(body, pointer);
    let mut facts = vec![
        ("ID", at("/id")),
        ("Name", at("/name")),
        ("Team", at("/teamId")),
        ("Enabled", at("/enabled")),
        ("Trigger", at("/trigger/type")),
        ("Version", at("/version")),
        ("Timeout", at("/settings/timeout")),
        ("Author", at("/author")),
        ("Updated", timestamp(body, "/updatedAt")),
    ];
    let nodes = body.pointer("/definition/nodes").and_then(Value::as_array);
    facts.extend(nodes.into_iter().flatten().map(|node| ("Node", node_line(node))));
    let broken = body.get("brokenReferences").and_then(Value::as_array);
    facts.extend(broken.into_iter().flatten().map(|broken| ("Broken", broken_line(broken))));
    Layout::facts(facts)
}

fn node_line(node: &Value) -> String {
    let kind = match field(node, "/action/type").as_str() {
        "-" => field(node, "/type"),
        action => format!("{} {action}", field(node, "/type")),
    };
    match field(node, "/name").as_str() {
        "-" => format!("{}: {kind}", field(node, "/id")),
        name => format!("{}: {kind}, {name}", field(node, "/id")),
    }
}

fn broken_line(broken: &Value) -> String {
    let at = |pointer| field(broken, pointer);
    format!("{}: {}: {}", at("/node"), at("/runbookId"), at("/reason"))
}

pub(super) fn workflows(body: &Value) -> Layout {
    let head = ["ID", "NAME", "TEAM", "ENABLED", "TRIGGER", "VERSION", "UPDATED"];
    Layout::rows(&head, body, |item| {
        vec![
            field(item, "/id"),
            field(item, "/name"),
            field(item, "/teamId"),
            field(item, "/enabled"),
            field(item, "/triggerType"),
            field(item, "/version"),
            timestamp(item, "/updatedAt"),
        ]
    })
}

pub(super) fn executions(body: &Value) -> Layout {
    let head = ["ID", "STATUS", "VERSION", "BY", "CAUSE", "CREATED", "DURATION", "WHY"];
    Layout::rows(&head, body, |item| {
        vec![
            field(item, "/id"),
            field(item, "/status"),
            field(item, "/workflow/version"),
            field(item, "/requestedBy"),
            field(item, "/cause"),
            timestamp(item, "/createdAt"),
            duration(item),
            why(item),
        ]
    })
}

/// One line a predicate: what was asked, what was expected, and what was there.
pub(super) fn trial(body: &Value) -> Layout {
    let at = |pointer| field(body, pointer);
    let mut facts =
        vec![("Outcome", at("/outcome")), ("Would start", at("/wouldStart")), ("Obstacle", at("/obstacle"))];
    let reasons = body.get("reasons").and_then(Value::as_array);
    facts.extend(reasons.into_iter().flatten().map(|asked| {
        let sign = if asked.get("holds") == Some(&Value::Bool(true)) { "Holds" } else { "Fails" };
        let at = |pointer| field(asked, pointer);
        (sign, format!("{}: expected {}, seen {}", at("/name"), at("/expected"), at("/seen")))
    }));
    Layout::facts(facts)
}

pub(super) fn backtest(body: &Value) -> Layout {
    let mut facts = vec![("Events", field(body, "/events"))];
    let outcomes = body.get("outcomes").and_then(Value::as_object);
    facts.extend(outcomes.into_iter().flatten().map(|(name, count)| ("Outcome", format!("{name} {count}"))));
    facts.push(("Cut", field(body, "/cut")));
    let starts = body.get("starts").and_then(Value::as_array);
    facts.extend(starts.into_iter().flatten().map(|start| {
        let line = [timestamp(start, "/at"), field(start, "/incidentId"), field(start, "/title")];
        ("Start", line.join(" "))
    }));
    Layout::facts(facts)
}
