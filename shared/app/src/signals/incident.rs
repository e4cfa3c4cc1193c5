//! From a signal to its incident: opened, counted on, acknowledged, resolved.

use muster_domain::ids::{IncidentId, UserId};
use muster_domain::incident::{
    Actor, Cause, Incident, IncidentChange, IncidentDecision, IncidentPatch, IncidentSource, IncidentStatus,
    MAX_METADATA_BYTES, NewIncident, Opening, decide,
};
use muster_domain::integration::Alert;
use muster_domain::sources::Signal;
use serde_json::{Map, Value, json};

use super::{Decided, Effect, Found, Sender, outcome};
use crate::runbooks::refuse_faults;
use crate::table::{Versioned, Write};
use crate::{App, Error};

/// What is left out first, and down to what fits, where a report says more than an incident may hold.
const SPARE: [&str; 4] = ["links", "labels", "summary", "runbookHint"];

/// What a report changes of an open incident.
pub(super) struct Reported {
    patch: IncidentPatch,
    action: &'static str,
    effect: Effect,
}

impl App {
    /// A firing without an open incident opens one; another one counts, and may raise the priority but never lower it.
    pub(super) fn decide_firing(
        &self,
        sender: &Sender,
        signal: &Signal,
        found: &Found,
    ) -> Result<Decided, Error> {
        let Some(incident) = found.incident.as_ref().filter(|incident| incident.value.status.is_open())
        else {
            return self.open_reported(sender, signal, found);
        };
        let priority = signal.severity.priority().max(incident.value.priority);
        let patch = IncidentPatch { priority: Some(priority), ..reported_by(sender) };
        let raised = Reported { patch, action: "incident.updated", effect: Effect::Counted };
        self.change_reported(sender, signal, found, (incident, raised))
    }

    pub(super) fn decide_acknowledged(
        &self,
        sender: &Sender,
        signal: &Signal,
        found: &Found,
    ) -> Result<Decided, Error> {
        let patch = IncidentPatch { status: Some(IncidentStatus::Acknowledged), ..reported_by(sender) };
        let reported = Reported { patch, action: "incident.acknowledged", effect: Effect::Acknowledged };
        self.change_open(sender, signal, found, reported)
    }

    pub(super) fn decide_resolved(
        &self,
        sender: &Sender,
        signal: &Signal,
        found: &Found,
    ) -> Result<Decided, Error> {
        let patch = IncidentPatch { status: Some(IncidentStatus::Resolved), ..reported_by(sender) };
        let reported = Reported { patch, action: "incident.resolved", effect: Effect::Resolved };
        self.change_open(sender, signal, found, reported)
    }

    /// To a person a change of status would be a way back from RESOLVED; a report that comes late must not reopen what is over.
    fn change_open(
        &self,
        sender: &Sender,
        signal: &Signal,
        found: &Found,
        reported: Reported,
    ) -> Result<Decided, Error> {
        match &found.incident {
            None => Ok(Decided::nothing(found, signal, unknown_fingerprint())),
            Some(incident) if !incident.value.status.is_open() => {
                Ok(Decided::nothing(found, signal, over(&incident.value)))
            }
            Some(incident) => self.change_reported(sender, signal, found, (incident, reported)),
        }
    }

    fn open_reported(&self, sender: &Sender, signal: &Signal, found: &Found) -> Result<Decided, Error> {
        let new = new_incident(sender, signal);
        refuse_faults(new.faults())?;
        let id = IncidentId::new(found.now, Self::random()?);
        let source =
            IncidentSource { name: sender.name().to_owned(), fingerprint: signal.fingerprint.clone() };
        let opening = Opening { id: id.clone(), created_by: created_by(sender)?, source: Some(source) };
        let (incident, event) = Incident::open(new, opening, &cause(sender, signal, found), found.now);
        let alert = Alert {
            key: found.alert_key,
            incident: id.clone(),
            firings: 1,
            undated: found.undated(signal),
            fired_at: None,
            ended_at: None,
            updated_at: found.now,
        };
        let alert = found.since(alert).after(signal);
        let mut writes = self.opened(incident, event.clone(), None);
        writes.push(stored_alert(alert, found));
        writes.extend(found.remembered(signal));
        Ok(Decided { outcome: outcome(signal, Some(id), Effect::Opened), writes, events: vec![event] })
    }

    /// The alert is written with every report, so that two reports at once never both go by the same state.
    fn change_reported(
        &self,
        sender: &Sender,
        signal: &Signal,
        found: &Found,
        (incident, reported): (&Versioned<Incident>, Reported),
    ) -> Result<Decided, Error> {
        let Reported { patch, action, effect } = reported;
        let change = IncidentChange::Patch(patch);
        let decision = decide(&incident.value, &change, &cause(sender, signal, found), found.now);
        let (mut writes, events) = match decision {
            IncidentDecision::Moved { to, events } => {
                let version = incident.version;
                (self.changed(*to, version, events.clone(), action, None), events)
            }
            IncidentDecision::AlreadyDone => (Vec::new(), Vec::new()),
            IncidentDecision::Refused(refusal) => {
                return Ok(Decided::nothing(found, signal, Effect::ignored(refusal.to_string())));
            }
        };
        writes.extend(found.counted(signal, &effect).map(|alert| stored_alert(alert, found)));
        writes.extend(found.remembered(signal));
        let outcome = outcome(signal, Some(incident.value.id.clone()), effect);
        Ok(Decided { outcome, writes, events })
    }
}

impl Found {
    /// A new life of an alert, which keeps when the earlier ones fired and ended.
    fn since(&self, new: Alert) -> Alert {
        let before = self.alert.as_ref().map(|alert| (alert.value.fired_at, alert.value.ended_at));
        let (fired_at, ended_at) = before.unwrap_or_default();
        Alert { fired_at, ended_at, ..new }
    }

    /// The alert after this report.
    fn counted(&self, signal: &Signal, effect: &Effect) -> Option<Alert> {
        let alert = &self.alert.as_ref()?.value;
        let firing = u32::from(*effect == Effect::Counted);
        let firings = alert.firings.saturating_add(firing);
        let undated = self.undated(signal);
        Some(Alert { firings, undated, updated_at: self.now, ..alert.clone() }.after(signal))
    }
}

/// Only if nobody else wrote what the fingerprint stands for meanwhile.
fn stored_alert(alert: Alert, found: &Found) -> Write {
    match &found.alert {
        Some(before) => Write::replace(alert, before.version),
        None => Write::create(alert),
    }
}

fn unknown_fingerprint() -> Effect {
    Effect::ignored("no incident was opened for this alert")
}

fn over(incident: &Incident) -> Effect {
    Effect::ignored(format!("incident {} is {} already", incident.id, incident.status.as_str()))
}

fn reported_by(sender: &Sender) -> IncidentPatch {
    IncidentPatch { reason: Some(format!("reported by {}", sender.name())), ..IncidentPatch::default() }
}

fn cause(sender: &Sender, signal: &Signal, found: &Found) -> Cause {
    let by = Actor::Source { name: sender.name().to_owned() };
    let correlation_id = found.seen_key.to_string();
    Cause { causation_id: Some(signal.delivery.clone()), ..Cause::first(by, correlation_id) }
}

fn created_by(sender: &Sender) -> Result<UserId, Error> {
    let name = format!("muster|{}", sender.name());
    name.parse().map_err(|_| Error::Conflict(format!("{name} cannot be the name of an author")))
}

fn new_incident(sender: &Sender, signal: &Signal) -> NewIncident {
    NewIncident {
        title: signal.title.clone(),
        priority: signal.severity.priority(),
        team_id: sender.team.clone(),
        assignee: None,
        metadata: metadata(sender, signal),
    }
}

/// What the report says, for conditions and templates; members without a value are absent, so that no condition meets them.
fn metadata(sender: &Sender, signal: &Signal) -> Map<String, Value> {
    let members = [
        ("source", json!(sender.name())),
        ("fingerprint", json!(signal.fingerprint)),
        ("service", json!(signal.service)),
        ("environment", json!(signal.environment)),
        ("region", json!(signal.region)),
        ("account", json!(signal.account)),
        ("labels", json!(signal.labels)),
        ("links", json!(signal.links)),
        ("runbookHint", json!(signal.runbook_hint)),
        ("summary", json!(signal.summary)),
        ("isTest", if signal.is_test { json!(true) } else { Value::Null }),
    ];
    let said = |value: &Value| *value != Value::Null && *value != json!([]) && *value != json!({});
    let said = members.into_iter().filter(|(_, value)| said(value));
    bounded(said.map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Takes away from the end of what is spare until the rest fits.
fn bounded(mut metadata: Map<String, Value>) -> Map<String, Value> {
    for name in SPARE {
        while !fits(&metadata) && metadata.contains_key(name) {
            shorten(&mut metadata, name);
        }
    }
    metadata
}

fn fits(metadata: &Map<String, Value>) -> bool {
    serde_json::to_vec(metadata).is_ok_and(|json| json.len() <= MAX_METADATA_BYTES)
}

/// One element less; a member that has none left, or is a text, goes whole.
fn shorten(metadata: &mut Map<String, Value>, name: &str) {
    let emptied = match metadata.get_mut(name) {
        Some(Value::Array(elements)) => {
            elements.pop();
            elements.is_empty()
        }
        Some(Value::Object(members)) => {
            let last = members.keys().next_back().cloned();
            last.and_then(|last| members.remove(&last));
            members.is_empty()
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => true,
    };
    if emptied {
        metadata.remove(name);
    }
}
