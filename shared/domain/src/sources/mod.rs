//! What monitoring tools report, read into one shape: the bytes of a delivery in, signals out.
//!
//! One file reads one source. Each reads what it understands, leaves aside with a reason what it does not follow, and guesses
//! nothing. Whatever a sender writes, the bounds of `signal` hold for every signal that leaves here.

mod alertmanager;
mod aws_health;
mod bus_event;
mod cloudwatch;
mod datadog;
mod document;
mod envelope;
mod facts;
mod generic;
mod grafana;
mod identity;
mod moment;
mod pagerduty;
mod severity;
mod signal;
mod undecodable;
pub mod verification;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::bus_event::BusEvent;
use self::document::Node;
pub use self::identity::MAX_ID_BYTES;
pub use self::severity::{Severity, SeveritySource};
pub use self::signal::{
    Link, MAX_FACT_CHARS, MAX_HREF_CHARS, MAX_LABEL_KEY_CHARS, MAX_LABEL_VALUE_CHARS, MAX_LABELS, MAX_LINKS,
    MAX_SUMMARY_CHARS, MAX_TITLE_CHARS, Signal, SignalStatus,
};
pub use self::undecodable::Undecodable;

/// The largest delivery that is read: what EventBridge and SNS carry at most, and more than a webhook needs.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// The most alerts in one delivery. The senders split or cut theirs far below it.
pub const MAX_ALERTS: usize = 1_000;

/// Reads one delivery of `source`, in any of the shapes in which that source reports.
///
/// A faulty alert among others is left aside and the others are read; refused is only a delivery that is none of these shapes.
pub fn decode(source: Source, body: &[u8]) -> Result<Decoded, Undecodable> {
    let document = document::parse(body);
    let document = document.map_err(|undecodable| undecodable.while_reading(source.delivery_name()))?;
    read(source, &document)
}

fn read(source: Source, document: &Value) -> Result<Decoded, Undecodable> {
    let read = match source {
        Source::Cloudwatch => cloudwatch::read,
        Source::Pagerduty => pagerduty::read,
        Source::Alertmanager => alertmanager::read,
        Source::Grafana => grafana::read,
        Source::Datadog => datadog::read,
        Source::AwsHealth => aws_health::read,
        Source::Generic => generic::read,
    };
    read(Node::new(document))
        .map(Decoded::completed)
        .map_err(|undecodable| undecodable.while_reading(source.delivery_name()))
}

/// A kind of sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    Cloudwatch,
    Pagerduty,
    Alertmanager,
    Grafana,
    Datadog,
    AwsHealth,
    /// Any sender of the PagerDuty Events v2 body (PD-CEF).
    Generic,
}

impl Source {
    pub const ALL: [Self; 7] = [
        Self::Cloudwatch,
        Self::Pagerduty,
        Self::Alertmanager,
        Self::Grafana,
        Self::Datadog,
        Self::AwsHealth,
        Self::Generic,
    ];

    /// The name as stored and sent; the same as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cloudwatch => "cloudwatch",
            Self::Pagerduty => "pagerduty",
            Self::Alertmanager => "alertmanager",
            Self::Grafana => "grafana",
            Self::Datadog => "datadog",
            Self::AwsHealth => "awsHealth",
            Self::Generic => "generic",
        }
    }

    const fn delivery_name(self) -> &'static str {
        match self {
            Self::Cloudwatch => "a CloudWatch alarm",
            Self::Pagerduty => "a PagerDuty event",
            Self::Alertmanager => "an Alertmanager notification",
            Self::Grafana => "a Grafana notification",
            Self::Datadog => "a Datadog notification",
            Self::AwsHealth => "an AWS Health event",
            Self::Generic => "an alert in the Events v2 form",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What one delivery says.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decoded {
    pub signals: Vec<Signal>,
    pub ignored: Vec<Ignored>,
}

impl Decoded {
    fn add(&mut self, reading: Reading) {
        match reading {
            Reading::Signal(signal) => self.signals.push(*signal),
            Reading::Ignored(ignored) => self.ignored.push(ignored),
        }
    }

    /// Reads the alerts of a delivery one by one: a fault of one is a reason to leave that one aside, not the others.
    fn of_many<'a>(
        alerts: Vec<Node<'a>>,
        mut read: impl FnMut(Node<'a>) -> Result<Reading, Undecodable>,
    ) -> Self {
        let mut decoded = Self::default();
        for (position, alert) in alerts.into_iter().enumerate() {
            let fault =
                |fault: Undecodable| format!("alert {} of the delivery: {}", position + 1, fault.fault());
            decoded.add(read(alert).unwrap_or_else(|undecodable| Reading::ignored(None, fault(undecodable))));
        }
        decoded
    }

    /// The last step of every reading, and the only place where labels become facts and the bounds are applied.
    fn completed(self) -> Self {
        let signals = self.signals.into_iter().map(|signal| facts::from_labels(signal).bounded()).collect();
        let ignored = self.ignored.into_iter().map(Ignored::bounded).collect();
        Self { signals, ignored }
    }
}

impl From<Reading> for Decoded {
    fn from(reading: Reading) -> Self {
        let mut decoded = Self::default();
        decoded.add(reading);
        decoded
    }
}

/// A part of a delivery that changes nothing, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ignored {
    /// The id of the change, as in `Signal::delivery`, if it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
    /// A sentence for a person.
    pub reason: String,
}

impl Ignored {
    fn bounded(self) -> Self {
        Self {
            delivery: self.delivery.map(|id| identity::bounded(&id)),
            reason: signal::line(&self.reason, signal::MAX_REASON_CHARS),
        }
    }
}

/// What one alert says.
enum Reading {
    Signal(Box<Signal>),
    Ignored(Ignored),
}

impl Reading {
    fn signal(signal: Signal) -> Self {
        Self::Signal(Box::new(signal))
    }

    fn ignored(delivery: Option<String>, reason: impl Into<String>) -> Self {
        Self::Ignored(Ignored { delivery, reason: reason.into() })
    }
}

#[cfg(test)]
mod tests;
