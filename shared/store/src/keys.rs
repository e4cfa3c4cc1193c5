//! Where each record stands: its partition key and sort key. Part of the stored shape, frozen by a test.

use muster_app::table::{BodyPart, Key};
use muster_domain::audit::Resource;
use muster_domain::ids::TeamId;
use muster_domain::time::Time;
use muster_domain::workflow::TriggerKind;

/// The primary key of an item. `#` separates the parts; no identifier may hold it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey {
    pub pk: String,
    pub sk: String,
}

/// A primary key that this version of Muster never writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no record has the key {pk} / {sk}")]
pub struct UnknownKey {
    pub pk: String,
    pub sk: String,
}

/// The sort key of a record that is alone in its partition, or the first of it.
pub(crate) const HEAD: &str = "HEAD";
/// Beside what is set for everybody.
const BREAK_GLASS: &str = "BREAKGLASS";

impl ItemKey {
    pub fn of(key: &Key) -> Self {
        match key {
            Key::Runbook(id) => Self::head(format!("RB#{id}")),
            Key::RunbookVersion(id, version) => Self::new(format!("RB#{id}"), format!("V#{version:010}")),
            // A partition of its own: only the approval function may write leading keys `DECISION#`.
            Key::Decision(id, version) => Self::head(format!("DECISION#{id}#{version:010}")),
            Key::Execution(id) => Self::head(format!("EX#{id}")),
            Key::Body(id, step, BodyPart::Request) => {
                Self::new(format!("EX#{id}"), format!("BODY#{step}#request"))
            }
            Key::Body(id, step, BodyPart::Response(attempt)) => {
                Self::new(format!("EX#{id}"), format!("BODY#{step}#response#{attempt:010}"))
            }
            // Beside its execution, as what that one asked.
            Key::Approval(id, step, round) => {
                Self::new(format!("EX#{id}"), format!("APPROVAL#{step}#{round:010}"))
            }
            // Under the leading keys of decisions, which only the approval function may write.
            Key::Ledger(id, step, round) => Self::head(format!("DECISION#{id}#{step}#{round:010}")),
            Key::Incident(id) => Self::head(format!("INC#{id}")),
            Key::IncidentEvent(id, seq) => Self::new(format!("INC#{id}"), format!("EVENT#{seq:020}")),
            Key::Why(id, at, event, part) => {
                Self::new(format!("INC#{id}"), format!("{}{part:06}", parts_of(*at, event)))
            }
            Key::Workflow(id) => Self::head(format!("WF#{id}")),
            Key::WorkflowVersion(id, version) => Self::new(format!("WF#{id}"), format!("V#{version:010}")),
            Key::Candidates(team) => Self::head(candidates(team.as_ref())),
            Key::Candidate(team, kind, id) => Self::new(candidates(team.as_ref()), format!("{kind}#{id}")),
            Key::Starts(id, minute) => Self::head(format!("STARTS#{id}#{minute:012}")),
            Key::AgeCursor(id) => Self::head(format!("AGE#{id}")),
            Key::Integration(id) => Self::head(format!("HOOK#{id}")),
            Key::Account(id) => Self::head(format!("ACCOUNT#{id}")),
            Key::Alert(digest) => Self::head(format!("ALERT#{digest}")),
            Key::Seen(digest) => Self::head(format!("SEEN#{digest}")),
            // Beside its execution: whoever may write that, may write what it owes.
            Key::Notification(id, number) => Self::new(format!("EX#{id}"), format!("NOTE#{number:010}")),
            Key::AskingNote(id, step, round, number) => {
                Self::new(format!("EX#{id}"), format!("NOTE#{step}#{round:010}#{number:010}"))
            }
            Key::Team(id) => Self::head(format!("TEAM#{id}")),
            Key::Person(id) => Self::head(format!("PERSON#{id}")),
            Key::Audit(resource, seq) => Self::new(format!("AUDIT#{resource}"), format!("{seq:020}")),
            Key::Idempotency(digest) => Self::head(format!("IDEM#{digest}")),
            Key::Control(scope) => Self::head(format!("CONTROL#{scope}")),
            Key::Target(digest) => Self::head(format!("TARGET#{digest}")),
            Key::Usage(id) => Self::head(format!("USAGE#{id}")),
            Key::BreakGlass => Self::new("CONTROL#global".to_owned(), BREAK_GLASS.to_owned()),
        }
    }

    /// The record that stands here.
    pub fn parse(&self) -> Result<Key, UnknownKey> {
        let known = self.pk.split_once('#').and_then(|(family, rest)| parse(family, rest, &self.sk));
        // Only the one spelling that is written counts, so that no record has two keys.
        known
            .filter(|key| Self::of(key) == *self)
            .ok_or_else(|| UnknownKey { pk: self.pk.clone(), sk: self.sk.clone() })
    }

    fn new(pk: String, sk: String) -> Self {
        Self { pk, sk }
    }

    fn head(pk: String) -> Self {
        Self::new(pk, HEAD.to_owned())
    }
}

fn parse(family: &str, rest: &str, sk: &str) -> Option<Key> {
    match (family, sk) {
        ("RB", HEAD) => rest.parse().ok().map(Key::Runbook),
        ("RB", _) => parse_version(rest, sk),
        ("DECISION", HEAD) => parse_decision(rest),
        ("EX", HEAD) => rest.parse().ok().map(Key::Execution),
        ("EX", _) => parse_of_execution(rest, sk),
        ("INC", HEAD) => rest.parse().ok().map(Key::Incident),
        ("INC", _) => parse_of_incident(rest, sk),
        ("WF", HEAD) => rest.parse().ok().map(Key::Workflow),
        ("WF", _) => parse_workflow_version(rest, sk),
        ("CANDIDATES", HEAD) => parse_team(rest).map(Key::Candidates),
        ("CANDIDATES", _) => parse_candidate(rest, sk),
        ("STARTS", HEAD) => {
            let (workflow, minute) = rest.split_once('#')?;
            Some(Key::Starts(workflow.parse().ok()?, minute.parse().ok()?))
        }
        ("AGE", HEAD) => rest.parse().ok().map(Key::AgeCursor),
        ("HOOK", HEAD) => rest.parse().ok().map(Key::Integration),
        ("ACCOUNT", HEAD) => rest.parse().ok().map(Key::Account),
        ("ALERT", HEAD) => rest.parse().ok().map(Key::Alert),
        ("SEEN", HEAD) => rest.parse().ok().map(Key::Seen),
        ("TEAM", HEAD) => rest.parse().ok().map(Key::Team),
        ("PERSON", HEAD) => rest.parse().ok().map(Key::Person),
        ("AUDIT", _) => Some(Key::Audit(rest.parse::<Resource>().ok()?, sk.parse().ok()?)),
        ("IDEM", HEAD) => rest.parse().ok().map(Key::Idempotency),
        ("CONTROL", HEAD) => rest.parse().ok().map(Key::Control),
        ("TARGET", HEAD) => rest.parse().ok().map(Key::Target),
        ("USAGE", HEAD) => rest.parse().ok().map(Key::Usage),
        ("CONTROL", BREAK_GLASS) => Some(Key::BreakGlass),
        _ => None,
    }
}

fn parse_version(runbook: &str, sk: &str) -> Option<Key> {
    let version = sk.strip_prefix("V#")?.parse().ok()?;
    Some(Key::RunbookVersion(runbook.parse().ok()?, version))
}

fn parse_workflow_version(workflow: &str, sk: &str) -> Option<Key> {
    let version = sk.strip_prefix("V#")?.parse().ok()?;
    Some(Key::WorkflowVersion(workflow.parse().ok()?, version))
}

fn parse_of_incident(incident: &str, sk: &str) -> Option<Key> {
    let incident = incident.parse().ok()?;
    if let Some(seq) = sk.strip_prefix("EVENT#") {
        return Some(Key::IncidentEvent(incident, seq.parse().ok()?));
    }
    let (at, rest) = sk.strip_prefix("WHY#")?.split_once('#')?;
    let (event, part) = rest.rsplit_once('#')?;
    let at = Time::from_millis(at.parse().ok()?);
    Some(Key::Why(incident, at, event.to_owned(), part.parse().ok()?))
}

fn parse_candidate(team: &str, sk: &str) -> Option<Key> {
    let (kind, workflow) = sk.split_once('#')?;
    let kind = TriggerKind::ALL.into_iter().find(|known| known.as_str() == kind)?;
    Some(Key::Candidate(parse_team(team)?, kind, workflow.parse().ok()?))
}

/// `*` stands for no team: no team can be called that.
pub(crate) const NO_TEAM: &str = "*";

fn parse_team(text: &str) -> Option<Option<TeamId>> {
    if text == NO_TEAM { Some(None) } else { text.parse().ok().map(Some) }
}

/// What the sort keys of all that was decided about one event begin with.
pub(crate) fn parts_of(at: Time, event: &str) -> String {
    format!("WHY#{}#{event}#", padded(at))
}

pub(crate) fn candidates(team: Option<&TeamId>) -> String {
    format!("CANDIDATES#{}", team.map_or(NO_TEAM, |team| team.as_str()))
}

/// The greatest moment that 15 digits can hold, in the year 33658; later ones are stored as this one.
const MAX_MILLIS: i64 = 999_999_999_999_999;

/// A moment that sorts as text.
pub(crate) fn padded(at: Time) -> String {
    format!("{:015}", at.millis().clamp(0, MAX_MILLIS))
}

fn parse_decision(rest: &str) -> Option<Key> {
    let (of, which) = rest.split_once('#')?;
    match which.split_once('#') {
        None => Some(Key::Decision(of.parse().ok()?, which.parse().ok()?)),
        Some((step, round)) => Some(Key::Ledger(of.parse().ok()?, step.parse().ok()?, round.parse().ok()?)),
    }
}

fn parse_note(execution: &str, note: &str) -> Option<Key> {
    let Some((step, rest)) = note.split_once('#') else {
        return Some(Key::Notification(execution.parse().ok()?, note.parse().ok()?));
    };
    let (round, number) = rest.split_once('#')?;
    let (round, number) = (round.parse().ok()?, number.parse().ok()?);
    Some(Key::AskingNote(execution.parse().ok()?, step.parse().ok()?, round, number))
}

fn parse_of_execution(execution: &str, sk: &str) -> Option<Key> {
    if let Some(note) = sk.strip_prefix("NOTE#") {
        return parse_note(execution, note);
    }
    if let Some((step, round)) = sk.strip_prefix("APPROVAL#").and_then(|rest| rest.split_once('#')) {
        return Some(Key::Approval(execution.parse().ok()?, step.parse().ok()?, round.parse().ok()?));
    }
    let (step, part) = sk.strip_prefix("BODY#")?.split_once('#')?;
    let part = match part.split_once('#') {
        None if part == "request" => BodyPart::Request,
        Some(("response", attempt)) => BodyPart::Response(attempt.parse().ok()?),
        None | Some(_) => return None,
    };
    Some(Key::Body(execution.parse().ok()?, step.parse().ok()?, part))
}
