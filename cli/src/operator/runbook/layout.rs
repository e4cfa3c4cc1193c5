//! Runbooks and their versions arranged for people.

use serde_json::Value;

use crate::operator::output::{Layout, field, timestamp};

pub(super) fn runbook(body: &Value) -> Layout {
    let at = |pointer| field(body, pointer);
    Layout::facts(vec![
        ("ID", at("/id")),
        ("Name", at("/name")),
        ("Team", at("/teamId")),
        ("Tags", at("/tags")),
        ("Version", at("/version")),
        ("Status", at("/approvalStatus")),
        ("Approved version", at("/approvedVersion")),
        ("Digest", at("/digest")),
        ("Author", at("/author")),
        does(body),
        ("Idempotent", at("/idempotent")),
        ("Updated", timestamp(body, "/updatedAt")),
    ])
}

/// The one call, or the phases in order.
fn does(definition: &Value) -> (&'static str, String) {
    let at = |pointer| field(definition, pointer);
    match definition.get("phases").and_then(Value::as_array) {
        None => ("Webhook", format!("{} {}", at("/webhookMethod"), at("/webhookUrl"))),
        Some(phases) => {
            let ids: Vec<String> = phases.iter().map(|phase| field(phase, "/id")).collect();
            ("Phases", ids.join(", "))
        }
    }
}

pub(super) fn runbooks(body: &Value) -> Layout {
    let head = ["ID", "NAME", "TEAM", "VERSION", "STATUS", "APPROVED", "TAGS", "UPDATED"];
    Layout::rows(&head, body, |item| {
        vec![
            field(item, "/id"),
            field(item, "/name"),
            field(item, "/teamId"),
            field(item, "/version"),
            field(item, "/approvalStatus"),
            field(item, "/approvedVersion"),
            field(item, "/tags"),
            timestamp(item, "/updatedAt"),
        ]
    })
}

pub(super) fn versions(body: &Value) -> Layout {
    let head = ["VERSION", "STATUS", "AUTHOR", "CREATED", "APPROVED BY", "NOTE", "DIGEST"];
    Layout::rows(&head, body, |item| {
        vec![
            field(item, "/version"),
            field(item, "/approvalStatus"),
            field(item, "/author"),
            timestamp(item, "/createdAt"),
            field(item, "/approval/by"),
            field(item, "/changeNote"),
            field(item, "/digest"),
        ]
    })
}

pub(super) fn version(body: &Value) -> Layout {
    let at = |pointer| field(body, pointer);
    let definition = |name: &str| field(body, &format!("/definition/{name}"));
    Layout::facts(vec![
        ("Version", at("/version")),
        ("Status", at("/approvalStatus")),
        ("Name", definition("name")),
        does(body.get("definition").unwrap_or(&Value::Null)),
        ("Digest", at("/digest")),
        ("Author", at("/author")),
        ("Created", timestamp(body, "/createdAt")),
        ("Note", at("/changeNote")),
        ("Copied from", at("/rolledBackFrom")),
        ("Approved by", at("/approval/by")),
        ("Deprecated by", at("/deprecation/by")),
        ("Reason", at("/deprecation/reason")),
    ])
}

/// One line a changed place: `+` new, `-` gone, `~` changed.
pub(super) fn diff(body: &Value) -> Layout {
    Layout::rows_of(&["", "PLACE", "BEFORE", "AFTER"], body, "/changes", |change| {
        let side = |name: &str| change.get(name).map_or_else(|| "-".to_owned(), Value::to_string);
        vec![sign(change).to_owned(), field(change, "/pointer"), side("before"), side("after")]
    })
}

pub(super) fn sign(change: &Value) -> &'static str {
    match (change.get("before"), change.get("after")) {
        (None, _) => "+",
        (_, None) => "-",
        (Some(_), Some(_)) => "~",
    }
}
