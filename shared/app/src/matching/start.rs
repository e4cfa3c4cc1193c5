//! Starting a workflow once, whatever is delivered how often and in which order (INVARIANTS B6).

use std::sync::Arc;
use std::time::Duration;

use muster_domain::execution::{Execution, Pinned, PinnedWorkflow};
use muster_domain::ids::ExecutionId;
use muster_domain::workflow::{WhyRecord, Workflow};

use super::{Occasion, Verdict, storm};
use crate::executions::created;
use crate::metrics::Counter;
use crate::table::{CommitError, Expect, Key, Starts, Versioned, Write};
use crate::{App, Error};

/// Tries beside those that the starts of others may cost.
const MORE_TRIES: u32 = 8;

/// What became of a workflow that matches.
pub(super) enum Started {
    Now(ExecutionId),
    /// An earlier delivery decided, and that stays.
    Earlier,
    Suppressed,
}

/// What the table knows before a start.
struct Known {
    execution: bool,
    why: Option<Versioned<WhyRecord>>,
    starts: Option<Versioned<Starts>>,
}

/// What a try means to store, and what it then was.
struct Attempt {
    writes: Vec<Write>,
    outcome: Started,
}

impl App {
    /// Stores the execution, its audit entry, the record of why, and the count of the minute: all of them in one commit.
    pub(super) async fn start(&self, occasion: &Occasion<'_>, verdict: Verdict) -> Result<Started, Error> {
        // Each conflict is another start within the minute, of which the cap bounds how many there can be, or another delivery.
        for _ in 0..verdict.workflow.settings.max_starts_per_minute.saturating_add(MORE_TRIES) {
            let known = self.known(occasion, &verdict).await?;
            if known.execution || known.decided(self.clock.now()) {
                return Ok(Started::Earlier);
            }
            let attempt = self.attempt(occasion, &verdict, &known).await?;
            match self.table.commit(attempt.writes).await {
                Ok(()) => return Ok(self.done(attempt.outcome, &verdict.workflow).await),
                Err(CommitError::Conflict { .. }) => {}
                Err(CommitError::Table(error)) => return Err(error.into()),
            }
        }
        Err(Error::Contention)
    }

    async fn known(&self, occasion: &Occasion<'_>, verdict: &Verdict) -> Result<Known, Error> {
        let workflow = &verdict.workflow.id;
        let execution = Key::Execution(verdict.execution.clone());
        let why = Key::Why(occasion.incident.id.clone(), occasion.at, occasion.key.clone(), workflow.clone());
        let starts = Key::Starts(workflow.clone(), storm::minute_of(occasion.counted_at));
        let mut found = self.table.batch_get(&[execution.clone(), why.clone(), starts.clone()]).await?;
        Ok(Known {
            execution: found.contains_key(&execution),
            why: found.remove(&why).map(crate::table::Stored::typed).transpose()?,
            starts: found.remove(&starts).map(crate::table::Stored::typed).transpose()?,
        })
    }

    async fn attempt(
        &self,
        occasion: &Occasion<'_>,
        verdict: &Verdict,
        known: &Known,
    ) -> Result<Attempt, Error> {
        let Verdict { workflow, decision, execution } = verdict;
        let now = self.clock.now();
        if let Some(decision) = storm::suppressed(workflow, known.starts.as_ref(), decision) {
            let verdict = Verdict { workflow: Arc::clone(workflow), decision, execution: execution.clone() };
            let writes = vec![known.explained(occasion.why(&verdict, now))];
            return Ok(Attempt { writes, outcome: Started::Suppressed });
        }
        let minute = storm::minute_of(occasion.counted_at);
        let record = WhyRecord { execution: Some(execution.clone()), ..occasion.why(verdict, now) };
        let mut writes = created(self.new_run(occasion, verdict).await?, None);
        writes.push(known.explained(record));
        writes.push(storm::counted(workflow, minute, known.starts.as_ref(), now));
        Ok(Attempt { writes, outcome: Started::Now(execution.clone()) })
    }

    async fn new_run(&self, occasion: &Occasion<'_>, verdict: &Verdict) -> Result<Execution, Error> {
        let workflow = &verdict.workflow;
        let compiled = self.compiled_workflow(&workflow.id, workflow.version).await?;
        let pinned = Pinned::Workflow(PinnedWorkflow {
            id: workflow.id.clone(),
            name: compiled.name.clone(),
            version: compiled.version,
            digest: compiled.digest,
        });
        Ok(Execution {
            team: workflow.team.clone().or_else(|| occasion.incident.team_id.clone()),
            incident: Some(occasion.incident.id.clone()),
            chain: occasion.chain.iter().chain([&workflow.id]).cloned().collect(),
            cause: Some(occasion.key.clone()),
            ..self.pending(verdict.execution.clone(), pinned, occasion.requested_by.clone())
        })
    }

    async fn done(&self, outcome: Started, workflow: &Workflow) -> Started {
        match &outcome {
            Started::Now(execution) => {
                self.metrics.count(Counter::WorkflowsStarted);
                self.metrics.count(Counter::ExecutionsAccepted);
                self.nudge(execution, Duration::ZERO).await;
            }
            Started::Suppressed => {
                self.metrics.count(Counter::WorkflowsSuppressed);
                tracing::warn!(workflow_id = %workflow.id, "a storm: the workflow's starts of this minute are used up");
            }
            Started::Earlier => {}
        }
        outcome
    }
}

impl Known {
    /// Whether there is a decision that still counts. It stays, whatever was changed since.
    fn decided(&self, now: muster_domain::time::Time) -> bool {
        self.why.as_ref().is_some_and(|why| why.value.expires_at > now)
    }

    /// Stores the record, in the place of one that has expired if it is still there.
    fn explained(&self, record: WhyRecord) -> Write {
        let expect = self.why.as_ref().map_or(Expect::Absent, |why| Expect::Version(why.version));
        Write::Put { record: record.into(), expect }
    }
}
