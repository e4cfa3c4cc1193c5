//! Why an event did or did not start a workflow, as the API shows it.

use muster_domain::ids::{ExecutionId, IncidentId, WorkflowId};
use muster_domain::workflow as domain;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::moment::Moment;

/// What was decided about one event and one workflow.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MatchDecision {
    /// The event: `<incident>-<number>`, or `<incident>-age-<minutes>min-<workflow>` when an incident came of age.
    event: String,
    /// When it happened.
    event_at: Moment,
    #[schema(value_type = String)]
    incident_id: IncidentId,
    #[schema(value_type = String)]
    workflow_id: WorkflowId,
    workflow_version: u32,
    workflow_name: String,
    decided_at: Moment,
    outcome: MatchOutcome,
    /// What was asked, in order.
    reasons: Vec<Predicate>,
    /// What was started; absent if nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    execution_id: Option<ExecutionId>,
}

impl From<domain::WhyRecord> for MatchDecision {
    fn from(why: domain::WhyRecord) -> Self {
        Self {
            event: why.event,
            event_at: why.event_at.into(),
            incident_id: why.incident,
            workflow_id: why.workflow,
            workflow_version: why.workflow_version,
            workflow_name: why.workflow_name,
            decided_at: why.at.into(),
            outcome: why.outcome.into(),
            reasons: why.reasons.into_iter().map(Predicate::from).collect(),
            execution_id: why.execution,
        }
    }
}

/// What was decided, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum MatchOutcome {
    Matched,
    NotMatched,
    /// Too many workflows led to the event, or this very one did.
    RefusedByLoopGuard,
    /// Too many of its executions started within a minute.
    Suppressed,
    /// It was noticed too late that the incident had come of age.
    Misfired,
    /// It matches and can never start; the last reason says why.
    CouldNotStart,
}

impl From<domain::MatchOutcome> for MatchOutcome {
    fn from(outcome: domain::MatchOutcome) -> Self {
        match outcome {
            domain::MatchOutcome::Matched => Self::Matched,
            domain::MatchOutcome::NotMatched => Self::NotMatched,
            domain::MatchOutcome::RefusedByLoopGuard => Self::RefusedByLoopGuard,
            domain::MatchOutcome::Suppressed => Self::Suppressed,
            domain::MatchOutcome::Misfired => Self::Misfired,
            domain::MatchOutcome::CouldNotStart => Self::CouldNotStart,
        }
    }
}

/// One thing that was asked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MatchPredicate)]
pub(crate) struct Predicate {
    /// `enabled`, `team`, `kind`, `transition`, `incident.<field>`, `chain`, `depth`, `open`, `age`, `starts`, `lateness` or `start`.
    name: String,
    expected: Value,
    /// Absent: there was nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<Value>,
    holds: bool,
}

impl From<domain::Predicate> for Predicate {
    fn from(predicate: domain::Predicate) -> Self {
        Self {
            name: predicate.name.into_owned(),
            expected: predicate.expected,
            seen: predicate.seen,
            holds: predicate.holds,
        }
    }
}
