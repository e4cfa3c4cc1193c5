//! Incidents of PagerDuty: webhooks v3, and the partner bus, which carries either that form or the older one.

use std::collections::BTreeMap;

use super::document::Node;
use super::envelope::Envelope;
use super::severity::{Severity, SeveritySource};
use super::signal::{Link, Signal, SignalStatus};
use super::{Decoded, Reading, Source, Undecodable, identity};
use crate::time::Time;

const MEND: &str =
    "send a webhook of version 3 (`event.event_type`, `event.data`) or PagerDuty's EventBridge integration";

pub(super) fn read(body: Node<'_>) -> Result<Decoded, Undecodable> {
    let envelope = Envelope::of(body);
    let detail = envelope.as_ref().map_or(body, |envelope| envelope.detail);
    let envelope_id = envelope.as_ref().and_then(|envelope| envelope.id.clone());
    let event = Event::version_3(detail).or_else(|| Event::older(detail, envelope_id));
    event.ok_or_else(|| Undecodable::missing("/event", MEND))?.read().map(Decoded::from)
}

/// One change of an incident, in what the two forms share.
struct Event<'a> {
    id: Option<String>,
    /// As in `incident.triggered`.
    kind: String,
    occurred_at: Option<Time>,
    incident: Option<Node<'a>>,
    /// Where the incident stands in the event.
    place: &'static str,
}

impl<'a> Event<'a> {
    fn version_3(detail: Node<'a>) -> Option<Self> {
        let event = detail.object("/event").unwrap_or(detail);
        Some(Self {
            kind: event.text("/event_type")?,
            id: event.text("/id"),
            occurred_at: event.time("/occurred_at"),
            incident: event.object("/data"),
            place: "/event/data",
        })
    }

    fn older(detail: Node<'a>, envelope_id: Option<String>) -> Option<Self> {
        Some(Self {
            kind: detail.text("/event")?,
            id: detail.text("/id").or(envelope_id),
            occurred_at: detail.time("/created_on"),
            incident: detail.object("/incident"),
            place: "/incident",
        })
    }

    fn read(self) -> Result<Reading, Undecodable> {
        let Some(status) = status(&self.kind) else {
            let reason =
                format!("`{}` changes neither whether an incident is open nor who has it", self.kind);
            return Ok(Reading::ignored(self.id, reason));
        };
        let incident = self.incident.ok_or_else(|| Undecodable::missing(self.place, MEND))?;
        let missing = || Undecodable::missing(format!("{}/id", self.place), MEND);
        let fingerprint = incident.text("/id").ok_or_else(missing)?;
        let delivery = self.id.clone().unwrap_or_else(|| self.computed_id(&fingerprint));
        let blank = Signal { delivery, fingerprint, ..Signal::new(Source::Pagerduty, status) };
        Ok(Reading::signal(described(blank, incident, self.occurred_at)))
    }

    fn computed_id(&self, fingerprint: &str) -> String {
        let moment = self.occurred_at.map(|time| time.to_string()).unwrap_or_default();
        identity::of_parts(&[fingerprint, &self.kind, &moment])
    }
}

/// The older form says `incident.trigger` where the newer says `incident.triggered`.
fn status(kind: &str) -> Option<SignalStatus> {
    match kind.strip_prefix("incident.")? {
        "trigger" | "triggered" | "reopen" | "reopened" | "unacknowledge" | "unacknowledged" => {
            Some(SignalStatus::Firing)
        }
        "acknowledge" | "acknowledged" => Some(SignalStatus::Acknowledged),
        "resolve" | "resolved" => Some(SignalStatus::Resolved),
        _ => None,
    }
}

fn described(blank: Signal, incident: Node<'_>, occurred_at: Option<Time>) -> Signal {
    let resolved = blank.status == SignalStatus::Resolved;
    let page = incident.text("/html_url").map(|href| Link { rel: "source".to_owned(), href });
    let signal = Signal {
        title: incident.first_text(&["/title", "/summary", "/description"]).unwrap_or_default(),
        summary: incident.first_text(&["/body/details", "/description"]),
        service: incident.first_text(&["/service/summary", "/service/name"]),
        labels: labels(incident),
        links: page.into_iter().collect(),
        started_at: incident.time("/created_at"),
        ended_at: incident.time("/resolved_at").or(occurred_at).filter(|_| resolved),
        // An incident that is opened again keeps the moment of its creation.
        occurred_at,
        ..blank
    };
    let priority = incident.first_text(&["/priority/summary", "/priority/name"]);
    let severity = priority.and_then(|word| Severity::named(&word));
    let urgency = incident.text("/urgency").and_then(|word| Severity::named(&word));
    signal.judged(&[(severity, SeveritySource::Payload), (urgency, SeveritySource::Payload)])
}

fn labels(incident: Node<'_>) -> BTreeMap<String, String> {
    let named = [
        ("incidentNumber", &["/number", "/incident_number"][..]),
        ("incidentKey", &["/incident_key"][..]),
        ("serviceId", &["/service/id"][..]),
        ("escalationPolicy", &["/escalation_policy/summary", "/escalation_policy/name"][..]),
        ("team", &["/teams/0/summary", "/teams/0/name"][..]),
        ("urgency", &["/urgency"][..]),
    ];
    named
        .iter()
        .filter_map(|(name, pointers)| Some(((*name).to_owned(), incident.first_text(pointers)?)))
        .collect()
}
