//! What is set for scopes, kill switches and freezes, as it is read and stored: one item for each scope.

use muster_domain::control::{Control, Scope};
use muster_domain::execution::Execution;

use crate::table::{Key, Stored, Versioned};
use crate::{App, Error};

/// What is set for a scope, as it was read; no version: nothing was set yet.
pub(crate) type SeenControl = (Control, Option<u64>);

impl App {
    pub(crate) async fn control(&self, scope: Scope) -> Result<SeenControl, Error> {
        let stored = self.table.get(&Key::Control(scope.clone())).await?;
        let stored: Option<Versioned<Control>> = stored.map(Stored::typed).transpose()?;
        Ok(stored.map_or_else(|| (Control::unset(scope), None), |seen| (seen.value, Some(seen.version))))
    }

    /// What is set for any of the scopes, with one read.
    pub(crate) async fn controls(
        &self,
        scopes: impl IntoIterator<Item = Scope>,
    ) -> Result<Vec<Control>, Error> {
        let keys: Vec<Key> = scopes.into_iter().map(Key::Control).collect();
        let found = self.read_all(&keys).await?.into_values();
        Ok(found.map(|stored| stored.typed().map(|seen| seen.value)).collect::<Result<_, _>>()?)
    }

    /// Refuses what a kill switch stops.
    pub(crate) async fn refuse_killed(&self, execution: &Execution) -> Result<(), Error> {
        killed(&self.controls(execution.scopes()).await?)
    }
}

/// Refuses what one of the kill switches stops.
pub(crate) fn killed(controls: &[Control]) -> Result<(), Error> {
    let engaged = controls.iter().find_map(Control::engaged);
    engaged.map_or(Ok(()), |(scope, switch)| {
        Err(Error::KillSwitch { scope: scope.clone(), reason: switch.reason.clone() })
    })
}
