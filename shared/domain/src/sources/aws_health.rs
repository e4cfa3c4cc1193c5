//! Events of AWS Health. The region of the envelope is where the event was delivered; `eventRegion` is where the trouble is.

use std::collections::BTreeMap;

use url::Url;

use super::document::Node;
use super::envelope::Envelope;
use super::severity::{Severity, SeveritySource};
use super::signal::{Link, Signal, SignalStatus};
use super::{Decoded, Reading, Source, Undecodable, identity};

const MEND: &str = "send the events of `aws.health` by EventBridge, unchanged";

pub(super) fn read(body: Node<'_>) -> Result<Decoded, Undecodable> {
    let envelope = Envelope::of(body).ok_or_else(|| Undecodable::missing("/detail", MEND))?;
    event(&envelope).map(Decoded::from)
}

fn event(envelope: &Envelope<'_>) -> Result<Reading, Undecodable> {
    let detail = envelope.detail;
    let required = |pointer: &str| {
        detail.text(pointer).ok_or_else(|| Undecodable::missing(format!("/detail{pointer}"), MEND))
    };
    let arn = required("/eventArn")?;
    let title = required("/eventTypeCode")?;
    let code = detail.text("/statusCode").unwrap_or_default();
    let account = detail.text("/affectedAccount").or_else(|| envelope.account.clone());
    let owner = account.clone().unwrap_or_default();
    let delivery = delivery(envelope, &owner, &code);
    let Some(status) = status(&code) else {
        let reason =
            format!("the event's status `{code}` says neither that it is open nor that it is closed");
        return Ok(Reading::ignored(Some(delivery), reason));
    };
    let category = detail.text("/eventTypeCategory").unwrap_or_default();
    let signal = Signal {
        delivery,
        fingerprint: identity::of_parts(&[&arn, &owner]),
        title,
        summary: description(detail),
        service: detail.text("/service"),
        region: detail.text("/eventRegion"),
        account,
        labels: labels(detail),
        links: dashboard(&arn).into_iter().collect(),
        started_at: detail.time("/startTime"),
        ended_at: detail.time("/endTime").filter(|_| status == SignalStatus::Resolved),
        ..Signal::new(Source::AwsHealth, status)
    };
    Ok(Reading::signal(signal.judged(&[(severity(&category), SeveritySource::Rule)])))
}

/// The copy that a backup region delivers has the same communication and account, and so is the same change.
fn delivery(envelope: &Envelope<'_>, account: &str, status: &str) -> String {
    match envelope.detail.text("/communicationId") {
        Some(communication) => identity::of_parts(&[&communication, account, status]),
        None => envelope.id.clone().unwrap_or_default(),
    }
}

/// What is announced is as open as what has begun: people prepare for it.
fn status(code: &str) -> Option<SignalStatus> {
    match code {
        "open" | "upcoming" => Some(SignalStatus::Firing),
        "closed" => Some(SignalStatus::Resolved),
        _ => None,
    }
}

fn severity(category: &str) -> Option<Severity> {
    match category {
        "issue" => Some(Severity::High),
        "investigation" => Some(Severity::Medium),
        "scheduledChange" | "accountNotification" => Some(Severity::Info),
        _ => None,
    }
}

fn description(detail: Node<'_>) -> Option<String> {
    let described = detail.elements("/eventDescription");
    let english =
        |node: &&Node<'_>| node.text("/language").is_some_and(|language| language.starts_with("en"));
    described.iter().find(english).or_else(|| described.first())?.text("/latestDescription")
}

fn labels(detail: Node<'_>) -> BTreeMap<String, String> {
    let mut labels = detail.named(&[
        ("eventArn", "/eventArn"),
        ("eventTypeCode", "/eventTypeCode"),
        ("eventTypeCategory", "/eventTypeCategory"),
        ("eventScopeCode", "/eventScopeCode"),
    ]);
    let entities = detail.elements("/affectedEntities");
    let entities: Vec<String> = entities.iter().filter_map(|entity| entity.text("/entityValue")).collect();
    if !entities.is_empty() {
        labels.insert("affectedEntities".to_owned(), entities.join(","));
    }
    labels
}

fn dashboard(arn: &str) -> Option<Link> {
    let mut url = Url::parse("https://health.aws.amazon.com/health/home").ok()?;
    url.set_fragment(Some(&format!("/account/event-log?eventID={arn}")));
    Some(Link { rel: "source".to_owned(), href: url.into() })
}
