//! What happened to an incident: its history, and the events that its changes caused.

use muster_domain::ids::{ExecutionId, UserId, WorkflowId};
use muster_domain::incident as domain;
use muster_domain::incident::history::Passage;
use serde::Serialize;
use utoipa::ToSchema;

use super::incident::{IncidentStatus, Priority};
use super::moment::Moment;

/// One event of an incident, as it is matched against workflows.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IncidentEvent {
    /// Counts from 1 within the incident.
    seq: u64,
    at: Moment,
    #[serde(flatten)]
    what: Happened,
    actor: Actor,
    /// The workflows that led to this, the first cause first.
    #[schema(value_type = Vec<String>)]
    chain: Vec<WorkflowId>,
    /// The same for all that one request or delivery caused.
    correlation_id: String,
    /// What caused this; absent if nothing did that Muster knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    causation_id: Option<String>,
    delivery: Delivery,
}

/// Whether the bus has it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Delivery {
    Owed,
    Delivered,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(crate) enum Happened {
    Created,
    StateChanged {
        from: IncidentStatus,
        to: IncidentStatus,
    },
    Escalated {
        level: u32,
    },
    /// Anything else changed; `fields` names what.
    Updated {
        fields: Vec<String>,
    },
}

/// Who changed an incident.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(crate) enum Actor {
    Person {
        #[schema(value_type = String)]
        user: UserId,
    },
    Workflow {
        #[schema(value_type = String)]
        workflow: WorkflowId,
        #[schema(value_type = String)]
        execution: ExecutionId,
    },
    /// A monitoring system.
    Source { name: String },
}

/// One change. Members that did not change are absent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HistoryEntry {
    at: Moment,
    by: Actor,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<StatusPassage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<PriorityPassage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignee: Option<AssigneePassage>,
    /// The level it was escalated to.
    #[serde(skip_serializing_if = "Option::is_none")]
    escalation: Option<u32>,
    /// Other fields that changed: `title`, `metadata`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatusPassage {
    from: IncidentStatus,
    to: IncidentStatus,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PriorityPassage {
    from: Priority,
    to: Priority,
}

/// An absent side is nobody.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AssigneePassage {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    from: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    to: Option<UserId>,
}

impl From<domain::IncidentEvent> for IncidentEvent {
    fn from(event: domain::IncidentEvent) -> Self {
        Self {
            seq: event.seq,
            at: event.at.into(),
            what: event.kind.into(),
            actor: event.actor.into(),
            chain: event.chain,
            correlation_id: event.correlation_id,
            causation_id: event.causation_id,
            delivery: event.due_at.map_or(Delivery::Delivered, |_| Delivery::Owed),
        }
    }
}

impl From<domain::IncidentEventKind> for Happened {
    fn from(kind: domain::IncidentEventKind) -> Self {
        match kind {
            domain::IncidentEventKind::Created => Self::Created,
            domain::IncidentEventKind::StateChanged { from, to } => {
                Self::StateChanged { from: from.into(), to: to.into() }
            }
            domain::IncidentEventKind::Escalated { level } => Self::Escalated { level },
            domain::IncidentEventKind::Updated { fields } => Self::Updated { fields },
        }
    }
}

impl From<domain::Actor> for Actor {
    fn from(actor: domain::Actor) -> Self {
        match actor {
            domain::Actor::Person { user } => Self::Person { user },
            domain::Actor::Workflow { workflow, execution } => Self::Workflow { workflow, execution },
            domain::Actor::Source { name } => Self::Source { name },
        }
    }
}

impl From<domain::HistoryEntry> for HistoryEntry {
    fn from(entry: domain::HistoryEntry) -> Self {
        let assignee = |Passage { from, to }| AssigneePassage { from, to };
        Self {
            at: entry.at.into(),
            by: entry.by.into(),
            reason: entry.reason,
            status: entry.status.map(|seen| StatusPassage { from: seen.from.into(), to: seen.to.into() }),
            priority: entry
                .priority
                .map(|seen| PriorityPassage { from: seen.from.into(), to: seen.to.into() }),
            assignee: entry.assignee.map(assignee),
            escalation: entry.escalation,
            fields: entry.fields,
        }
    }
}
