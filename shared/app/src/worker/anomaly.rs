//! What is usual of a runbook, read once before a run of it begins (D7).

use muster_domain::anomaly::Usual;
use muster_domain::runbook::phased::Anomaly;

use super::run::Run;
use crate::Error;

impl Run<'_> {
    /// One page of history, and only of a runbook that asks for anomalies.
    pub(super) async fn usual(&self) -> Result<Option<Usual>, Error> {
        let execution = &self.seen.value;
        let asks = match self.compiled.plan.anomaly {
            Anomaly::Off => false,
            Anomaly::Flag | Anomaly::Stop => execution.started_at.is_none() && execution.undoes.is_none(),
        };
        let Some(pinned) = execution.pinned.runbook().filter(|_| asks) else { return Ok(None) };
        let runs = self.app.latest_runs(&pinned.id).await?;
        Ok(Some(Usual::of(&runs, &pinned.digest, self.app.clock.now())))
    }
}
