//! An event of the bus: parsed once, and asked for all that whoever takes it needs.

use serde_json::Value;

use super::document::{self, Node};
use super::{Decoded, Source, Undecodable, envelope, read};

/// Any event that a bus brings, or with which a service invokes its taker directly.
#[derive(Debug, Clone, PartialEq)]
pub struct BusEvent(Value);

impl BusEvent {
    pub fn parse(bytes: &[u8]) -> Result<Self, Undecodable> {
        let parsed = document::parse(bytes).map(Self);
        parsed.map_err(|undecodable| undecodable.while_reading("an EventBridge event"))
    }

    /// All of it, as it was parsed.
    pub const fn value(&self) -> &Value {
        &self.0
    }

    /// Which source reports in it; `None` for an event of anything else.
    pub fn source(&self) -> Option<Source> {
        envelope::route(Node::new(&self.0))
    }

    /// What its source reports.
    pub fn decode(&self, source: Source) -> Result<Decoded, Undecodable> {
        read(source, &self.0)
    }

    /// Whose alerts it reports: the account that it says it is of, or that its topic is of.
    pub fn account(&self) -> Option<&str> {
        let given = ["/account", "/accountId"].into_iter().find_map(|at| self.0.pointer(at)?.as_str());
        given.or_else(|| self.0.pointer("/Records/0/Sns/TopicArn")?.as_str()?.split(':').nth(4))
    }

    /// A member of the envelope, for people; empty if it is no text.
    pub fn member(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}
