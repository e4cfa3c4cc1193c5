//! The id of the execution that something starts: the same whenever and however often it is computed.
//!
//! Duplicates, reordering and replay therefore all meet at one item, and start nothing twice (INVARIANTS B6).

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::ids::{ExecutionId, IncidentId, StepId, WorkflowId};
use crate::incident::IncidentEvent;
use crate::time::Time;

/// The execution of a workflow that an event starts. It sorts by the time of the event.
pub fn execution_id(workflow: &WorkflowId, event: &IncidentEvent) -> ExecutionId {
    derived(event.at, &["event", workflow.as_str(), &event.idempotency_key()])
}

/// The execution of a workflow that the age of an incident starts. It sorts by when the incident became old enough.
pub fn age_execution_id(
    workflow: &WorkflowId,
    incident: &IncidentId,
    opened_at: Time,
    threshold: Duration,
) -> ExecutionId {
    let minutes = (threshold.as_secs() / 60).to_string();
    derived(opened_at.plus(threshold), &["age", workflow.as_str(), incident.as_str(), &minutes])
}

/// The execution that a step starts: `began_at` is when its own execution was accepted.
pub fn child_execution_id(parent: &ExecutionId, began_at: Time, step: &StepId) -> ExecutionId {
    derived(began_at, &["step", parent.as_str(), step.as_str()])
}

/// The execution that takes another one back: there is one at most.
pub fn rollback_execution_id(ended: &ExecutionId, began_at: Time) -> ExecutionId {
    derived(began_at, &["rollback", ended.as_str()])
}

/// The first 80 bits of a hash in place of randomness. No part holds a line end, so none runs into the next.
fn derived(at: Time, parts: &[&str]) -> ExecutionId {
    let hash = Sha256::digest(parts.join("\n"));
    let random = hash.iter().take(10).fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
    ExecutionId::new(at, random)
}
