//! Telling those concerned that an execution went wrong (C9): at least once each, and never in the way of the
//! execution itself.
//!
//! The commit that stores a failure creates its notification. A worker finds out whom it concerns, stores that, and sends; the
//! sweeper asks again for what is overdue. Nothing here causes events or starts workflows.

mod concerned;
mod send;

use std::time::Duration;

use muster_domain::approval::Approver;
use muster_domain::execution::Execution;
use muster_domain::ids::{ExecutionId, TeamId};
use muster_domain::notification::{Asking, Decision, Effect, Event, Notification, Occasion, Reply, decide};

use crate::job::Job;
use crate::metrics::Counter;
use crate::table::{CommitError, Order, PageRequest, Query, Record, Versioned, Write};
use crate::{App, Caller, Error};

/// The most notifications of one execution that are shown: one for each time that a person sent it on.
const MOST_SHOWN: u32 = 100;

impl App {
    /// What an execution owed and owes to those concerned, oldest first.
    pub async fn notifications_of_execution(
        &self,
        caller: &Caller,
        id: &ExecutionId,
    ) -> Result<Vec<Notification>, Error> {
        self.execution(caller, id).await?;
        let query = Query::NotificationsOfExecution { execution: id.clone() };
        let request = PageRequest { limit: MOST_SHOWN, order: Order::Ascending, after: None };
        let page = self.table.query(&query, &request).await?;
        Ok(page.records.into_iter().filter_map(|stored| Notification::try_from(stored.record).ok()).collect())
    }

    /// The write that creates what an execution owes; it belongs in the commit that stores the execution's state.
    pub(crate) fn owed_notification(&self, execution: &Execution, number: u32) -> Option<Write> {
        let now = self.clock.now();
        let due_at = now.plus(self.settings.nudge_grace);
        Notification::owed(execution, number, now, due_at).map(Write::create)
    }

    /// The writes that create what a trouble owes; they belong in the commit that stores the execution's state.
    pub(crate) fn owed_escalation(&self, execution: &Execution, number: u32, to: &[Approver]) -> Vec<Write> {
        let now = self.clock.now();
        let due_at = now.plus(self.settings.nudge_grace);
        Notification::escalated(execution, number, to, (now, due_at)).into_iter().map(Write::create).collect()
    }

    /// Nudges a worker. A nudge that is lost is repaired by the sweeper.
    pub(crate) async fn notify_soon(
        &self,
        execution: &ExecutionId,
        number: u32,
        team: Option<&TeamId>,
        after: Duration,
    ) {
        self.send_soon(Job::Notify { execution: execution.clone(), number }, team, after).await;
    }

    pub(crate) async fn send_soon(&self, job: Job, team: Option<&TeamId>, after: Duration) {
        if let Err(error) = self.queue.send(job.clone(), team, after).await {
            self.metrics.count(Counter::NudgesLost);
            let error = crate::error::chain(&error);
            tracing::warn!(?job, error, "nudge for a notification lost");
        }
    }

    /// Nudges a worker for each notification that these writes created.
    pub(crate) async fn tell_soon(&self, jobs: Vec<(Job, Option<TeamId>)>) {
        for (job, team) in jobs {
            self.send_soon(job, team.as_ref(), Duration::ZERO).await;
        }
    }

    /// Moves an overdue notification on and nudges a worker for it; `false` if no nudge was needed, or somebody else moved it.
    pub(crate) async fn push_notification(
        &self,
        seen: Versioned<Notification>,
        event: Event,
    ) -> Result<bool, Error> {
        let Decision::Moved(moved) = decide(&seen.value, event, self.clock.now()) else {
            return Ok(false);
        };
        let (job, team) = (job_of(&moved.to), moved.to.team.clone());
        let nudges = moved.effects.iter().any(|effect| matches!(effect, Effect::Nudge { .. }));
        match self.table.commit(vec![Write::replace(moved.to, seen.version)]).await {
            Ok(()) => {}
            Err(CommitError::Conflict { .. }) => return Ok(false),
            Err(CommitError::Table(error)) => return Err(error.into()),
        }
        if nudges {
            self.metrics.count(Counter::NudgesRepeated);
            self.send_soon(job, team.as_ref(), Duration::ZERO).await;
        }
        Ok(nudges)
    }
}

/// What brings a notification to those concerned.
pub(crate) fn job_of(notification: &Notification) -> Job {
    let Notification { execution, number, occasion, .. } = notification;
    let (execution, number) = (execution.clone(), *number);
    match occasion {
        Occasion::Failure(_) | Occasion::Trouble(_) => Job::Notify { execution, number },
        Occasion::Asking(Asking { step, round, .. }) | Occasion::Reply(Reply { step, round, .. }) => {
            Job::Tell { execution, step: step.clone(), round: *round, number }
        }
    }
}

/// What these writes owe to those who are asked, and to those whom a runbook names for its troubles.
pub(crate) fn tellings_in(writes: &[Write]) -> Vec<(Job, Option<TeamId>)> {
    let owed = writes.iter().filter_map(|write| match write {
        Write::Put { record: Record::Notification(notification), .. } => Some(notification),
        Write::Put { .. } | Write::Delete { .. } => None,
    });
    let told = owed.filter(|one| matches!(one.occasion, Occasion::Asking(_) | Occasion::Trouble(_)));
    told.map(|one| (job_of(one), one.team.clone())).collect()
}
