//! Incidents: what is wrong, who looks after it, and the events that its changes cause.

pub mod change;
mod envelope;
pub mod event;
mod facts;
pub mod history;
mod merge;
mod rfc3339;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::change::{
    Escalation, IncidentChange, IncidentDecision, IncidentPatch, IncidentRefusal, decide,
};
pub use self::envelope::EventError;
pub use self::event::{Actor, Cause, IncidentEvent, IncidentEventKind};
pub use self::facts::IncidentFacts;
pub use self::history::HistoryEntry;
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

impl Priority {
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum IncidentStatus {
    Open,
    Acknowledged,
    Resolved,
    Closed,
}

impl IncidentStatus {
    pub const ALL: [Self; 4] = [Self::Open, Self::Acknowledged, Self::Resolved, Self::Closed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Acknowledged => "ACKNOWLEDGED",
            Self::Resolved => "RESOLVED",
            Self::Closed => "CLOSED",
        }
    }

    /// Whether somebody still has to do something about it: age triggers fire only then (C10).
    pub const fn is_open(self) -> bool {
        match self {
            Self::Open | Self::Acknowledged => true,
            Self::Resolved | Self::Closed => false,
        }
    }
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
    /// When it last changed; the epoch in items written before there were changes.
    #[serde(default = "epoch")]
    pub updated_at: Time,
    /// When it was resolved, or closed without; absent while it is open, and again after it was reopened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Time>,
    /// How often it was escalated.
    #[serde(default)]
    pub escalation: u32,
    /// What reported it; absent if a person opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<IncidentSource>,
    /// The newest changes, oldest first; the audit chain has all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<HistoryEntry>,
    /// Number of its newest event; events count from 1 without gaps.
    #[serde(default)]
    pub seq: u64,
    pub audit: ChainHead,
}

/// Where an incident comes from, so that a firing and its resolution meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentSource {
    /// Name of the source, as in `cloudwatch`.
    pub name: String,
    /// The same for every report about one thing that is wrong.
    pub fingerprint: String,
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

/// Where and under what name a new incident begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    pub id: IncidentId,
    pub created_by: UserId,
    pub source: Option<IncidentSource>,
}

pub const MAX_TITLE_CHARS: usize = 200;
pub const MAX_METADATA_BYTES: usize = 16 * 1024;
pub const MAX_METADATA_DEPTH: usize = 16;

impl Incident {
    /// A new incident, and the event that says so.
    pub fn open(new: NewIncident, opening: Opening, cause: &Cause, now: Time) -> (Self, IncidentEvent) {
        let mut incident = Self {
            id: opening.id,
            title: new.title,
            priority: new.priority,
            status: IncidentStatus::Open,
            team: new.team_id,
            assignee: new.assignee,
            metadata: new.metadata,
            created_by: opening.created_by,
            created_at: now,
            updated_at: now,
            resolved_at: None,
            escalation: 0,
            source: opening.source,
            history: Vec::new(),
            seq: 0,
            audit: ChainHead::default(),
        };
        let event = incident.next_event(IncidentEventKind::Created, cause, now);
        (incident, event)
    }

    /// When it last changed, whoever wrote the item.
    pub fn changed_at(&self) -> Time {
        self.updated_at.max(self.created_at)
    }
}

impl NewIncident {
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        check_title(&self.title, &mut faults);
        check_metadata(&self.metadata, &mut faults);
        faults
    }
}

fn check_title(title: &str, faults: &mut Vec<Fault>) {
    let length = title.chars().count();
    if length == 0 || length > MAX_TITLE_CHARS {
        faults.push(Fault::new("/title", format!("must have 1 to {MAX_TITLE_CHARS} characters")));
    }
}

fn check_metadata(metadata: &Map<String, Value>, faults: &mut Vec<Fault>) {
    let depth = 1 + metadata.values().map(depth).max().unwrap_or(0);
    if depth > MAX_METADATA_DEPTH {
        faults.push(Fault::new("/metadata", format!("is deeper than {MAX_METADATA_DEPTH} levels")));
    }
    let bytes = serde_json::to_vec(metadata).map_or(usize::MAX, |json| json.len());
    if bytes > MAX_METADATA_BYTES {
        faults.push(Fault::new("/metadata", format!("is larger than {MAX_METADATA_BYTES} bytes")));
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

fn epoch() -> Time {
    Time::EPOCH
}

#[cfg(test)]
pub(crate) mod table;
#[cfg(test)]
mod tests;
