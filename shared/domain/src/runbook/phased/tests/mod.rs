//! Phased definitions: their faults, their forms, the schema that editors use, and the runbooks that come with Muster.

mod examples;
mod faults;
mod forms;
pub(crate) mod random;
mod schema;

use serde_json::{Value, json};

use crate::runbook::RunbookDefinition;

/// A valid runbook that has a little of everything.
pub(crate) fn runbook() -> Value {
    let call = json!({"type": "webhook", "url": "https://ops.example/do"});
    json!({
        "name": "Restart",
        "phases": [
            {"id": "detect", "steps": [
                {"id": "list", "type": "diagnostic", "action": call, "outputs": {"n": "body.n"}},
                {"parallel": {"id": "both", "steps": [
                    {"id": "a", "type": "diagnostic", "action": call},
                    {"id": "b", "type": "diagnostic", "action": call},
                ]}},
                {"id": "fork", "type": "branch", "otherwise": "act",
                 "branches": [{"when": "steps.list.outputs.n == 0", "goto": "end"}]},
            ]},
            {"id": "act", "steps": [
                {"id": "ask", "type": "approval", "approval": {
                    "levels": [{"of": ["team:ops:admin"], "needed": 1}], "expiresInSeconds": 60,
                }},
                {"id": "fix", "type": "remediation", "riskLevel": "high", "action": call, "undo": call},
                {"id": "wait", "type": "delay", "seconds": 60},
                {"id": "sane", "type": "check", "rule": "steps.list.outputs.n < 10"},
                {"id": "tell", "type": "notify", "action": {
                    "type": "slack", "webhookUrl": {"$secret": "slack"}, "text": "n is {{json steps.list.outputs.n}}",
                }},
            ]},
        ],
    })
}

/// The runbook with something else at a JSON pointer whose parent is there.
pub(crate) fn changed(pointer: &str, value: Value) -> Value {
    let mut runbook = runbook();
    let (parent, member) = pointer.rsplit_once('/').expect("points at a member");
    let parent = runbook.pointer_mut(parent).expect("the parent is there");
    if parent.is_array() {
        parent[member.parse::<usize>().expect("an index")] = value;
    } else {
        parent[member] = value;
    }
    runbook
}

pub(crate) fn parsed(value: &Value) -> RunbookDefinition {
    RunbookDefinition::of_json(value).unwrap_or_else(|fault| panic!("{fault:?}"))
}
