//! What the bus delivers: monitoring events become incidents.

use muster_domain::sources::{decode, route};
use serde::Serialize;
use serde_json::Value;

use crate::signals::{Sender, Taken};
use crate::{App, Error};

/// What became of one event of the bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "received", rename_all = "camelCase")]
pub enum Received {
    Taken(Taken),
    /// Nothing that Muster follows; the log has it.
    Kept {
        reason: String,
    },
}

impl App {
    /// Routes one event of the bus. What is unknown is kept in the log and is never an error.
    pub async fn receive_event(&self, bytes: &[u8]) -> Result<Received, Error> {
        let source = match route(bytes) {
            Ok(Some(source)) => source,
            Ok(None) => return Ok(kept("no source that is followed".to_owned())),
            Err(undecodable) => return Ok(kept(undecodable.to_string())),
        };
        let decoded = match decode(source, bytes) {
            Ok(decoded) => decoded,
            Err(undecodable) => return Ok(kept(undecodable.to_string())),
        };
        let envelope: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let account = envelope.get("account").and_then(Value::as_str).unwrap_or_default();
        let sender = Sender { scope: format!("bus:{account}"), team: None, source };
        Ok(Received::Taken(self.take_signals(&sender, decoded.signals).await?))
    }
}

fn kept(reason: String) -> Received {
    tracing::warn!(reason, "an event of the bus that nothing follows");
    Received::Kept { reason }
}
