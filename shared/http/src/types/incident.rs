//! Incidents as clients open them, and as the API shows them.

use muster_domain::ids::{IncidentId, TeamId, UserId};
use muster_domain::incident as domain;
use muster_domain::presence::given;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::incident_event::HistoryEntry;
use super::moment::Moment;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewIncident {
    /// 1 to 200 characters.
    title: String,
    priority: Priority,
    /// Absent: an incident of no team, which platform admins open.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    team_id: Option<TeamId>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    assignee: Option<UserId>,
    /// Free facts for templates and conditions; at most 16 KiB, 16 levels deep.
    #[serde(default)]
    metadata: Map<String, Value>,
}

impl From<NewIncident> for domain::NewIncident {
    fn from(new: NewIncident) -> Self {
        Self {
            title: new.title,
            priority: new.priority.into(),
            team_id: new.team_id,
            assignee: new.assignee,
            metadata: new.metadata,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Incident {
    #[schema(value_type = String)]
    id: IncidentId,
    title: String,
    priority: Priority,
    status: IncidentStatus,
    /// Absent: an incident of no team.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    team_id: Option<TeamId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    assignee: Option<UserId>,
    metadata: Map<String, Value>,
    #[schema(value_type = String)]
    created_by: UserId,
    created_at: Moment,
    /// When it last changed.
    updated_at: Moment,
    /// When it was resolved, or closed without; absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_at: Option<Moment>,
    /// How often it was escalated.
    escalation: u32,
    /// What reported it; absent if a person opened it.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<IncidentSource>,
    /// The newest 50 changes, oldest first; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<HistoryEntry>>,
}

/// Where an incident comes from.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentSource {
    /// As in `cloudwatch`.
    name: String,
    /// The same for every report about one thing that is wrong.
    fingerprint: String,
}

impl From<domain::IncidentSource> for IncidentSource {
    fn from(source: domain::IncidentSource) -> Self {
        Self { name: source.name, fingerprint: source.fingerprint }
    }
}

/// What to change; absent members stay as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChangeIncident {
    #[serde(default)]
    status: Option<IncidentStatus>,
    #[serde(default)]
    priority: Option<Priority>,
    /// `null` leaves it to nobody.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    assignee: Option<Option<UserId>>,
    /// 1 to 200 characters.
    #[serde(default)]
    title: Option<String>,
    /// A JSON merge patch (RFC 7396): `null` removes a member. What comes of it is at most 16 KiB, 16 levels deep.
    #[serde(default)]
    metadata: Option<Map<String, Value>>,
    /// At most 500 characters, for the history.
    #[serde(default)]
    reason: Option<String>,
}

impl From<ChangeIncident> for domain::IncidentPatch {
    fn from(change: ChangeIncident) -> Self {
        Self {
            status: change.status.map(domain::IncidentStatus::from),
            priority: change.priority.map(domain::Priority::from),
            assignee: change.assignee,
            title: change.title,
            metadata: change.metadata,
            reason: change.reason,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EscalateIncident {
    /// At most 500 characters, for the history.
    #[serde(default)]
    reason: Option<String>,
}

impl From<EscalateIncident> for domain::Escalation {
    fn from(escalate: EscalateIncident) -> Self {
        Self { reason: escalate.reason }
    }
}

impl Incident {
    /// Without its history.
    pub(crate) fn listed(incident: domain::Incident) -> Self {
        Self { history: None, ..Self::from(incident) }
    }
}

impl From<domain::Incident> for Incident {
    fn from(incident: domain::Incident) -> Self {
        let updated_at = incident.changed_at().into();
        Self {
            id: incident.id,
            title: incident.title,
            priority: incident.priority.into(),
            status: incident.status.into(),
            team_id: incident.team,
            assignee: incident.assignee,
            metadata: incident.metadata,
            created_by: incident.created_by,
            created_at: incident.created_at.into(),
            updated_at,
            resolved_at: incident.resolved_at.map(Moment::from),
            escalation: incident.escalation,
            source: incident.source.map(IncidentSource::from),
            history: Some(incident.history.into_iter().map(HistoryEntry::from).collect()),
        }
    }
}

/// The incident of an execution, as it stands now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IncidentSummary {
    #[schema(value_type = String)]
    id: IncidentId,
    title: String,
    priority: Priority,
    status: IncidentStatus,
}

impl From<&domain::Incident> for IncidentSummary {
    fn from(incident: &domain::Incident) -> Self {
        Self {
            id: incident.id.clone(),
            title: incident.title.clone(),
            priority: incident.priority.into(),
            status: incident.status.into(),
        }
    }
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Priority {
    Low,
    Medium,
    High,
    Critical,
}

impl From<Priority> for domain::Priority {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::Low => Self::Low,
            Priority::Medium => Self::Medium,
            Priority::High => Self::High,
            Priority::Critical => Self::Critical,
        }
    }
}

impl From<domain::Priority> for Priority {
    fn from(priority: domain::Priority) -> Self {
        match priority {
            domain::Priority::Low => Self::Low,
            domain::Priority::Medium => Self::Medium,
            domain::Priority::High => Self::High,
            domain::Priority::Critical => Self::Critical,
        }
    }
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum IncidentStatus {
    Open,
    Acknowledged,
    Resolved,
    Closed,
}

impl From<IncidentStatus> for domain::IncidentStatus {
    fn from(status: IncidentStatus) -> Self {
        match status {
            IncidentStatus::Open => Self::Open,
            IncidentStatus::Acknowledged => Self::Acknowledged,
            IncidentStatus::Resolved => Self::Resolved,
            IncidentStatus::Closed => Self::Closed,
        }
    }
}

impl From<domain::IncidentStatus> for IncidentStatus {
    fn from(status: domain::IncidentStatus) -> Self {
        match status {
            domain::IncidentStatus::Open => Self::Open,
            domain::IncidentStatus::Acknowledged => Self::Acknowledged,
            domain::IncidentStatus::Resolved => Self::Resolved,
            domain::IncidentStatus::Closed => Self::Closed,
        }
    }
}
