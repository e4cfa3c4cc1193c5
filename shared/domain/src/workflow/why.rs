//! Why an event did or did not start a workflow (C4).

use std::time::Duration;

use super::{MatchOutcome, Predicate};
use crate::ids::{ExecutionId, IncidentId, WorkflowId};
use crate::time::Time;

/// How long a decision is kept.
pub const KEPT_FOR: Duration = Duration::from_hours(30 * 24);

/// One event and one candidate. Those of one event are stored together, as a [`WhyPart`](super::WhyPart).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhyRecord {
    /// The event's idempotency key.
    pub event: String,
    /// The event's moment: records sort by it.
    pub event_at: Time,
    pub incident: IncidentId,
    pub workflow: WorkflowId,
    pub workflow_version: u32,
    pub workflow_name: String,
    /// When it was decided.
    pub at: Time,
    pub outcome: MatchOutcome,
    pub reasons: Vec<Predicate>,
    /// What was started; absent if nothing was.
    pub execution: Option<ExecutionId>,
    /// After this it counts as gone, whether or not it was collected.
    pub expires_at: Time,
}
