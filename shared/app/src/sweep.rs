//! Repairs: what the table owes and nobody was nudged for, leases that lapsed, jobs that ended in the dead-letter queue.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::{self, FuturesUnordered};
use muster_domain::approval::Approval;
use muster_domain::execution::{Decision, Effect, Event, Execution, ExecutionStatus, decide};
use muster_domain::ids::{ExecutionId, RunbookId};
use muster_domain::incident::IncidentEvent;
use muster_domain::notification::{self, Notification};
use muster_domain::time::Time;
use serde::Serialize;

use crate::executions::Seen;
use crate::job::Job;
use crate::metrics::Counter;
use crate::notifications::job_of;
use crate::table::{CommitError, DUE_SHARDS, Order, PageRequest, Query, Stored, Versioned};
use crate::{App, Error};

/// How many owed items one page of a shard holds.
const PAGE: u32 = 100;
/// The most pages of one shard that one sweep reads; the next sweep goes on.
const MAX_PAGES: usize = 20;
/// How many items of a shard are pushed at once.
const CONCURRENT: usize = 8;

/// What one sweep found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Swept {
    /// Items that were due.
    pub due: u64,
    /// Of these, nudged again.
    pub nudged: u64,
    /// Of these, waiting for a person: an unknown outcome, or an undo that failed.
    pub waiting_for_review: u64,
    /// Of these, for how long the one has been paused that was paused first, in milliseconds.
    pub oldest_paused_ms: u64,
    /// How long ago the oldest open approval was asked, in milliseconds.
    pub oldest_asked_ms: u64,
    /// Of these, not pushed because the table did not let us.
    pub failed: u64,
    /// How long ago the most overdue item was due, in milliseconds.
    pub oldest_overdue_ms: u64,
    /// Executions that age triggers started.
    pub aged: u64,
    /// Incidents that came of age so long ago that they were skipped.
    pub misfired: u64,
}

impl App {
    /// Pushes everything due forward and nudges a worker for it; then starts what has come of age. Safe to run twice, and by several at once.
    pub async fn sweep(&self) -> Result<Swept, Error> {
        let now = self.clock.now();
        let event = Event::Overdue { grace: self.settings.nudge_grace };
        let mut swept = self.sweep_until(now, &event).await?;
        swept.oldest_asked_ms = millis(self.oldest_asked().await?);
        let aged = self.sweep_ages().await?;
        swept.aged = aged.started;
        swept.misfired = aged.misfired;
        swept.failed += aged.failed;
        Ok(swept)
    }

    /// After a restart of the only process: leases of the one before are void, and everything owed is nudged at once.
    ///
    /// The caller holds the lock of the data directory, which proves that no other process lives.
    pub async fn recover_after_restart(&self) -> Result<Swept, Error> {
        let far = Time::from_millis(i64::MAX / 2);
        self.sweep_until(far, &Event::Orphaned).await?;
        let event = Event::Overdue { grace: self.settings.nudge_grace };
        self.sweep_until(far, &event).await
    }

    async fn sweep_until(&self, until: Time, event: &Event) -> Result<Swept, Error> {
        let shards = (0..DUE_SHARDS).map(|shard| self.sweep_shard(shard, until, event));
        let mut shards: FuturesUnordered<_> = shards.collect();
        let mut total = Swept::default();
        while let Some(swept) = shards.next().await {
            total.add(swept?);
        }
        self.metrics.swept(&total);
        Ok(total)
    }

    async fn sweep_shard(&self, shard: u8, until: Time, event: &Event) -> Result<Swept, Error> {
        let query = Query::Due { shard, until };
        let mut total = Swept::default();
        let mut after = None;
        for _ in 0..MAX_PAGES {
            let request = PageRequest { limit: PAGE, order: Order::Ascending, after };
            let page = self.table.query(&query, &request).await?;
            let pushes = page.records.into_iter().map(|stored| self.push(stored, event));
            let mut pushes = stream::iter(pushes).buffer_unordered(CONCURRENT);
            while let Some(swept) = pushes.next().await {
                total.add(swept);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(total)
    }

    /// One item that cannot be pushed harms no other.
    async fn push(&self, stored: Stored, event: &Event) -> Swept {
        let Some(owed) = Owed::of(stored, event) else {
            return Swept::default();
        };
        let overdue = owed.due_at().map_or(Duration::ZERO, |due| self.clock.now().since(due));
        let mut swept = Swept { due: 1, oldest_overdue_ms: millis(overdue), ..Swept::default() };
        if self.queue.holds(&owed.job()) {
            return swept;
        }
        swept.waiting_for_review = u64::from(owed.waits_for_review());
        swept.oldest_paused_ms = owed.paused_at().map_or(0, |at| millis(self.clock.now().since(at)));
        match self.push_owed(owed, event).await {
            Ok(nudged) => swept.nudged = u64::from(nudged),
            Err(error) => {
                swept.failed = 1;
                tracing::error!(error = crate::error::chain(&error), "pushing an owed item");
            }
        }
        swept
    }

    async fn push_owed(&self, owed: Owed, event: &Event) -> Result<bool, Error> {
        match owed {
            Owed::Execution(seen) => self.push_one(*seen, event).await,
            Owed::Delivery(seen, grace) => self.push_event(*seen, self.clock.now().plus(grace)).await,
            Owed::Notification(seen, event) => self.push_notification(*seen, event).await,
            Owed::Approval(seen) => self.push_approval(*seen).await,
        }
    }

    async fn push_one(&self, seen: Seen, event: &Event) -> Result<bool, Error> {
        let (id, team) = (seen.value.id.clone(), seen.value.team.clone());
        let compiled = self.plan_of(&seen.value.pinned).await?;
        let decision = decide(&seen.value, &compiled.plan, event.clone(), self.clock.now());
        let Decision::Moved(moved) = decision else {
            return Ok(false);
        };
        let nudges = moved.effects.iter().any(|effect| matches!(effect, Effect::Nudge { .. }));
        let (_, writes) = self.transition(&seen, *moved).await?;
        match self.table.commit(writes).await {
            Ok(()) => {}
            // Somebody else moved it: it is not owed any more.
            Err(CommitError::Conflict { .. }) => return Ok(false),
            Err(CommitError::Table(error)) => return Err(error.into()),
        }
        if nudges {
            self.metrics.count(Counter::NudgesRepeated);
            self.nudge(&id, team.as_ref(), Duration::ZERO).await;
        }
        Ok(nudges)
    }

    /// Ends an execution whose job ended in the dead-letter queue, without another call. Who does that may have no queue to nudge
    /// with: what the end owes to others, the sweeper brings.
    pub async fn finalise(&self, id: &ExecutionId, reason: &str) -> Result<(), Error> {
        let seen = match self.load_execution(id).await {
            Ok(seen) => seen,
            Err(Error::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let compiled = self.plan_of(&seen.value.pinned).await?;
        let event = Event::Abandon { reason: reason.to_owned() };
        match decide(&seen.value, &compiled.plan, event, self.clock.now()) {
            Decision::AlreadyDone => Ok(()),
            Decision::Refused(refusal) => Err(Error::Conflict(refusal.to_string())),
            Decision::Moved(moved) => {
                let (execution, writes) = self.transition(&seen, *moved).await?;
                self.table.commit(writes).await?;
                self.tell_of(&execution);
                Ok(())
            }
        }
    }

    /// An execution of the runbook that has not ended: everything that has not is in the due-index.
    pub(crate) async fn active_execution_of(
        &self,
        runbook: &RunbookId,
    ) -> Result<Option<ExecutionId>, Error> {
        let until = Time::from_millis(i64::MAX / 2);
        for shard in 0..DUE_SHARDS {
            let mut after = None;
            loop {
                let request = PageRequest { limit: PAGE, order: Order::Ascending, after };
                let page = self.table.query(&Query::Due { shard, until }, &request).await?;
                let of_runbook = |stored: Stored| active_of(stored, runbook);
                if let Some(active) = page.records.into_iter().find_map(of_runbook) {
                    return Ok(Some(active));
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(None)
    }
}

/// An item of the due-index, as far as this sweep is about it.
enum Owed {
    Execution(Box<Seen>),
    /// An event that is not delivered, and how long its next delivery may take.
    Delivery(Box<Versioned<IncidentEvent>>, Duration),
    /// A notification, and what the sweep is to it.
    Notification(Box<Versioned<Notification>>, notification::Event),
    /// A gate that people are asked at, or have decided about.
    Approval(Box<Versioned<Approval>>),
}

impl Owed {
    fn of(stored: Stored, event: &Event) -> Option<Self> {
        let Stored { record, version } = stored;
        let record = match Execution::try_from(record) {
            Ok(value) => return Some(Self::Execution(Box::new(Versioned { value, version }))),
            Err(other) => other,
        };
        match (Notification::try_from(record), event) {
            (Ok(value), Event::Overdue { grace }) => {
                let event = notification::Event::Overdue { grace: *grace };
                Some(Self::Notification(Box::new(Versioned { value, version }), event))
            }
            (Ok(value), Event::Orphaned) => {
                let event = notification::Event::Orphaned;
                Some(Self::Notification(Box::new(Versioned { value, version }), event))
            }
            (Err(record), Event::Overdue { grace }) => match Approval::try_from(record) {
                Ok(value) => Some(Self::Approval(Box::new(Versioned { value, version }))),
                Err(record) => {
                    let value = IncidentEvent::try_from(record).ok()?;
                    Some(Self::Delivery(Box::new(Versioned { value, version }), *grace))
                }
            },
            // No worker holds an event or an approval, so none can have died with it.
            (_, _) => None,
        }
    }

    fn due_at(&self) -> Option<Time> {
        match self {
            Self::Execution(seen) => seen.value.due_at,
            Self::Delivery(seen, _) => seen.value.due_at,
            Self::Notification(seen, _) => seen.value.due_at,
            Self::Approval(seen) => seen.value.due_at,
        }
    }

    fn job(&self) -> Job {
        match self {
            Self::Execution(seen) => Job::Run { execution: seen.value.id.clone() },
            Self::Delivery(seen, _) => {
                Job::Deliver { incident: seen.value.incident.clone(), seq: seen.value.seq }
            }
            Self::Notification(seen, _) => job_of(&seen.value),
            Self::Approval(seen) => Job::Run { execution: seen.value.question.execution.clone() },
        }
    }

    fn waits_for_review(&self) -> bool {
        match self {
            Self::Execution(seen) => {
                matches!(seen.value.status(), ExecutionStatus::NeedsReview | ExecutionStatus::UndoFailed)
            }
            Self::Delivery(..) | Self::Notification(..) | Self::Approval(_) => false,
        }
    }

    fn paused_at(&self) -> Option<Time> {
        match self {
            Self::Execution(seen) => seen.value.pause.as_ref().map(|pause| pause.at),
            Self::Delivery(..) | Self::Notification(..) | Self::Approval(_) => None,
        }
    }
}

fn active_of(stored: Stored, runbook: &RunbookId) -> Option<ExecutionId> {
    let execution = stored.typed::<Execution>().ok()?.value;
    let of_it = execution.pinned.runbook().is_some_and(|pinned| pinned.id == *runbook);
    (of_it && !execution.status().is_terminal()).then_some(execution.id)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Swept {
    fn add(&mut self, other: Self) {
        self.due += other.due;
        self.nudged += other.nudged;
        self.waiting_for_review += other.waiting_for_review;
        self.failed += other.failed;
        self.aged += other.aged;
        self.misfired += other.misfired;
        self.oldest_overdue_ms = self.oldest_overdue_ms.max(other.oldest_overdue_ms);
        self.oldest_paused_ms = self.oldest_paused_ms.max(other.oldest_paused_ms);
        self.oldest_asked_ms = self.oldest_asked_ms.max(other.oldest_asked_ms);
    }
}
