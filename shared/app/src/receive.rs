//! The one entrance for events of the bus: our own, those of monitoring, and whatever else comes.

use muster_domain::incident::{EventError, IncidentEvent};
use muster_domain::sources::{Source, decode, route};
use serde::Serialize;
use serde_json::Value;

use crate::error::chain;
use crate::matching::Matched;
use crate::metrics::Counter;
use crate::signals::{Sender, Taken};
use crate::{App, Error};

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Received {
    /// An incident's: matched against workflows.
    Matched(Matched),
    /// A report of monitoring.
    Taken(Taken),
    /// Nothing that this version knows: it is in the log and counted.
    Unknown,
}

impl App {
    /// Takes one event, as EventBridge delivers it. Safe to run twice for the same one.
    ///
    /// What cannot be understood is no error, for it would not be understood the next time either. An error says that the event
    /// is to be delivered again.
    pub async fn receive_event(&self, bytes: &[u8]) -> Result<Received, Error> {
        self.metrics.count(Counter::EventsReceived);
        match IncidentEvent::try_from(bytes) {
            Ok(event) => {
                let matched = self.match_event(&event).await?;
                self.metrics.count(Counter::EventsMatched);
                Ok(Received::Matched(matched))
            }
            // Of another source, or in one of the forms in which CloudWatch invokes a function directly.
            Err(EventError::Source { .. } | EventError::Envelope(_)) => self.receive_report(bytes).await,
            Err(
                error @ (EventError::DetailType { .. }
                | EventError::Version { .. }
                | EventError::Detail(_)
                | EventError::Contradiction { .. }),
            ) => Ok(self.unknown(bytes, &chain(&error))),
        }
    }

    async fn receive_report(&self, bytes: &[u8]) -> Result<Received, Error> {
        let source = match route(bytes) {
            Ok(Some(source)) => source,
            Ok(None) => return Ok(self.unknown(bytes, "its source is none that reports alerts")),
            Err(error) => return Ok(self.unknown(bytes, &chain(&error))),
        };
        let decoded = match decode(source, bytes) {
            Ok(decoded) => decoded,
            Err(error) => return Ok(self.unknown(bytes, &chain(&error))),
        };
        for ignored in &decoded.ignored {
            tracing::info!(source = %source, reason = ignored.reason, "a part of a report was left aside");
        }
        if decoded.signals.is_empty() {
            return Ok(Received::Taken(Taken::default()));
        }
        self.take_signals(&sender(source, bytes), decoded.signals).await.map(Received::Taken)
    }

    /// Says in the log which event it was; never what it holds, which may be secret.
    fn unknown(&self, bytes: &[u8], reason: &str) -> Received {
        self.metrics.count(Counter::EventsUnknown);
        let event: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let name = |member: &str| event.get(member).and_then(Value::as_str).unwrap_or_default();
        tracing::warn!(
            event_id = name("id"),
            event_source = name("source"),
            detail_type = name("detail-type"),
            bytes = bytes.len(),
            reason,
            "an event is not understood"
        );
        Received::Unknown
    }
}

/// Alerts of one account meet under their fingerprints, those of different accounts do not.
fn sender(source: Source, bytes: &[u8]) -> Sender {
    let event: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let given = ["/account", "/accountId"].into_iter().filter_map(|at| event.pointer(at)?.as_str());
    let of_topic = event.pointer("/Records/0/Sns/TopicArn").and_then(|arn| arn.as_str()?.split(':').nth(4));
    let account = given.chain(of_topic).next().unwrap_or("unknown");
    Sender { scope: format!("bus:{account}"), team: None, source }
}
