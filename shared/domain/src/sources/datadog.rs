//! Monitors of Datadog: by its partner bus of EventBridge, and by a webhook with the payload that `events/README.md` gives.

use std::collections::BTreeMap;

use super::document::Node;
use super::envelope::Envelope;
use super::severity::{Severity, SeveritySource};
use super::signal::{Link, Signal, SignalStatus};
use super::{Decoded, Reading, Source, Undecodable, identity};
use crate::time::Time;

const MEND_BUS: &str = "send the notifications of monitors (`detail.meta.monitor`, `detail.meta.transition`)";
const MEND_WEBHOOK: &str =
    "give the webhook in Datadog the payload that Muster documents (`id`, `transition`, `cycleKey`)";

pub(super) fn read(body: Node<'_>) -> Result<Decoded, Undecodable> {
    match Envelope::of(body) {
        Some(envelope) => from_bus(&envelope).map(Decoded::from),
        None => from_webhook(body).map(Decoded::from),
    }
}

fn from_bus(envelope: &Envelope<'_>) -> Result<Reading, Undecodable> {
    let detail = envelope.detail;
    let missing = |pointer| Undecodable::missing(format!("/detail{pointer}"), MEND_BUS);
    let required = |pointer| detail.text(pointer).ok_or_else(|| missing(pointer));
    let transition = required("/meta/transition/trans_name")?;
    let monitor = required("/meta/monitor/id")?;
    let result = detail.text("/meta/result/result_id").unwrap_or_default();
    let computed = || identity::of_parts(&[&monitor, &result, &transition]);
    let delivery = envelope.id.clone().unwrap_or_else(computed);
    let status = match status(&transition) {
        Ok(status) => status,
        Err(reason) => return Ok(Reading::ignored(Some(delivery), reason)),
    };
    let signal = Signal {
        delivery,
        fingerprint: group_of(&monitor, detail),
        title: detail.text("/meta/monitor/name").unwrap_or_default(),
        summary: detail.first_text(&["/text", "/meta/monitor/message"]),
        labels: bus_labels(detail),
        ..Signal::new(Source::Datadog, status)
    };
    let moment = detail.time("/meta/result/evaluation_ts").or_else(|| detail.time("/meta/result/result_ts"));
    let priority = detail.text("/meta/monitor/priority").map(|number| format!("p{number}"));
    let judged = judged(signal, priority, detail.text("/alert_type"), &transition);
    Ok(Reading::signal(at_moment(judged, moment)))
}

fn bus_labels(detail: Node<'_>) -> BTreeMap<String, String> {
    let mut labels = tags(&tag_list(detail, "/tags"));
    labels.extend(detail.named(&[("monitorId", "/meta/monitor/id"), ("resultId", "/meta/result/result_id")]));
    labels
}

/// A monitor over many groups alerts for each: the groups are those that Datadog names, and otherwise told apart by the tags.
fn group_of(monitor: &str, detail: Node<'_>) -> String {
    let mut group = tag_list(detail, "/meta/monitor_groups");
    if group.is_empty() {
        group = tag_list(detail, "/tags");
    }
    group.sort();
    group.dedup();
    let parts: Vec<&str> = [monitor].into_iter().chain(group.iter().map(String::as_str)).collect();
    format!("{monitor}:{}", identity::of_parts(&parts))
}

fn from_webhook(body: Node<'_>) -> Result<Reading, Undecodable> {
    let body = Filled(body);
    let missing = |pointer| Undecodable::missing(pointer, MEND_WEBHOOK);
    let delivery = body.text("/id").ok_or_else(|| missing("/id"))?;
    let transition = body.text("/transition").ok_or_else(|| missing("/transition"))?;
    let fingerprint = body.fingerprint().ok_or_else(|| missing("/cycleKey"))?;
    let status = match status(&transition) {
        Ok(status) => status,
        Err(reason) => return Ok(Reading::ignored(Some(delivery), reason)),
    };
    let signal = Signal {
        delivery,
        fingerprint,
        title: body.text("/title").unwrap_or_default(),
        summary: body.text("/text"),
        labels: body.labels(),
        links: body.text("/link").map(|href| Link { rel: "source".to_owned(), href }).into_iter().collect(),
        ..Signal::new(Source::Datadog, status)
    };
    let moment = body.0.time("/lastUpdated").or_else(|| body.0.time("/date"));
    let judged = judged(signal, body.text("/priority"), body.text("/alertType"), &transition);
    Ok(Reading::signal(at_moment(judged, moment)))
}

/// A payload in which Datadog has replaced its variables, except those that it does not know for this event.
struct Filled<'a>(Node<'a>);

impl Filled<'_> {
    fn text(&self, pointer: &str) -> Option<String> {
        self.0.text(pointer).filter(|text| !text.starts_with('$') && text != "null")
    }

    fn fingerprint(&self) -> Option<String> {
        let keyed = self.text("/cycleKey").or_else(|| self.text("/aggregationKey"));
        keyed.or_else(|| {
            Some(format!("{}:{}", self.text("/alertId")?, self.text("/scope").unwrap_or_default()))
        })
    }

    fn labels(&self) -> BTreeMap<String, String> {
        let listed: Vec<String> =
            self.text("/tags").iter().flat_map(|tags| tags.split(',')).map(str::to_owned).collect();
        let mut labels = tags(&listed);
        for (name, pointer) in
            [("monitorId", "/alertId"), ("scope", "/scope"), ("metric", "/metric"), ("host", "/hostname")]
        {
            labels.extend(self.text(pointer).map(|value| (name.to_owned(), value)));
        }
        labels
    }
}

fn status(transition: &str) -> Result<SignalStatus, String> {
    match transition {
        "Triggered" | "Re-Triggered" | "Warn" | "Re-Warn" => Ok(SignalStatus::Firing),
        "Recovered" => Ok(SignalStatus::Resolved),
        "Renotify" => Err("the notification repeats what an earlier one said".to_owned()),
        "No Data" | "Re-No Data" => {
            Err("the monitor has no data, which says nothing about what it watches".to_owned())
        }
        other => {
            Err(format!("the transition `{other}` says neither that the monitor fires nor that it recovered"))
        }
    }
}

fn judged(signal: Signal, priority: Option<String>, alert_type: Option<String>, transition: &str) -> Signal {
    let priority = priority.and_then(|word| Severity::named(&word));
    let tag = signal.labels.get("severity").and_then(|word| Severity::named(word));
    let warns = transition.ends_with("Warn").then_some(Severity::Medium);
    let kind = alert_type.and_then(|word| match word.as_str() {
        "error" => Some(Severity::High),
        "warning" => Some(Severity::Medium),
        _ => None,
    });
    signal.judged(&[
        (priority, SeveritySource::Payload),
        (tag, SeveritySource::Label),
        (warns, SeveritySource::Rule),
        (kind, SeveritySource::Rule),
    ])
}

fn at_moment(signal: Signal, moment: Option<Time>) -> Signal {
    Signal {
        started_at: moment.filter(|_| signal.status == SignalStatus::Firing),
        ended_at: moment.filter(|_| signal.status == SignalStatus::Resolved),
        is_test: is_trial(&signal.title),
        ..signal
    }
}

fn tag_list(detail: Node<'_>, pointer: &str) -> Vec<String> {
    detail.elements(pointer).into_iter().filter_map(Node::scalar).collect()
}

/// `env:prod` is a label with a value; a tag without a colon is one whose value is `true`.
fn tags(list: &[String]) -> BTreeMap<String, String> {
    let pair = |tag: &String| {
        let (name, value) = tag.trim().split_once(':').unwrap_or((tag.trim(), "true"));
        (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
    };
    list.iter().filter_map(pair).collect()
}

/// Datadog writes this before the title of a notification that a person sends from a monitor's page.
fn is_trial(title: &str) -> bool {
    title.starts_with("[TEST]")
}
