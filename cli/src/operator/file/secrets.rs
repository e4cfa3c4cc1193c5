//! Secrets in a file: only their names may stand there.

use muster_domain::fault::{Fault, pointer_to};
use std::collections::BTreeMap;

use muster_domain::request::HeaderValue;
use muster_domain::runbook::RunbookDefinition;
use muster_domain::workflow::Action;
use serde_json::Value;

/// How a secret is written in a definition.
const REFERENCE: &str = r#"store it under a name and write {"$secret": "name"}"#;
/// Members of `webhookAuth` that hold references.
const SECRET_MEMBERS: [&str; 4] = ["password", "token", "key", "secret"];
/// Parts of header names whose values are most often secrets.
const SECRET_WORDS: [&str; 5] = ["token", "secret", "password", "api-key", "apikey"];

/// Values where only references may stand. Found before the typed parse, whose errors would repeat the value.
pub(super) fn faults(value: &Value) -> Vec<Fault> {
    let own = faults_of(value, "", ("webhookAuth", "webhookHeaders"));
    let calls = calls(value).into_iter().flat_map(|at| faults_of(value, &at, ("auth", "headers")));
    own.into_iter().chain(calls).collect()
}

/// The pointers of the calls of a phased runbook: its probes, actions and undos.
fn calls(runbook: &Value) -> Vec<String> {
    let elements = |at: &str| {
        let count = runbook.pointer(at).and_then(Value::as_array).map_or(0, Vec::len);
        let at = at.to_owned();
        (0..count).map(move |place| format!("{at}/{place}"))
    };
    let entries =
        elements("/phases").flat_map(|phase| elements(&format!("{phase}/steps")).collect::<Vec<_>>());
    let members =
        |entry: String| elements(&format!("{entry}/parallel/steps")).chain([entry]).collect::<Vec<_>>();
    let steps = entries.flat_map(members);
    let of_steps = steps.flat_map(|step| [format!("{step}/action"), format!("{step}/undo")]);
    let probes = elements("/prerequisites").map(|check| format!("{check}/probe"));
    of_steps.chain(probes).chain(["/verification/probe".to_owned()]).collect()
}

/// The same for the actions of a workflow.
pub(super) fn workflow_faults(value: &Value) -> Vec<Fault> {
    let nodes = value.pointer("/definition/nodes").and_then(Value::as_array);
    let actions = (0..nodes.map_or(0, Vec::len)).map(|node| format!("/definition/nodes/{node}/action"));
    actions.flat_map(|at| faults_of(value, &at, ("auth", "headers"))).collect()
}

/// The same for a team's settings.
pub(super) fn team_faults(value: &Value) -> Vec<Fault> {
    let values = ["/slack/webhookUrl", "/slack/token", "/teams/webhookUrl"].into_iter();
    let values = values.filter(|pointer| value.pointer(pointer).is_some_and(|held| !is_reference(held)));
    let faults =
        values.map(|pointer| Fault::new(pointer, format!("must not hold the secret itself: {REFERENCE}")));
    faults.chain(faults_of(value, "/notifier", ("auth", "headers"))).collect()
}

/// What is wrong with the authentication and the headers of the webhook at a pointer.
fn faults_of(value: &Value, at: &str, (auth, headers): (&str, &str)) -> Vec<Fault> {
    let mut faults = Vec::new();
    let (auth, headers) = (pointer_to(at, auth), pointer_to(at, headers));
    for pointer in [&auth, &headers] {
        if value.pointer(pointer).is_some_and(|held| !held.is_object()) {
            faults.push(Fault::new(pointer, "must be an object"));
        }
    }
    for member in SECRET_MEMBERS {
        let pointer = pointer_to(&auth, member);
        if value.pointer(&pointer).is_some_and(|held| !is_reference(held)) {
            faults.push(Fault::new(pointer, format!("must not hold the secret itself: {REFERENCE}")));
        }
    }
    for (name, held) in members(value, &headers) {
        if !held.is_string() && !is_reference(held) {
            let message = format!("must be a text, or a secret: {REFERENCE}");
            faults.push(Fault::new(pointer_to(&headers, name), message));
        }
    }
    faults
}

fn members<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    let object = value.pointer(pointer).and_then(Value::as_object);
    object.into_iter().flatten()
}

fn is_reference(value: &Value) -> bool {
    let only = |object: &serde_json::Map<String, Value>| object.len() == 1;
    value.as_object().is_some_and(only) && value.get("$secret").is_some_and(Value::is_string)
}

/// Headers that may hold any text, whose names say that the text is a secret.
pub(super) fn doubts(definition: &RunbookDefinition) -> Vec<Fault> {
    let mut doubts = Vec::new();
    match definition {
        RunbookDefinition::Simple(simple) => {
            doubt_headers("/webhookHeaders", &simple.webhook_headers, &mut doubts);
        }
        RunbookDefinition::Phased(phased) => {
            for (at, step) in phased.steps() {
                for (name, action) in [("action", &step.action), ("undo", &step.undo)] {
                    if let Some(Action::Webhook(webhook)) = action {
                        doubt_headers(&format!("{at}/{name}/headers"), &webhook.headers, &mut doubts);
                    }
                }
            }
        }
    }
    doubts
}

fn doubt_headers(at: &str, headers: &BTreeMap<String, HeaderValue>, found: &mut Vec<Fault>) {
    let suspicious = |name: &str| {
        let lower = name.to_lowercase();
        SECRET_WORDS.iter().any(|word| lower.contains(word))
    };
    for (name, value) in headers {
        match value {
            HeaderValue::Text(_) if suspicious(name) => {
                let message = format!("looks like a secret: {REFERENCE}");
                found.push(Fault::new(pointer_to(at, name), message));
            }
            HeaderValue::Text(_) | HeaderValue::Secret(_) => {}
        }
    }
}
