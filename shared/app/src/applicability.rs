//! Which approved runbooks fit an incident (D3).
//!
//! Every read is bounded: of the team's runbooks, and of all for those of no team, the newest 500 each are considered, and the
//! history is read of those alone that are shown.

use std::cmp::Reverse;
use std::sync::Arc;

use futures::future::try_join_all;
use muster_domain::applicability::{Fit, Past, fit};
use muster_domain::ids::{IncidentId, RunbookId, TeamId};
use muster_domain::incident::Incident;
use muster_domain::policy::{Action, Owner};
use muster_domain::render::incident_alone;
use muster_domain::runbook::Runbook;
use serde_json::Value;

use crate::plans::Compiled;
use crate::table::{Order, PageRequest, Query, TableErrorKind};
use crate::{App, Caller, Error};

/// The most runbooks of one list that are considered.
pub const MOST_CONSIDERED: usize = 500;
/// How many a page of them holds.
const PAGE: u32 = 100;
/// How many versions, or histories, are read at once.
const AT_ONCE: usize = 16;

/// The runbooks that fit an incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// The best first; of two that are as good, by name and then by id.
    pub items: Vec<Ranked>,
    /// How many approved runbooks were looked at.
    pub considered: usize,
    /// There are more runbooks than are ever looked at.
    pub cut: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    pub runbook: RunbookId,
    pub team: Option<TeamId>,
    /// Of the version that would run.
    pub name: String,
    /// The newest approved one.
    pub version: u32,
    pub fit: Fit,
}

/// Approved runbooks that the caller may read, with the version that would run.
#[derive(Default)]
struct Candidates {
    found: Vec<(Runbook, u32)>,
    cut: bool,
}

impl App {
    /// The best of the approved runbooks of the incident's team and of no team, at most `limit`: ranked by their rules, and those
    /// then moved by their history.
    pub async fn runbooks_for_incident(
        &self,
        caller: &Caller,
        id: &IncidentId,
        limit: u32,
    ) -> Result<Ranking, Error> {
        let incident = self.incident(caller, id).await?;
        let candidates = self.candidates_for(caller, &incident).await?;
        let mut items = self.fitting(&candidates.found, &incident_alone(&incident)).await?;
        rank(&mut items);
        items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let mut items = self.with_history(items).await?;
        rank(&mut items);
        Ok(Ranking { items, considered: candidates.found.len(), cut: candidates.cut })
    }

    async fn candidates_for(&self, caller: &Caller, incident: &Incident) -> Result<Candidates, Error> {
        let mut candidates = Candidates::default();
        if let Some(team) = &incident.team {
            let query = Query::RunbooksOfTeam { team: team.clone() };
            self.add_candidates(caller, &query, incident.team.as_ref(), &mut candidates).await?;
        }
        self.add_candidates(caller, &Query::Runbooks, None, &mut candidates).await?;
        Ok(candidates)
    }

    /// Adds those of a list that are of this team.
    async fn add_candidates(
        &self,
        caller: &Caller,
        query: &Query,
        team: Option<&TeamId>,
        candidates: &mut Candidates,
    ) -> Result<(), Error> {
        let (mut after, mut seen) = (None, 0);
        while seen < MOST_CONSIDERED {
            let request = PageRequest { limit: PAGE, order: Order::Descending, after };
            let page = self.table.query(query, &request).await?;
            seen = seen.saturating_add(page.records.len());
            for stored in page.records {
                let runbook: Runbook = stored.typed()?.value;
                let shown = runbook.team.as_ref() == team && runbook.deleted_at.is_none();
                let readable = caller.principal.may(Action::Read, &Owner::from(runbook.team.clone())).is_ok();
                if let Some(version) = runbook.approved_version().filter(|_| shown && readable) {
                    candidates.found.push((runbook, version));
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
        candidates.cut = true;
        Ok(())
    }

    /// Those of which at least one rule holds.
    async fn fitting(&self, candidates: &[(Runbook, u32)], context: &Value) -> Result<Vec<Ranked>, Error> {
        let mut fitting = Vec::new();
        for candidates in candidates.chunks(AT_ONCE) {
            let versions =
                candidates.iter().map(|(runbook, version)| self.compiled_or_left_out(runbook, *version));
            let versions = try_join_all(versions).await?;
            let judged = candidates.iter().zip(&versions);
            fitting.extend(
                judged.filter_map(|((runbook, _), compiled)| ranked(runbook, compiled.as_deref()?, context)),
            );
        }
        Ok(fitting)
    }

    /// One that cannot be read is reported in the log and left out, as in every list.
    async fn compiled_or_left_out(
        &self,
        runbook: &Runbook,
        version: u32,
    ) -> Result<Option<Arc<Compiled>>, Error> {
        match self.compiled(&runbook.id, version).await {
            Ok(compiled) => Ok(Some(compiled)),
            Err(Error::Table(error)) if error.kind == TableErrorKind::Corrupt => {
                let (runbook_id, error) = (&runbook.id, crate::error::chain(&error));
                tracing::error!(%runbook_id, version, error, "a version that cannot be read is left out");
                Ok(None)
            }
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn with_history(&self, items: Vec<Ranked>) -> Result<Vec<Ranked>, Error> {
        let mut moved = Vec::with_capacity(items.len());
        for items in items.chunks(AT_ONCE) {
            let pasts = try_join_all(items.iter().map(|item| self.past_of(&item.runbook))).await?;
            moved.extend(
                items
                    .iter()
                    .zip(pasts)
                    .map(|(item, past)| Ranked { fit: item.fit.clone().with_past(past), ..item.clone() }),
            );
        }
        Ok(moved)
    }

    async fn past_of(&self, runbook: &RunbookId) -> Result<Past, Error> {
        Ok(Past::of(self.latest_runs(runbook).await?.iter()))
    }
}

/// A simple runbook has no rules, so it is never listed.
fn ranked(runbook: &Runbook, compiled: &Compiled, context: &Value) -> Option<Ranked> {
    let fit = fit(&compiled.phased.as_ref()?.applicability, context)?;
    Some(Ranked {
        runbook: runbook.id.clone(),
        team: runbook.team.clone(),
        name: compiled.name.clone(),
        version: compiled.version,
        fit,
    })
}

fn rank(items: &mut [Ranked]) {
    items.sort_by_cached_key(|item| (Reverse(item.fit.confidence), item.name.clone(), item.runbook.clone()));
}
