//! One normalised change, and the bounds that hold for it whatever the sender wrote.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

pub use crate::incident::MAX_TITLE_CHARS;

use super::severity::{Severity, SeveritySource};
use super::{Source, identity};
use crate::time::Time;

pub const MAX_SUMMARY_CHARS: usize = 4_000;
pub const MAX_LABELS: usize = 64;
pub const MAX_LABEL_KEY_CHARS: usize = 128;
pub const MAX_LABEL_VALUE_CHARS: usize = 1_024;
pub const MAX_LINKS: usize = 16;
/// A longer address is left out: half an address leads nowhere.
pub const MAX_HREF_CHARS: usize = 2_048;
/// The longest service, environment, region or account.
pub const MAX_FACT_CHARS: usize = 256;
pub(super) const MAX_REASON_CHARS: usize = 500;

/// One change that a source reports: an alert fires, is acknowledged, or is resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Signal {
    pub source: Source,
    /// The same for every delivery of this one change; at most `MAX_ID_BYTES`.
    pub delivery: String,
    /// The same for an alert's firing and its resolution, within one sender; at most `MAX_ID_BYTES`.
    pub fingerprint: String,
    pub status: SignalStatus,
    pub severity: Severity,
    pub severity_source: SeveritySource,
    /// One line of 1 to `MAX_TITLE_CHARS` characters.
    pub title: String,
    pub summary: Option<String>,
    pub service: Option<String>,
    pub environment: Option<String>,
    /// Where the trouble is, which may differ from where the event was delivered.
    pub region: Option<String>,
    pub account: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub links: Vec<Link>,
    /// What the alert itself names as its runbook: an address, an id or a name. A hint is a fact and grants nothing.
    pub runbook_hint: Option<String>,
    pub started_at: Option<Time>,
    pub ended_at: Option<Time>,
    /// When the source says that this change happened, where that is neither the beginning nor the end of the alert.
    pub occurred_at: Option<Time>,
    /// Whether a person asked the source to send this as a trial.
    pub is_test: bool,
}

/// What became of the alert. A state that is none of these is no signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SignalStatus {
    Firing,
    Acknowledged,
    Resolved,
}

/// An address about the alert; `http` or `https`, without credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// What is there: `source`, `dashboard`, `silence`, `image`, `runbook` or `related`.
    pub rel: String,
    pub href: String,
}

impl Signal {
    /// A signal that says nothing yet beyond its status.
    pub(super) fn new(source: Source, status: SignalStatus) -> Self {
        Self {
            source,
            delivery: String::new(),
            fingerprint: String::new(),
            status,
            severity: Severity::DEFAULT,
            severity_source: SeveritySource::Default,
            title: String::new(),
            summary: None,
            service: None,
            environment: None,
            region: None,
            account: None,
            labels: BTreeMap::new(),
            links: Vec::new(),
            runbook_hint: None,
            started_at: None,
            ended_at: None,
            occurred_at: None,
            is_test: false,
        }
    }

    /// With the first of the given severities that is known.
    pub(super) fn judged(self, candidates: &[(Option<Severity>, SeveritySource)]) -> Self {
        let found = candidates.iter().find_map(|(severity, origin)| Some(((*severity)?, *origin)));
        let (severity, severity_source) = found.unwrap_or((self.severity, self.severity_source));
        Self { severity, severity_source, ..self }
    }

    /// When the source says that this change happened; reports of one alert are ordered by it, whenever they arrive.
    pub fn changed_at(&self) -> Option<Time> {
        let bound = match self.status {
            SignalStatus::Firing | SignalStatus::Acknowledged => self.started_at,
            SignalStatus::Resolved => self.ended_at,
        };
        self.occurred_at.or(bound)
    }

    /// The same signal with every bound of this file applied.
    pub(super) fn bounded(self) -> Self {
        let fact = |fact: Option<String>| {
            fact.map(|text| line(&text, MAX_FACT_CHARS)).filter(|text| !text.is_empty())
        };
        Self {
            delivery: identity::bounded(&self.delivery),
            fingerprint: identity::bounded(&self.fingerprint),
            title: bounded_title(&self.title, self.source),
            summary: self.summary.map(|text| paragraph(&text)).filter(|text| !text.is_empty()),
            service: fact(self.service),
            environment: fact(self.environment),
            region: fact(self.region),
            account: fact(self.account),
            labels: bounded_labels(&self.labels),
            links: bounded_links(self.links),
            runbook_hint: self.runbook_hint.and_then(|hint| bounded_hint(&hint)),
            ..self
        }
    }
}

/// `text` as one line without control characters, cut to `most` characters.
pub(super) fn line(text: &str, most: usize) -> String {
    let spaced = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    spaced.skip_while(|c| c.is_whitespace()).take(most).collect::<String>().trim_end().to_owned()
}

/// Half a hint names nothing, so a long one is left out.
fn bounded_hint(hint: &str) -> Option<String> {
    let short = hint.chars().count() <= MAX_HREF_CHARS;
    Some(line(hint, MAX_HREF_CHARS)).filter(|hint| short && !hint.is_empty())
}

fn bounded_title(title: &str, source: Source) -> String {
    let title = line(title, MAX_TITLE_CHARS);
    if title.is_empty() { format!("Alert without a title from {source}") } else { title }
}

fn paragraph(text: &str) -> String {
    let kept = text.trim().chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    kept.take(MAX_SUMMARY_CHARS).collect()
}

/// The first labels by name: which of too many are kept does not depend on the order in which they came.
fn bounded_labels(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let named = labels.iter().map(|(name, value)| (line(name, MAX_LABEL_KEY_CHARS), value));
    let kept = named.filter(|(name, _)| !name.is_empty()).take(MAX_LABELS);
    kept.map(|(name, value)| (name, line(value, MAX_LABEL_VALUE_CHARS))).collect()
}

fn bounded_links(links: Vec<Link>) -> Vec<Link> {
    links.into_iter().filter(|link| is_followable(&link.href)).take(MAX_LINKS).collect()
}

fn is_followable(href: &str) -> bool {
    let short = href.chars().count() <= MAX_HREF_CHARS && !href.contains(char::is_control);
    short
        && Url::parse(href).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
        })
}
