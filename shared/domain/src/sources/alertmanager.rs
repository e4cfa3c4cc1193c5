//! Notifications of Prometheus Alertmanager, webhook format 4: one delivery, many alerts.

use std::collections::BTreeMap;

use super::document::Node;
use super::severity::{Severity, SeveritySource};
use super::signal::{Link, Signal, SignalStatus};
use super::{Decoded, Ignored, Reading, Source, Undecodable, identity};
use crate::digest::Digest;

const MEND: &str = "send Alertmanager's webhook format 4 (`webhook_configs`), without a template of your own";

pub(super) fn read(body: Node<'_>) -> Result<Decoded, Undecodable> {
    read_alerts(body, MEND, |alert, group| alert.read(group, Source::Alertmanager))
}

/// Reads each alert of the group with `read`.
pub(super) fn read_alerts(
    body: Node<'_>,
    mend: &'static str,
    read: impl Fn(Alert<'_>, &str) -> Result<Reading, Undecodable>,
) -> Result<Decoded, Undecodable> {
    let group = body.text("/groupKey").unwrap_or_default();
    let mut decoded = Decoded::of_many(body.alerts("/alerts", mend)?, |alert| read(Alert(alert), &group));
    decoded.ignored.extend(left_out(body));
    Ok(decoded)
}

/// What the sender itself cut from the delivery must not vanish in silence.
fn left_out(body: Node<'_>) -> Option<Ignored> {
    let count = body.text("/truncatedAlerts").filter(|count| count != "0")?;
    let reason = format!("the sender left {count} alerts out of this delivery: raise its limit of alerts");
    Some(Ignored { delivery: None, reason })
}

/// One alert of a group, in the shape that Alertmanager and Grafana share.
#[derive(Clone, Copy)]
pub(super) struct Alert<'a>(pub(super) Node<'a>);

impl Alert<'_> {
    pub(super) fn read(self, group: &str, source: Source) -> Result<Reading, Undecodable> {
        let state = self.0.required("/status", MEND)?;
        let delivery = self.delivery(group, &state);
        let status = match state.as_str() {
            "firing" => SignalStatus::Firing,
            "resolved" => SignalStatus::Resolved,
            other => return Ok(Reading::ignored(Some(delivery), format!("the alert's status is `{other}`"))),
        };
        Ok(Reading::signal(self.signal(delivery, Signal::new(source, status))))
    }

    fn signal(self, delivery: String, blank: Signal) -> Signal {
        let resolved = blank.status == SignalStatus::Resolved;
        let severity = self.0.text("/labels/severity").and_then(|word| Severity::named(&word));
        let signal = Signal {
            delivery,
            fingerprint: self.fingerprint(),
            title: self.0.first_text(&["/labels/alertname", "/annotations/summary"]).unwrap_or_default(),
            summary: self.0.paragraphs(&[
                "/annotations/summary",
                "/annotations/description",
                "/annotations/message",
            ]),
            labels: self.0.labels("/labels"),
            links: self.links(&[("source", "/generatorURL"), ("runbook", "/annotations/runbook_url")]),
            runbook_hint: self.0.first_text(&["/annotations/runbook_url", "/annotations/runbook"]),
            started_at: self.0.time("/startsAt"),
            // While an alert fires, `endsAt` is absent or a guess about the future.
            ended_at: self.0.time("/endsAt").filter(|_| resolved),
            ..blank
        };
        signal.judged(&[(severity, SeveritySource::Label)])
    }

    pub(super) fn links(self, places: &[(&str, &str)]) -> Vec<Link> {
        let link = |(rel, pointer): &(&str, &str)| {
            Some(Link { rel: (*rel).to_owned(), href: self.0.text(pointer)? })
        };
        places.iter().filter_map(link).collect()
    }

    pub(super) fn delivery(self, group: &str, state: &str) -> String {
        let started = self.0.text("/startsAt").unwrap_or_default();
        identity::of_parts(&[group, &self.fingerprint(), state, &started])
    }

    /// Alertmanager's own fingerprint is a hash of the labels; where it is absent, ours is too.
    fn fingerprint(self) -> String {
        let labels: BTreeMap<String, String> = self.0.labels("/labels");
        let computed = || format!("sha256:{}", Digest::of_json(&serde_json::json!(labels)));
        self.0.text("/fingerprint").unwrap_or_else(computed)
    }
}
