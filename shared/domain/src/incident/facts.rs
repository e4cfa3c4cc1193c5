//! What conditions and templates see of an incident.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Incident, IncidentStatus, Priority, rfc3339};
use crate::ids::{IncidentId, TeamId, UserId};
use crate::template::walk;
use crate::time::Time;

/// An incident as it was at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IncidentFacts {
    pub id: IncidentId,
    pub title: String,
    pub priority: Priority,
    pub status: IncidentStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<TeamId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<UserId>,
    #[serde(default)]
    pub escalation: u32,
    #[serde(default)]
    pub metadata: Map<String, Value>,
    #[serde(with = "rfc3339")]
    pub created_at: Time,
}

impl IncidentFacts {
    /// The names a path may begin with.
    pub const NAMES: [&'static str; 9] =
        ["id", "title", "priority", "status", "teamId", "assignee", "escalation", "metadata", "createdAt"];

    /// The value at a dotted path such as `metadata.service`; `None` if the path leads nowhere.
    pub fn find(&self, path: &str) -> Option<Cow<'_, Value>> {
        let mut segments = path.split('.');
        let root = segments.next()?;
        if root == "metadata" {
            return self.find_in_metadata(segments);
        }
        let scalar = self.scalar(root)?;
        segments.next().is_none().then_some(Cow::Owned(scalar))
    }

    fn find_in_metadata<'s>(&self, mut segments: impl Iterator<Item = &'s str>) -> Option<Cow<'_, Value>> {
        match segments.next() {
            None => Some(Cow::Owned(Value::Object(self.metadata.clone()))),
            Some(first) => walk(self.metadata.get(first)?, segments).map(Cow::Borrowed),
        }
    }

    fn scalar(&self, name: &str) -> Option<Value> {
        match name {
            "id" => Some(self.id.as_str().into()),
            "title" => Some(self.title.as_str().into()),
            "priority" => Some(self.priority.as_str().into()),
            "status" => Some(self.status.as_str().into()),
            "teamId" => self.team_id.as_ref().map(|team| team.as_str().into()),
            "assignee" => self.assignee.as_ref().map(|user| user.as_str().into()),
            "escalation" => Some(self.escalation.into()),
            "createdAt" => Some(self.created_at.to_string().into()),
            _ => None,
        }
    }
}

impl From<&Incident> for IncidentFacts {
    fn from(incident: &Incident) -> Self {
        Self {
            id: incident.id.clone(),
            title: incident.title.clone(),
            priority: incident.priority,
            status: incident.status,
            team_id: incident.team.clone(),
            assignee: incident.assignee.clone(),
            escalation: incident.escalation,
            metadata: incident.metadata.clone(),
            created_at: incident.created_at,
        }
    }
}
