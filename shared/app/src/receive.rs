//! The one entrance for events of the bus: our own, those of monitoring, and whatever else comes.

use muster_domain::incident::{EventError, IncidentEvent};
use muster_domain::sources::{BusEvent, Source};
use serde::Serialize;

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
        let event = match BusEvent::parse(bytes) {
            Ok(event) => event,
            Err(error) => return Ok(self.unknown(None, &chain(&error))),
        };
        match IncidentEvent::of_envelope(event.value()) {
            Ok(event) => {
                let matched = self.match_event(&event).await?;
                self.metrics.count(Counter::EventsMatched);
                Ok(Received::Matched(matched))
            }
            // Of another source, or in one of the forms in which CloudWatch invokes a function directly.
            Err(EventError::Source { .. } | EventError::Envelope(_)) => self.receive_report(&event).await,
            Err(
                error @ (EventError::DetailType { .. }
                | EventError::Version { .. }
                | EventError::Detail(_)
                | EventError::Contradiction { .. }),
            ) => Ok(self.unknown(Some(&event), &chain(&error))),
        }
    }

    async fn receive_report(&self, event: &BusEvent) -> Result<Received, Error> {
        let Some(source) = event.source() else {
            return Ok(self.unknown(Some(event), "its source is none that reports alerts"));
        };
        let decoded = match event.decode(source) {
            Ok(decoded) => decoded,
            Err(error) => return Ok(self.unknown(Some(event), &chain(&error))),
        };
        for ignored in &decoded.ignored {
            tracing::info!(source = %source, reason = ignored.reason, "a part of a report was left aside");
        }
        if decoded.signals.is_empty() {
            return Ok(Received::Taken(Taken::default()));
        }
        let sender = self.sender(source, event).await?;
        self.take_signals(&sender, decoded.signals).await.map(Received::Taken)
    }

    /// Alerts of one account meet under their fingerprints, those of different accounts do not; its team is theirs.
    async fn sender(&self, source: Source, event: &BusEvent) -> Result<Sender, Error> {
        let account = event.account().unwrap_or("unknown");
        let team = self.team_of_account(account).await?;
        Ok(Sender { scope: format!("bus:{account}"), team, source })
    }

    /// Says in the log which event it was, if it could be parsed; never what it holds, which may be secret.
    fn unknown(&self, event: Option<&BusEvent>, reason: &str) -> Received {
        self.metrics.count(Counter::EventsUnknown);
        let member = |name| event.map_or("", |event| event.member(name));
        tracing::warn!(
            event_id = member("id"),
            event_source = member("source"),
            detail_type = member("detail-type"),
            reason,
            "an event is not understood"
        );
        Received::Unknown
    }
}
