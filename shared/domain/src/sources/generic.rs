//! Any sender of the PagerDuty Events v2 body (PD-CEF): a tool that can page PagerDuty can report to Muster instead.
//!
//! The body holds neither an id of the delivery nor, often, a time. Two equal bodies are therefore one delivery to this reader;
//! whoever knows more of the request and of the alert tells them apart with that. PagerDuty makes up a `dedup_key` where there
//! is none, so that each such alert is one of its own there; here what describes it is its key, so that it can be told again.

use std::collections::BTreeMap;

use super::document::Node;
use super::severity::{Severity, SeveritySource};
use super::signal::{Link, Signal, SignalStatus};
use super::{Decoded, Reading, Source, Undecodable, identity};
use crate::digest::Digest;

const MEND: &str = "send `event_action`, `dedup_key` and `payload` with `summary`, `source` and `severity`";
const MEND_ACTION: &str = "use `trigger`, `acknowledge` or `resolve`";
const MEND_KEY: &str = "give the `dedup_key` of the alert that this is about";

pub(super) fn read(body: Node<'_>) -> Result<Decoded, Undecodable> {
    let status = status(&body.required("/event_action", MEND)?)?;
    let fingerprint = fingerprint(body, status)?;
    let signal = Signal {
        delivery: format!("sha256:{}", Digest::of_json(body.value())),
        fingerprint,
        title: body.text("/payload/summary").unwrap_or_default(),
        summary: body.text("/payload/custom_details"),
        labels: labels(body),
        links: links(body),
        started_at: body.time("/payload/timestamp").filter(|_| status == SignalStatus::Firing),
        ended_at: body.time("/payload/timestamp").filter(|_| status == SignalStatus::Resolved),
        ..Signal::new(Source::Generic, status)
    };
    let severity = body.text("/payload/severity").and_then(|word| Severity::named(&word));
    Ok(Decoded::from(Reading::signal(signal.judged(&[(severity, SeveritySource::Payload)]))))
}

fn status(action: &str) -> Result<SignalStatus, Undecodable> {
    match action {
        "trigger" => Ok(SignalStatus::Firing),
        "acknowledge" => Ok(SignalStatus::Acknowledged),
        "resolve" => Ok(SignalStatus::Resolved),
        _ => Err(Undecodable::at("/event_action", "names no action", MEND_ACTION)),
    }
}

/// Only an alert that fires may come without a key, and must then have a summary: what describes it is its key.
fn fingerprint(body: Node<'_>, status: SignalStatus) -> Result<String, Undecodable> {
    match (body.text("/dedup_key"), status) {
        (Some(key), _) => Ok(key),
        (None, SignalStatus::Acknowledged | SignalStatus::Resolved) => {
            Err(Undecodable::missing("/dedup_key", MEND_KEY))
        }
        (None, SignalStatus::Firing) => {
            let summary = body.required("/payload/summary", MEND)?;
            let rest = ["/payload/source", "/payload/component", "/payload/group", "/payload/class"];
            let rest = rest.map(|pointer| body.text(pointer).unwrap_or_default());
            let parts: Vec<&str> =
                [summary.as_str()].into_iter().chain(rest.iter().map(String::as_str)).collect();
            Ok(identity::of_parts(&parts))
        }
    }
}

/// The sender's own details, with the fixed fields above them. The routing key is a secret and never among them.
fn labels(body: Node<'_>) -> BTreeMap<String, String> {
    let mut labels = body.labels("/payload/custom_details");
    labels.extend(body.named(&[
        ("source", "/payload/source"),
        ("component", "/payload/component"),
        ("group", "/payload/group"),
        ("class", "/payload/class"),
        ("client", "/client"),
    ]));
    labels
}

fn links(body: Node<'_>) -> Vec<Link> {
    let client = body.text("/client_url").map(|href| Link { rel: "source".to_owned(), href });
    let related = body.elements("/links").into_iter().filter_map(|link| link.text("/href"));
    let images = body.elements("/images").into_iter().filter_map(|image| image.text("/src"));
    let related = related.map(|href| Link { rel: "related".to_owned(), href });
    let images = images.map(|href| Link { rel: "image".to_owned(), href });
    client.into_iter().chain(related).chain(images).collect()
}
