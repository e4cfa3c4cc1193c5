use std::path::Path;

use serde_json::Value;

use super::document;

/// Where the document is checked in.
const CHECKED_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

fn parsed() -> Value {
    serde_json::from_str(&document()).expect("JSON")
}

/// Each operation as `METHOD /path`, with its description.
fn operations() -> Vec<(String, Value)> {
    let mut operations = Vec::new();
    for (path, item) in parsed()["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("a path") {
            operations.push((format!("{} {path}", method.to_uppercase()), operation.clone()));
        }
    }
    operations
}

/// Refresh it with `MUSTER_BLESS=1 cargo test -p muster-http openapi`.
#[test]
fn the_checked_in_document_is_current() {
    let document = document();
    if std::env::var_os("MUSTER_BLESS").is_some() {
        std::fs::write(Path::new(CHECKED_IN), &document).expect("docs can be written");
    }
    let checked_in = std::fs::read_to_string(Path::new(CHECKED_IN)).expect("docs/openapi.json is there");
    assert!(
        checked_in == document,
        "docs/openapi.json is not current: MUSTER_BLESS=1 cargo test -p muster-http openapi"
    );
}

#[test]
fn the_document_is_openapi_3_1_with_unique_operations() {
    let document = parsed();
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids: Vec<String> =
        operations().iter().map(|(_, operation)| operation["operationId"].to_string()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[test]
fn every_operation_and_every_answer_is_described() {
    let described = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    for (name, operation) in operations() {
        assert!(described(&operation["summary"]), "{name}");
        for (status, response) in operation["responses"].as_object().expect("responses") {
            assert!(described(&response["description"]), "{name} {status}");
        }
    }
}

#[test]
fn every_operation_declares_its_refusals_as_problems() {
    for (name, operation) in operations() {
        let responses = operation["responses"].as_object().expect("responses");
        let known = name.contains(" /api/") && name != OPEN;
        assert_eq!(responses.contains_key("401"), known, "{name} and 401");
        for (status, response) in responses.iter().filter(|(status, _)| *status >= &"400".to_owned()) {
            let problem = &response["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(problem, "#/components/schemas/Problem", "{name} {status}");
        }
    }
}

/// Editors that ask for the schema have no token.
const OPEN: &str = "GET /api/schemas/runbook";

/// Deliveries have ids of their own, and their senders know of no such header.
const DELIVERIES: [&str; 4] = [
    "POST /api/events",
    "POST /api/executions/{id}/steps/{step}/callback",
    "POST /api/hooks/slack/actions",
    "POST /api/hooks/{integrationId}",
];

#[test]
fn every_post_but_a_delivery_takes_an_idempotency_key() {
    for (name, operation) in operations() {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let takes = parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key");
        let expected = name.starts_with("POST ") && !DELIVERIES.contains(&name.as_str());
        assert_eq!(takes, expected, "{name}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = parsed();
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("a local reference");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect_references(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| collect_references(member, references));
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect_references(element, references)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
