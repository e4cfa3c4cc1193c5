//! The newest changes of an incident, kept on it for people to read.

use serde::{Deserialize, Serialize};

use super::{Actor, Cause, Incident, IncidentStatus, Priority};
use crate::ids::UserId;
use crate::time::Time;

/// The most entries an incident keeps; the audit chain has all of them.
pub const MAX_HISTORY: usize = 50;

/// One change: who, when, and what became of what. Members that did not change are absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    pub at: Time,
    pub by: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Passage<IncidentStatus>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Passage<Priority>>,
    /// `from` or `to` is null for nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Passage<Option<UserId>>>,
    /// The level it was escalated to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<u32>,
    /// Other fields that changed: `title`, `metadata`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

/// What a value was and became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage<T> {
    pub from: T,
    pub to: T,
}

impl HistoryEntry {
    /// An entry of no difference yet.
    pub fn new(cause: &Cause, now: Time) -> Self {
        Self {
            at: now,
            by: cause.by.clone(),
            reason: None,
            status: None,
            priority: None,
            assignee: None,
            escalation: None,
            fields: Vec::new(),
        }
    }

    pub(super) fn with_differences(self, before: &Incident, after: &Incident) -> Self {
        let renamed = (before.title != after.title).then(|| "title".to_owned());
        let annotated = (before.metadata != after.metadata).then(|| "metadata".to_owned());
        Self {
            status: passage(&before.status, &after.status),
            priority: passage(&before.priority, &after.priority),
            assignee: passage(&before.assignee, &after.assignee),
            escalation: (before.escalation != after.escalation).then_some(after.escalation),
            fields: renamed.into_iter().chain(annotated).collect(),
            ..self
        }
    }

    /// Names of the fields that changed, other than the status and the escalation, which have events of their own.
    pub(super) fn updated_fields(&self) -> Vec<String> {
        let priority = self.priority.as_ref().map(|_| "priority".to_owned());
        let assignee = self.assignee.as_ref().map(|_| "assignee".to_owned());
        priority.into_iter().chain(assignee).chain(self.fields.iter().cloned()).collect()
    }
}

impl Incident {
    pub(super) fn remember(&mut self, entry: HistoryEntry) {
        self.history.push(entry);
        let surplus = self.history.len().saturating_sub(MAX_HISTORY);
        self.history.drain(..surplus);
    }
}

fn passage<T: Clone + PartialEq>(from: &T, to: &T) -> Option<Passage<T>> {
    (from != to).then(|| Passage { from: from.clone(), to: to.clone() })
}
