//! A runbook that has not helped often enough is not run again on the same incident (D7).

use muster_domain::execution::Execution;
use muster_domain::giving_up::{GivenUp, given_up};

use crate::plans::Compiled;
use crate::table::{Order, Query};
use crate::{App, Error};

/// How many pages of the latest executions on the incident are looked at.
const PAGES: usize = 2;

impl App {
    /// Refuses to begin what has been given up.
    pub(super) async fn refuse_given_up(
        &self,
        execution: &Execution,
        compiled: &Compiled,
    ) -> Result<(), Error> {
        match self.given_up(execution, compiled).await? {
            Some(given_up) => Err(Error::Conflict(format!("the run is refused: {given_up}"))),
            None => Ok(()),
        }
    }

    /// Whether the runbook has given up on the incident; `None` also of a run without an incident, and of one without the limit.
    pub(crate) async fn given_up(
        &self,
        execution: &Execution,
        compiled: &Compiled,
    ) -> Result<Option<GivenUp>, Error> {
        let limit = compiled.phased.as_ref().and_then(|phased| phased.limits.ineffective_runs);
        let (Some(limit), Some(incident), Some(pinned)) =
            (limit, &execution.incident, execution.pinned.runbook())
        else {
            return Ok(None);
        };
        let query = Query::ExecutionsOfIncident { incident: incident.clone() };
        let runs: Vec<Execution> = self.first_of(&query, Order::Descending, PAGES).await?;
        Ok(given_up(limit, &pinned.id, runs.iter()))
    }
}
