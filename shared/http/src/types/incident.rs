//! Incidents as clients open them, and as the API shows them.

use muster_domain::ids::{IncidentId, TeamId, UserId};
use muster_domain::incident as domain;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

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
}

impl From<domain::Incident> for Incident {
    fn from(incident: domain::Incident) -> Self {
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

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum IncidentStatus {
    Open,
    Acknowledged,
    Resolved,
    Closed,
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
