//! Workflows through their public functions.

mod faults;
mod matching;
mod properties;
mod shapes;
mod why;

use serde_json::{Value, json};

use super::WorkflowDefinition;

/// The least definition there is, with `changes` put at JSON pointers.
fn written(changes: &[(&str, Value)]) -> Value {
    let mut definition = json!({
        "name": "Page",
        "trigger": {"type": "incident_created", "conditions": [{"field": "priority", "value": "HIGH"}]},
        "definition": {"nodes": [trigger("start")], "edges": []},
        "settings": {},
    });
    for (pointer, value) in changes {
        put(&mut definition, pointer, value.clone());
    }
    definition
}

fn put(target: &mut Value, pointer: &str, value: Value) {
    if let Some(place) = target.pointer_mut(pointer) {
        *place = value;
    } else {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        target.pointer_mut(parent).expect("the parent is there")[name] = value;
    }
}

fn parsed(definition: Value) -> WorkflowDefinition {
    serde_json::from_value(definition.clone()).unwrap_or_else(|error| panic!("{definition}: {error}"))
}

fn trigger(id: &str) -> Value {
    json!({"id": id, "type": "trigger"})
}

fn delay(id: &str, seconds: u64) -> Value {
    json!({"id": id, "type": "delay", "seconds": seconds})
}

fn condition(id: &str) -> Value {
    json!({"id": id, "type": "condition", "field": "incident.priority", "equals": "HIGH"})
}

fn action(id: &str, action: Value) -> Value {
    json!({"id": id, "type": "action", "action": action})
}

fn edge(from: &str, to: &str) -> Value {
    json!({"from": from, "to": to})
}

fn branch(from: &str, to: &str, when: &str) -> Value {
    json!({"from": from, "to": to, "when": when})
}
