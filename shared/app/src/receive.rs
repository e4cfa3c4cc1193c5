//! What the bus brings: the only entry of the matcher.
//!
//! To be replaced when matching is merged: for now an event is only read.

use muster_domain::incident::IncidentEvent;

use crate::{App, Error};

/// What became of an event of the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received;

impl App {
    pub async fn receive_event(&self, bytes: &[u8]) -> Result<Received, Error> {
        if let Err(error) = IncidentEvent::try_from(bytes) {
            tracing::warn!(error = crate::error::chain(&error), "an event of the bus cannot be read");
        }
        Ok(Received)
    }
}
