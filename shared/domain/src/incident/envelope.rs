//! An incident event as the bus carries it, and its reader: one shape, written and read here alone.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::event::{Actor, IncidentEvent, IncidentEventKind};
use super::{IncidentFacts, rfc3339};
use crate::ids::WorkflowId;
use crate::time::Time;

/// The `source` of Muster's own events.
pub const SOURCE: &str = "muster.incidents";

/// The version of the shape. A reader takes no other: one that adds members keeps it, one that changes them raises it.
const VERSION: &str = "1";

const DETAIL_TYPES: [&str; 4] =
    ["Incident Created", "Incident State Changed", "Incident Escalated", "Incident Updated"];

/// Why bytes are not an incident event.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    #[error("reading an incident event: it is not an EventBridge envelope")]
    Envelope(#[source] serde_json::Error),
    #[error("reading an incident event: its source is `{found}`, not `{SOURCE}`")]
    Source { found: String },
    #[error("reading an incident event: there is no detail-type `{found}`")]
    DetailType { found: String },
    #[error("reading an incident event: its version is {found}, this reads {VERSION:?}")]
    Version { found: String },
    #[error("reading an incident event: its detail does not fit")]
    Detail(#[source] serde_json::Error),
    #[error("reading an incident event: its {what} is `{found}`, by its data it is `{expected}`")]
    Contradiction { what: &'static str, found: String, expected: String },
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Envelope {
    source: String,
    detail_type: String,
    #[serde(rename = "detail")]
    _detail: IgnoredAny,
}

#[derive(Serialize, Deserialize)]
struct Detail {
    metadata: Metadata,
    data: Data,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    version: String,
    correlation_id: String,
    causation_id: Option<String>,
    chain: Vec<WorkflowId>,
    idempotency_key: String,
    traceparent: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Data {
    incident: IncidentFacts,
    seq: u64,
    #[serde(with = "rfc3339")]
    at: Time,
    actor: Actor,
    change: IncidentEventKind,
}

impl IncidentEvent {
    /// Reads a whole EventBridge envelope. What comes over the bus is delivered, so it has no `due_at`.
    pub fn of_envelope(envelope: &Value) -> Result<Self, EventError> {
        let Envelope { source, detail_type, .. } =
            Envelope::deserialize(envelope).map_err(EventError::Envelope)?;
        if source != SOURCE {
            return Err(EventError::Source { found: source });
        }
        if !DETAIL_TYPES.contains(&detail_type.as_str()) {
            return Err(EventError::DetailType { found: detail_type });
        }
        let event = Self::of_detail(envelope.get("detail").unwrap_or(&Value::Null))?;
        agree("detail-type", detail_type, event.detail_type().to_owned())?;
        Ok(event)
    }

    /// Reads the `detail` alone, as rules with an input path hand it on.
    pub fn of_detail(detail: &Value) -> Result<Self, EventError> {
        check_version(detail)?;
        let detail = Detail::deserialize(detail).map_err(EventError::Detail)?;
        let (key, event) = assemble(detail);
        agree("idempotency key", key, event.idempotency_key())?;
        Ok(event)
    }

    /// The `detail` of the event on the bus.
    pub fn detail(&self) -> Value {
        let metadata = Metadata {
            version: VERSION.to_owned(),
            correlation_id: self.correlation_id.clone(),
            causation_id: self.causation_id.clone(),
            chain: self.chain.clone(),
            idempotency_key: self.idempotency_key(),
            traceparent: self.traceparent.clone(),
        };
        let data = Data {
            incident: self.snapshot.clone(),
            seq: self.seq,
            at: self.at,
            actor: self.actor.clone(),
            change: self.kind.clone(),
        };
        serde_json::to_value(Detail { metadata, data }).unwrap_or_default()
    }

    /// The whole envelope, as EventBridge would wrap the detail: what the local bus carries.
    pub fn envelope(&self) -> Value {
        json!({
            "version": "0",
            "id": self.idempotency_key(),
            "detail-type": self.detail_type(),
            "source": SOURCE,
            "time": self.at.to_string(),
            "resources": [self.incident],
            "detail": self.detail(),
        })
    }
}

impl TryFrom<&[u8]> for IncidentEvent {
    type Error = EventError;

    fn try_from(bytes: &[u8]) -> Result<Self, EventError> {
        let envelope: Value = serde_json::from_slice(bytes).map_err(EventError::Envelope)?;
        Self::of_envelope(&envelope)
    }
}

/// The version is read before the rest, whose shape it tells.
fn check_version(detail: &Value) -> Result<(), EventError> {
    match detail.pointer("/metadata/version") {
        Some(Value::String(version)) if version == VERSION => Ok(()),
        Some(other) => Err(EventError::Version { found: other.to_string() }),
        None => Err(EventError::Version { found: "absent".to_owned() }),
    }
}

/// The event, and the idempotency key that came with it.
fn assemble(Detail { metadata, data }: Detail) -> (String, IncidentEvent) {
    let event = IncidentEvent {
        incident: data.incident.id.clone(),
        seq: data.seq,
        kind: data.change,
        at: data.at,
        actor: data.actor,
        chain: metadata.chain,
        correlation_id: metadata.correlation_id,
        causation_id: metadata.causation_id,
        traceparent: metadata.traceparent,
        snapshot: data.incident,
        due_at: None,
    };
    (metadata.idempotency_key, event)
}

fn agree(what: &'static str, found: String, expected: String) -> Result<(), EventError> {
    if found == expected { Ok(()) } else { Err(EventError::Contradiction { what, found, expected }) }
}
