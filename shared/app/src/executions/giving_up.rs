//! A runbook that has not helped often enough is not run again on the same incident (D7).

use muster_domain::execution::Execution;
use muster_domain::giving_up::{GivenUp, given_up};

use crate::plans::Compiled;
use crate::table::{Order, PageRequest, Query};
use crate::{App, Error};

/// How many of the latest executions on the incident are looked at: two pages.
const PAGES: usize = 2;
const PAGE: u32 = 100;

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
        let (mut runs, mut after): (Vec<Execution>, _) = (Vec::new(), None);
        for _ in 0..PAGES {
            let page = self
                .table
                .query(&query, &PageRequest { limit: PAGE, order: Order::Descending, after })
                .await?;
            for stored in page.records {
                runs.push(stored.typed()?.value);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(given_up(limit, &pinned.id, runs.iter()))
    }
}
