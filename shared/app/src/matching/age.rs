//! Age triggers (C10): what a workflow starts because an incident is still open some time after its creation.
//!
//! Each workflow has a cursor over the index of open incidents, which is ordered by creation: up to there every incident has
//! been judged, and is not judged again, whatever is changed of the workflow later. One tick therefore reads the list of
//! workflows and their cursors, and of the incidents only those that have come of age since. The cursor moves when
//! something was found; a quiet tick writes nothing.
//!
//! An incident is late by the time since it came of age, or since the workflow was last changed if that was later: after an
//! outage what is older than the workflow's misfire window is skipped and recorded, while a workflow that was just created,
//! enabled or given another threshold starts for all incidents that are already old enough.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use muster_domain::ids::UserId;
use muster_domain::incident::{Incident, IncidentFacts};
use muster_domain::time::Time;
use muster_domain::workflow::matching::evaluate_age;
use muster_domain::workflow::{
    Candidate, MatchDecision, MatchOutcome, Predicate, Trigger, TriggerKind, Workflow, age_execution_id,
};

use super::{Matched, Occasion, Verdict};
use crate::metrics::Counter;
use crate::table::{AgeCursor, CommitError, Expect, Key, Order, Page, PageRequest, Query, Versioned, Write};
use crate::{App, Error};

/// How many incidents one page holds.
const PAGE: u32 = 100;
/// How many pages one workflow reads in one tick; the next tick goes on.
const MAX_PAGES: u32 = 10;
/// How many workflows are brought forward at once.
const CONCURRENT: usize = 16;
/// How many cursors are read at once.
const CURSORS: usize = 100;

/// What one tick found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Aged {
    pub(crate) started: u64,
    /// Came of age so long ago that they were skipped.
    pub(crate) misfired: u64,
    /// Workflows that could not be brought forward now.
    pub(crate) failed: u64,
}

/// One workflow on its way over the incidents.
struct Scan {
    workflow: Arc<Workflow>,
    threshold: Duration,
    /// As it is stored.
    cursor: Option<Versioned<AgeCursor>>,
    /// Incidents that were opened up to then are old enough.
    until: Time,
}

impl App {
    /// Starts what has come of age. Safe to run twice, and by several at once.
    pub(crate) async fn sweep_ages(&self) -> Result<Aged, Error> {
        let lists = self.candidates(None, TriggerKind::Age).await?;
        let workflows: Vec<Arc<Workflow>> = lists.iter().flat_map(|list| list.iter()).cloned().collect();
        let mut total = Aged::default();
        for some in workflows.chunks(CURSORS) {
            let scans = self.scans(some).await?.into_iter().map(|scan| self.age_one(scan));
            let mut scans = stream::iter(scans).buffer_unordered(CONCURRENT);
            while let Some(aged) = scans.next().await {
                total.add(aged);
            }
        }
        Ok(total)
    }

    async fn scans(&self, workflows: &[Arc<Workflow>]) -> Result<Vec<Scan>, Error> {
        let keys: Vec<Key> = workflows.iter().map(|workflow| Key::AgeCursor(workflow.id.clone())).collect();
        let mut cursors = self.table.batch_get(&keys).await?;
        let mut scans = Vec::new();
        for (workflow, key) in workflows.iter().zip(&keys) {
            let Some(threshold) = threshold(&workflow.trigger) else { continue };
            let cursor = cursors.remove(key).map(crate::table::Stored::typed).transpose()?;
            let until = self.clock.now().minus(threshold);
            scans.push(Scan { workflow: Arc::clone(workflow), threshold, cursor, until });
        }
        Ok(scans)
    }

    /// One workflow that cannot be brought forward harms no other; the next tick begins where it stood.
    async fn age_one(&self, scan: Scan) -> Aged {
        let mut aged = Aged::default();
        let workflow_id = &scan.workflow.id;
        if let Err(error) = self.scan(&scan, &mut aged).await {
            aged.failed = 1;
            tracing::error!(%workflow_id, error = crate::error::chain(&error), "looking for aged incidents");
        }
        if aged.misfired > 0 {
            tracing::warn!(%workflow_id, misfired = aged.misfired, "incidents came of age too long ago and were skipped");
        }
        aged
    }

    /// The cursor moves after every page: a sweeper that is ended in a long list has done for good what it has done.
    async fn scan(&self, scan: &Scan, aged: &mut Aged) -> Result<(), Error> {
        let mut stored = scan.cursor.as_ref().map(Reached::from);
        if stored.is_some_and(|stored| stored.until >= scan.until) {
            return Ok(());
        }
        let from = stored.map(|stored| stored.until);
        let query = Query::OpenIncidents { team: scan.workflow.team.clone(), after: from, until: scan.until };
        let (mut after, mut judged, mut pages) = (None, None, 0);
        loop {
            let request = PageRequest { limit: PAGE, order: Order::Ascending, after: after.take() };
            let page = self.table.query(&query, &request).await?;
            after.clone_from(&page.next);
            // Others may have been opened in the same millisecond and stand on the next page.
            let last = self.judge(scan, page, aged).await?;
            judged = last.map(|last| last.minus(Duration::from_millis(1))).or(judged);
            pages += 1;
            if after.is_none() {
                return self.looked_at_all(scan, stored, judged).await;
            }
            let Some(until) = judged.filter(|judged| stored.is_none_or(|stored| *judged > stored.until))
            else {
                continue;
            };
            stored = self.move_cursor(scan, stored, until).await?;
            if stored.is_none() || pages >= MAX_PAGES {
                return Ok(());
            }
        }
    }

    /// Where nothing was found the cursor may stay, for nothing lies between it and the horizon.
    async fn looked_at_all(
        &self,
        scan: &Scan,
        stored: Option<Reached>,
        judged: Option<Time>,
    ) -> Result<(), Error> {
        if judged.is_none() && stored.is_some() {
            return Ok(());
        }
        self.move_cursor(scan, stored, scan.until).await.map(drop)
    }

    /// Judges a page of incidents; the moment when the last of them was opened.
    async fn judge(&self, scan: &Scan, page: Page, aged: &mut Aged) -> Result<Option<Time>, Error> {
        let mut incidents = Vec::new();
        for stored in page.records {
            incidents.push(stored.typed::<Incident>()?.value);
        }
        let last = incidents.last().map(|incident| incident.created_at);
        // One after the other: all starts of a workflow within a minute meet at one count.
        for incident in &incidents {
            aged.add(self.come_of_age(scan, IncidentFacts::from(incident)).await?);
        }
        Ok(last)
    }

    async fn come_of_age(&self, scan: &Scan, incident: IncidentFacts) -> Result<Aged, Error> {
        let now = self.clock.now();
        let workflow = &scan.workflow;
        let due = incident.created_at.plus(scan.threshold);
        let decision = evaluate_age(&Candidate::from(workflow.as_ref()), &incident, now);
        let decision = in_time(workflow, due, decision, now);
        let misfired = u64::from(decision.outcome == MatchOutcome::Misfired);
        let verdict = Verdict { workflow: Arc::clone(workflow), decision };
        let occasion = Occasion {
            // Named with the workflow: those of one threshold would all add to one log at once.
            key: format!("{}-age-{}min-{}", incident.id, scan.threshold.as_secs() / 60, workflow.id),
            at: due,
            counted_at: now,
            chain: &[],
            requested_by: UserId::of_muster("schedule"),
            incident: &incident,
            execution: &|workflow| {
                age_execution_id(workflow, &incident.id, incident.created_at, scan.threshold)
            },
        };
        let Matched { started, .. } = self.settle(&occasion, vec![verdict]).await?;
        (0..misfired).for_each(|_| self.metrics.count(Counter::WorkflowsMisfired));
        Ok(Aged { started: started.len() as u64, misfired, failed: 0 })
    }

    /// Where the cursor then is; `None` if another sweeper has moved it.
    async fn move_cursor(
        &self,
        scan: &Scan,
        from: Option<Reached>,
        until: Time,
    ) -> Result<Option<Reached>, Error> {
        let threshold_minutes = u32::try_from(scan.threshold.as_secs() / 60).unwrap_or(u32::MAX);
        let cursor = AgeCursor { workflow: scan.workflow.id.clone(), threshold_minutes, opened_until: until };
        let expect = from.map_or(Expect::Absent, |from| Expect::Version(from.version));
        match self.table.commit(vec![Write::Put { record: cursor.into(), expect }]).await {
            Ok(()) => Ok(Some(Reached { until, version: from.map_or(1, |from| from.version + 1) })),
            Err(CommitError::Conflict { .. }) => Ok(None),
            Err(CommitError::Table(error)) => Err(error.into()),
        }
    }
}

/// Where a cursor is, as it is stored.
#[derive(Debug, Clone, Copy)]
struct Reached {
    /// Incidents that were opened up to then are judged.
    until: Time,
    version: u64,
}

impl From<&Versioned<AgeCursor>> for Reached {
    fn from(cursor: &Versioned<AgeCursor>) -> Self {
        Self { until: cursor.value.opened_until, version: cursor.version }
    }
}

/// `None` for a trigger of another kind.
fn threshold(trigger: &Trigger) -> Option<Duration> {
    match trigger {
        Trigger::Age { age_threshold_minutes, .. } => {
            Some(Duration::from_secs(u64::from(*age_threshold_minutes) * 60))
        }
        Trigger::IncidentCreated { .. }
        | Trigger::StateChanged { .. }
        | Trigger::Escalation { .. }
        | Trigger::Manual { .. } => None,
    }
}

/// The decision as it stands, unless it would start something that has been due for too long (G4).
fn in_time(workflow: &Workflow, due: Time, mut decision: MatchDecision, now: Time) -> MatchDecision {
    let window = workflow.settings.misfire_minutes;
    let late = now.since(due.max(workflow.updated_at));
    if decision.matched() && late > Duration::from_secs(u64::from(window) * 60) {
        decision.outcome = MatchOutcome::Misfired;
        decision.reasons.push(Predicate {
            name: Cow::Borrowed("lateness"),
            expected: format!("at most {window} minutes").into(),
            seen: Some((late.as_secs() / 60).into()),
            holds: false,
        });
    }
    decision
}

impl Aged {
    fn add(&mut self, other: Self) {
        self.started += other.started;
        self.misfired += other.misfired;
        self.failed += other.failed;
    }
}
