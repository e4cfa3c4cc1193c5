//! What may be done to an incident: (incident, change) → (incident, events), and nothing else.
//!
//! OPEN, ACKNOWLEDGED and RESOLVED lead to every other status, RESOLVED back to OPEN included; CLOSED is final.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::history::HistoryEntry;
use super::merge::merge;
use super::{
    Cause, Incident, IncidentEvent, IncidentEventKind, IncidentStatus, Priority, check_metadata, check_title,
};
use crate::fault::{Fault, check_length};
use crate::ids::UserId;
use crate::presence::given;
use crate::time::Time;

/// The longest reason, in characters.
pub const MAX_REASON_CHARS: usize = 500;

/// One change of an incident; all of it happens or nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum IncidentChange {
    Patch(IncidentPatch),
    Escalate(Escalation),
}

/// What a person or a source changes of an incident; absent members stay as they are.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IncidentPatch {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<IncidentStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// `null` leaves it to nobody.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Option<UserId>>,
    /// 1 to 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A JSON merge patch (RFC 7396): `null` removes a member. What comes of it is bounded as at the creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// At most 500 characters, for the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One level up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Escalation {
    /// At most 500 characters, for the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum IncidentDecision {
    /// The incident after the change, and the events it owes, each with a number of its own.
    Moved {
        to: Box<Incident>,
        events: Vec<IncidentEvent>,
    },
    /// The incident is already as the change would leave it.
    AlreadyDone,
    Refused(IncidentRefusal),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IncidentRefusal {
    #[error("the incident is CLOSED, which is final; open a new one")]
    Closed,
    #[error("the change is not valid")]
    Invalid(Vec<Fault>),
}

/// What becomes of the incident. A change that would change nothing is done already, even on a closed incident.
pub fn decide(incident: &Incident, change: &IncidentChange, cause: &Cause, now: Time) -> IncidentDecision {
    let to = match change.apply(incident) {
        Ok(to) => to,
        Err(faults) => return IncidentDecision::Refused(IncidentRefusal::Invalid(faults)),
    };
    if to == *incident {
        IncidentDecision::AlreadyDone
    } else if incident.status == IncidentStatus::Closed {
        IncidentDecision::Refused(IncidentRefusal::Closed)
    } else {
        moved(incident, to, HistoryEntry { reason: change.reason(), ..HistoryEntry::new(cause, now) }, cause)
    }
}

impl IncidentChange {
    /// The incident with the change, but for what records it.
    fn apply(&self, incident: &Incident) -> Result<Incident, Vec<Fault>> {
        match self {
            Self::Patch(patch) => patch.apply(incident),
            Self::Escalate(escalation) => {
                let faults = escalation.faults();
                let escalation = incident.escalation.saturating_add(1);
                if faults.is_empty() { Ok(Incident { escalation, ..incident.clone() }) } else { Err(faults) }
            }
        }
    }

    fn reason(&self) -> Option<String> {
        match self {
            Self::Patch(IncidentPatch { reason, .. }) | Self::Escalate(Escalation { reason }) => {
                reason.clone()
            }
        }
    }
}

impl IncidentPatch {
    /// What is wrong with the patch itself; what it would make of an incident is checked by [`decide`].
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let unchanged = Self { reason: self.reason.clone(), ..Self::default() };
        if *self == unchanged {
            let message = "changes nothing; give status, priority, assignee, title or metadata";
            faults.push(Fault::new("", message));
        }
        if let Some(title) = &self.title {
            check_title(title, &mut faults);
        }
        if let Some(metadata) = &self.metadata {
            check_metadata(metadata, &mut faults);
        }
        check_reason(self.reason.as_deref(), &mut faults);
        faults
    }

    fn apply(&self, incident: &Incident) -> Result<Incident, Vec<Fault>> {
        let mut faults = self.faults();
        let mut to = incident.clone();
        if let Some(patch) = self.metadata.as_ref().filter(|_| faults.is_empty()) {
            merge(&mut to.metadata, patch);
            check_metadata(&to.metadata, &mut faults);
        }
        to.status = self.status.unwrap_or(to.status);
        to.priority = self.priority.unwrap_or(to.priority);
        to.assignee = self.assignee.clone().unwrap_or(to.assignee);
        to.title = self.title.clone().unwrap_or(to.title);
        if faults.is_empty() { Ok(to) } else { Err(faults) }
    }
}

impl Escalation {
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        check_reason(self.reason.as_deref(), &mut faults);
        faults
    }
}

fn check_reason(reason: Option<&str>, faults: &mut Vec<Fault>) {
    check_length("/reason", reason.unwrap_or_default(), 0, MAX_REASON_CHARS, faults);
}

/// Writes down what happened: in the incident's history, and as events.
fn moved(before: &Incident, mut to: Incident, entry: HistoryEntry, cause: &Cause) -> IncidentDecision {
    let now = entry.at;
    to.updated_at = now;
    to.resolved_at = resolved_at(before, to.status, now);
    let entry = entry.with_differences(before, &to);
    let kinds = event_kinds(&entry);
    to.remember(entry);
    let events = kinds.into_iter().map(|kind| to.next_event(kind, cause, now)).collect();
    IncidentDecision::Moved { to: Box::new(to), events }
}

fn resolved_at(before: &Incident, status: IncidentStatus, now: Time) -> Option<Time> {
    match status {
        IncidentStatus::Open | IncidentStatus::Acknowledged => None,
        IncidentStatus::Resolved | IncidentStatus::Closed => before.resolved_at.or(Some(now)),
    }
}

/// A change of status and an escalation each have an event of their own; everything else shares one.
fn event_kinds(entry: &HistoryEntry) -> Vec<IncidentEventKind> {
    let passage = entry.status.as_ref();
    let state_changed =
        passage.map(|status| IncidentEventKind::StateChanged { from: status.from, to: status.to });
    let escalated = entry.escalation.map(|level| IncidentEventKind::Escalated { level });
    let fields = entry.updated_fields();
    let updated = (!fields.is_empty()).then_some(IncidentEventKind::Updated { fields });
    state_changed.into_iter().chain(escalated).chain(updated).collect()
}
