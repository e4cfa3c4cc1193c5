//! The workflows of the demo: the one of the repository, and one like it that waits for another service.

use muster_domain::ids::RunbookId;
use muster_domain::workflow::{Action, Node, WorkflowDefinition};
use serde_json::{Value, json};

use super::DemoError;

/// As it stands in the repository, within the binary so that the demo runs anywhere.
const WORKFLOW: &str = include_str!("../../../../events/workflows/restart-on-alarm.yaml");

/// In place of the time that a person gets to stop it.
const DELAY_SECONDS: u64 = 1;

/// The workflow of the repository, with the runbook in place of the one that nobody has.
pub(super) fn restart_on_alarm(runbook: &str) -> Result<WorkflowDefinition, DemoError> {
    let runbook: RunbookId = runbook.parse()?;
    let mut workflow: WorkflowDefinition = serde_saphyr::from_str(WORKFLOW)?;
    for node in &mut workflow.definition.nodes {
        match node {
            Node::Action { action: Action::Runbook(action), .. } => action.runbook_id = runbook.clone(),
            Node::Delay { seconds, .. } => *seconds = DELAY_SECONDS,
            Node::Action { .. } | Node::Trigger { .. } | Node::Condition { .. } => {}
        }
    }
    Ok(workflow)
}

/// The same for another service, whose incidents the demo's alarm is none of.
pub(super) fn of_another_service(workflow: &WorkflowDefinition) -> Value {
    let mut other = serde_json::to_value(workflow).unwrap_or_default();
    if let Some(members) = other.as_object_mut() {
        members.insert("name".into(), json!("Restart search on alarm"));
        let conditions = json!([{"field": "metadata.service", "value": "search"}]);
        members.insert("trigger".into(), json!({"type": "incident_created", "conditions": conditions}));
    }
    other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demos_workflow_calls_the_given_runbook_after_a_short_delay() {
        let runbook = "rb_01J9Z3V5K7M9N1P3Q5R7S9T1V3";
        let workflow = serde_json::to_value(restart_on_alarm(runbook).unwrap()).unwrap();
        let nodes = workflow["definition"]["nodes"].as_array().unwrap();
        let node = |kind: &str| nodes.iter().find(|node| node["type"] == kind).unwrap();
        assert_eq!(node("action")["action"]["runbookId"], runbook);
        assert_eq!(node("delay")["seconds"], DELAY_SECONDS);
    }
}
