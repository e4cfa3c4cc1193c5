//! What happened to an incident, as it is stored until it is delivered, and then matched against workflows.

use serde::{Deserialize, Serialize};

use super::{Incident, IncidentFacts, IncidentStatus};
use crate::ids::{ExecutionId, IncidentId, UserId, WorkflowId};
use crate::time::Time;

pub use super::envelope::SOURCE;

/// One event of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IncidentEvent {
    pub incident: IncidentId,
    /// Counts from 1 without gaps within the incident.
    pub seq: u64,
    pub kind: IncidentEventKind,
    pub at: Time,
    pub actor: Actor,
    /// The workflows that led to this, the first cause first; empty if no workflow did (C5).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<WorkflowId>,
    /// The same for all that one request or delivery caused.
    pub correlation_id: String,
    /// What caused this: the idempotency key of an event, or the id of a delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<String>,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The incident right after the change.
    pub snapshot: IncidentFacts,
    /// When delivery is overdue; absent once it is delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Time>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum IncidentEventKind {
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

impl IncidentEventKind {
    /// The `detail-type` on the bus.
    pub const fn detail_type(&self) -> &'static str {
        match self {
            Self::Created => "Incident Created",
            Self::StateChanged { .. } => "Incident State Changed",
            Self::Escalated { .. } => "Incident Escalated",
            Self::Updated { .. } => "Incident Updated",
        }
    }
}

/// Who changed an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Actor {
    Person { user: UserId },
    Workflow { workflow: WorkflowId, execution: ExecutionId },
    Source { name: String },
}

/// Who changes an incident, and what led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub by: Actor,
    /// Ends with the workflow that acts, if one does.
    pub chain: Vec<WorkflowId>,
    pub correlation_id: String,
    pub causation_id: Option<String>,
    pub traceparent: Option<String>,
}

impl Cause {
    /// A cause that no event and no workflow led to.
    pub fn first(by: Actor, correlation_id: impl Into<String>) -> Self {
        let correlation_id = correlation_id.into();
        Self { by, chain: Vec::new(), correlation_id, causation_id: None, traceparent: None }
    }
}

impl IncidentEvent {
    /// What tells repeated deliveries apart: `<incident>-<seq>`.
    pub fn idempotency_key(&self) -> String {
        format!("{}-{}", self.incident, self.seq)
    }

    pub const fn detail_type(&self) -> &'static str {
        self.kind.detail_type()
    }

    /// The cause of what a workflow does that this event started: its chain is one longer.
    pub fn consequence(&self, workflow: WorkflowId, execution: ExecutionId) -> Cause {
        let mut chain = self.chain.clone();
        chain.push(workflow.clone());
        Cause {
            by: Actor::Workflow { workflow, execution },
            chain,
            correlation_id: self.correlation_id.clone(),
            causation_id: Some(self.idempotency_key()),
            traceparent: self.traceparent.clone(),
        }
    }
}

impl Incident {
    /// Numbers the next event. It is due at once; whoever stores it may grant the first delivery some time.
    pub(super) fn next_event(&mut self, kind: IncidentEventKind, cause: &Cause, now: Time) -> IncidentEvent {
        self.seq = self.seq.saturating_add(1);
        IncidentEvent {
            incident: self.id.clone(),
            seq: self.seq,
            kind,
            at: now,
            actor: cause.by.clone(),
            chain: cause.chain.clone(),
            correlation_id: cause.correlation_id.clone(),
            causation_id: cause.causation_id.clone(),
            traceparent: cause.traceparent.clone(),
            snapshot: IncidentFacts::from(&*self),
            due_at: Some(now),
        }
    }
}
