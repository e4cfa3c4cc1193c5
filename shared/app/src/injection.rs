//! Events that a person puts in where no bus brings them.

use muster_domain::policy::{Action, Owner};

use crate::receive::Received;
use crate::{App, Caller, Error};

impl App {
    /// Takes an event as the bus would bring it. An event of the bus may be about any team, so only platform admins may.
    pub async fn inject_event(&self, caller: &Caller, bytes: &[u8]) -> Result<Received, Error> {
        caller.principal.may(Action::EditIntegration, &Owner::Global)?;
        self.receive_event(bytes).await
    }
}
