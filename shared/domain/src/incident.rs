//! Incidents, as far as an execution needs one: its facts are the context of templates.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::audit::ChainHead;
use crate::fault::Fault;
use crate::ids::{IncidentId, TeamId, UserId};
use crate::time::Time;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Priority {
    Low,
    Medium,
    High,
    Critical,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum IncidentStatus {
    Open,
    Acknowledged,
    Resolved,
    Closed,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Incident {
    pub id: IncidentId,
    pub title: String,
    pub priority: Priority,
    pub status: IncidentStatus,
    /// Absent: an incident of no team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<UserId>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    pub created_by: UserId,
    pub created_at: Time,
    pub audit: ChainHead,
}

/// What a person gives to open an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewIncident {
    /// 1 to 200 characters.
    pub title: String,
    pub priority: Priority,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<TeamId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<UserId>,
    /// Free facts for templates and conditions; at most 16 KiB, 16 levels deep.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

pub const MAX_TITLE_CHARS: usize = 200;
pub const MAX_METADATA_BYTES: usize = 16 * 1024;
pub const MAX_METADATA_DEPTH: usize = 16;

impl NewIncident {
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let length = self.title.chars().count();
        if length == 0 || length > MAX_TITLE_CHARS {
            faults.push(Fault::new("/title", format!("must have 1 to {MAX_TITLE_CHARS} characters")));
        }
        let metadata = Value::Object(self.metadata.clone());
        if metadata.to_string().len() > MAX_METADATA_BYTES {
            faults.push(Fault::new("/metadata", format!("is larger than {MAX_METADATA_BYTES} bytes")));
        }
        if depth(&metadata) > MAX_METADATA_DEPTH {
            faults.push(Fault::new("/metadata", format!("is deeper than {MAX_METADATA_DEPTH} levels")));
        }
        faults
    }
}

/// How deeply a JSON value nests; a scalar is 0. The JSON parser's own limit of 128 bounds the recursion.
fn depth(value: &Value) -> usize {
    match value {
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Value::Array(elements) => 1 + elements.iter().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}
