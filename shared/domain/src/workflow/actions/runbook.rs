//! Executes an approved runbook.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::fault::{Fault, pointer_to};
use crate::ids::RunbookId;
use crate::schema::ParameterSchema;
use crate::template::Template;
use crate::webhook;

/// The id of the runbook's execution is derived from the workflow's execution and the node, so that a repeat finds the
/// execution of the earlier attempt and starts no other. An event chooses neither runbook nor version (INVARIANTS C6):
/// no template stands in them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunbookAction {
    pub runbook_id: RunbookId,
    /// Absent: the newest approved version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Strings are templates; what they render to is validated against the runbook's schema.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
    /// Whether the workflow waits for the end of the runbook, and fails with it.
    #[serde(default)]
    pub wait: bool,
}

impl RunbookAction {
    /// What the runbook's schema refuses of the parameters whatever templates render to; `pointer` is where the action
    /// stands. A value that holds a template somewhere, all parameters included, is judged when it is rendered.
    pub fn static_faults(&self, schema: &ParameterSchema, pointer: &str) -> Vec<Fault> {
        let parameters = Value::Object(self.parameters.clone());
        let found = schema.validate(parameters.clone()).err().unwrap_or_default();
        let certain = |fault: &Fault| parameters.pointer(&fault.pointer).is_none_or(is_static);
        let at = pointer_to(pointer, "parameters");
        found.into_iter().filter(certain).map(|fault| fault.under(&at)).collect()
    }

    pub(super) fn faults(&self, pointer: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.version == Some(0) {
            faults.push(Fault::new(pointer_to(pointer, "version"), "versions count from 1"));
        }
        let parameters = Value::Object(self.parameters.clone());
        webhook::check_payload(&pointer_to(pointer, "parameters"), &parameters, &mut faults);
        faults
    }
}

/// Whether no template stands in a value, whose depth the checks before have bounded.
fn is_static(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => Template::compile(text).is_ok_and(|template| template.is_constant()),
        Value::Array(elements) => elements.iter().all(is_static),
        Value::Object(members) => members.values().all(is_static),
    }
}
