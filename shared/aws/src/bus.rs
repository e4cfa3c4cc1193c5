//! The bus for events of incidents: EventBridge.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_eventbridge::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_eventbridge::operation::put_events::{PutEventsError, PutEventsOutput};
use aws_sdk_eventbridge::primitives::{DateTime, DateTimeFormat};
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use muster_app::ports::{Bus, BusError, BusErrorKind};
use serde::Deserialize;
use serde_json::Value;

use crate::clients::Clients;
use crate::config::BusName;

/// Publishes through PutEvents, an event a request: each is stored as delivered by itself.
#[derive(Debug)]
pub struct EventBridge {
    clients: Arc<Clients>,
    bus: BusName,
}

impl EventBridge {
    pub fn new(clients: Arc<Clients>, bus: BusName) -> Self {
        Self { clients, bus }
    }

    /// What PutEvents takes of an envelope; EventBridge makes the rest anew.
    fn entry(&self, event: &[u8]) -> Result<PutEventsRequestEntry, BusError> {
        let envelope: Envelope = serde_json::from_slice(event).map_err(refused)?;
        let time = DateTime::from_str(&envelope.time, DateTimeFormat::DateTime).map_err(refused)?;
        Ok(PutEventsRequestEntry::builder()
            .event_bus_name(self.bus.as_str())
            .source(envelope.source)
            .detail_type(envelope.detail_type)
            .detail(envelope.detail.to_string())
            .set_resources(Some(envelope.resources))
            .time(time)
            .build())
    }
}

#[async_trait]
impl Bus for EventBridge {
    async fn publish(&self, event: &[u8]) -> Result<(), BusError> {
        let request = self.clients.event_bridge().put_events().entries(self.entry(event)?);
        let reply = request.send().await.map_err(|error| failed(kind_of(&error), error))?;
        taken(&reply)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Envelope {
    source: String,
    detail_type: String,
    detail: Value,
    resources: Vec<String>,
    time: String,
}

/// An entry that EventBridge did not take is a failure, though the request as a whole succeeds.
#[derive(Debug, thiserror::Error)]
#[error("EventBridge did not take the event: {code}")]
struct NotTaken {
    code: String,
}

fn taken(reply: &PutEventsOutput) -> Result<(), BusError> {
    let failure = reply.entries().iter().find_map(|entry| entry.error_code());
    let code = match (failure, reply.failed_entry_count()) {
        (None, 0) => return Ok(()),
        (Some(code), _) => code,
        (None, _) => "it does not say why",
    };
    Err(failed(kind_of_code(code), NotTaken { code: code.to_owned() }))
}

/// Without an answer of EventBridge nothing is known to be wrong with the event.
fn kind_of(error: &SdkError<PutEventsError>) -> BusErrorKind {
    error.code().map_or(BusErrorKind::Unavailable, kind_of_code)
}

/// What only a person can mend is refused; everything else may pass.
fn kind_of_code(code: &str) -> BusErrorKind {
    const FINAL: [&str; 8] = [
        "AccessDeniedException",
        "InvalidArgument",
        "MalformedDetail",
        "NotAuthorizedForDetailTypeException",
        "NotAuthorizedForSourceException",
        "RedactionFailure",
        "ResourceNotFoundException",
        "ValidationException",
    ];
    if FINAL.contains(&code) { BusErrorKind::Refused } else { BusErrorKind::Unavailable }
}

fn refused(error: impl std::error::Error + Send + Sync + 'static) -> BusError {
    failed(BusErrorKind::Refused, error)
}

fn failed(kind: BusErrorKind, error: impl std::error::Error + Send + Sync + 'static) -> BusError {
    BusError { doing: "publishing an event", kind, source: Box::new(error) }
}

#[cfg(test)]
mod tests {
    use aws_sdk_eventbridge::types::PutEventsResultEntry;

    use super::*;

    fn reply(failed: i32, code: Option<&str>) -> PutEventsOutput {
        let entry = PutEventsResultEntry::builder().set_error_code(code.map(str::to_owned)).build();
        PutEventsOutput::builder().failed_entry_count(failed).entries(entry).build()
    }

    #[track_caller]
    fn check(reply: &PutEventsOutput, expected: Result<(), BusErrorKind>) {
        assert_eq!(taken(reply).map_err(|error| error.kind), expected, "{reply:?}");
    }

    #[test]
    fn inv_a5_an_entry_that_was_not_taken_is_a_failure() {
        check(&reply(0, None), Ok(()));
        check(&reply(1, None), Err(BusErrorKind::Unavailable));
        check(&reply(1, Some("ThrottlingException")), Err(BusErrorKind::Unavailable));
        check(&reply(1, Some("InternalFailure")), Err(BusErrorKind::Unavailable));
        check(&reply(0, Some("InternalFailure")), Err(BusErrorKind::Unavailable));
        check(&reply(1, Some("MalformedDetail")), Err(BusErrorKind::Refused));
        check(&reply(1, Some("NotAuthorizedForSourceException")), Err(BusErrorKind::Refused));
    }
}
