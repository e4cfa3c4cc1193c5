//! Starting workflows once, whatever is delivered how often and in which order (INVARIANTS B6).

use std::borrow::Cow;
use std::collections::BTreeMap;

use muster_domain::execution::{Execution, Pinned, PinnedWorkflow};
use muster_domain::ids::ExecutionId;
use muster_domain::workflow::{MatchDecision, MatchOutcome, PartWriter, Predicate, Workflow};

use super::{Occasion, Verdict, storm};
use crate::error::chain;
use crate::executions::{Accepted, created};
use crate::metrics::Counter;
use crate::table::{self, Key, Stored, Versioned, Write};
use crate::{App, Error};

/// How much of an error a record shows, in characters.
const MOST_SHOWN: usize = 300;

/// What became of a workflow that matches.
pub(super) enum Started {
    Now(Accepted),
    /// It was started before, and that stays.
    Earlier,
    Suppressed,
    /// Starting it is impossible, and why is recorded.
    Never,
}

/// What starts several workflows, if all of it is stored.
#[derive(Default)]
pub(super) struct Starts {
    pub(super) writes: Vec<Write>,
    /// One for each workflow, as far as the part reached.
    pub(super) starts: Vec<Result<Started, Error>>,
    /// Why.
    pub(super) part: PartWriter,
}

impl App {
    /// The executions, their audit entries, and the counts of the minute; with the record of why, for one commit.
    pub(super) async fn starts(
        &self,
        occasion: &Occasion<'_>,
        verdicts: &[&Verdict],
    ) -> Result<Starts, Error> {
        let mut starts = Starts::default();
        if verdicts.is_empty() {
            return Ok(starts);
        }
        let executions: Vec<ExecutionId> =
            verdicts.iter().map(|verdict| (occasion.execution)(&verdict.workflow.id)).collect();
        let counts = verdicts.iter().map(|verdict| occasion.count_of(&verdict.workflow));
        let keys: Vec<Key> = executions.iter().cloned().map(Key::Execution).chain(counts).collect();
        let known = self.table.batch_get(&keys).await?;
        for (verdict, execution) in verdicts.iter().zip(executions) {
            if starts.part.is_full() {
                break;
            }
            let started = match self.start(occasion, (verdict, execution), &known, &mut starts).await {
                Err(error) if !error.retryable() => Ok(never(verdict, &error, &mut starts.part)),
                tried => tried,
            };
            starts.starts.push(started);
        }
        Ok(starts)
    }

    async fn start(
        &self,
        occasion: &Occasion<'_>,
        (verdict, execution): (&Verdict, ExecutionId),
        known: &BTreeMap<Key, Stored>,
        starts: &mut Starts,
    ) -> Result<Started, Error> {
        if known.contains_key(&Key::Execution(execution.clone())) {
            return Ok(Started::Earlier);
        }
        let Verdict { workflow, decision } = verdict;
        let count: Option<Versioned<table::Starts>> =
            known.get(&occasion.count_of(workflow)).cloned().map(Stored::typed).transpose()?;
        if let Some(decision) = storm::suppressed(workflow, count.as_ref(), decision) {
            starts.part.add(workflow, &decision, None);
            return Ok(Started::Suppressed);
        }
        let run = self.new_run(occasion, workflow, execution.clone()).await?;
        let minute = storm::minute_of(occasion.counted_at);
        let accepted = Accepted::of(&run);
        starts.writes.extend(created(run, None));
        starts.writes.push(storm::counted(workflow, minute, count.as_ref(), self.clock.now()));
        starts.part.add(workflow, decision, Some(execution));
        Ok(Started::Now(accepted))
    }

    async fn new_run(
        &self,
        occasion: &Occasion<'_>,
        workflow: &Workflow,
        id: ExecutionId,
    ) -> Result<Execution, Error> {
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
            ..self.pending(id, pinned, occasion.requested_by.clone())
        })
    }

    /// Counts what is stored, logs what a person should see, and nudges a worker.
    pub(super) async fn tell(&self, workflow: &Workflow, start: &Result<Started, Error>) {
        match start {
            Ok(Started::Now(accepted)) => {
                self.metrics.count(Counter::WorkflowsStarted);
                self.accepted(accepted).await;
            }
            Ok(Started::Suppressed) => {
                self.metrics.count(Counter::WorkflowsSuppressed);
                tracing::warn!(workflow_id = %workflow.id, "a storm: the workflow's starts of this minute are used up");
            }
            Ok(Started::Never) => self.metrics.count(Counter::WorkflowsNotStarted),
            Ok(Started::Earlier) => {}
            Err(error) => {
                self.metrics.count(Counter::WorkflowsNotStarted);
                let error = chain(error);
                tracing::error!(workflow_id = %workflow.id, error, "a workflow could not be started");
            }
        }
    }
}

/// Records why a workflow can never start, so that nobody tries for ever.
fn never(verdict: &Verdict, error: &Error, part: &mut PartWriter) -> Started {
    part.add(&verdict.workflow, &impossible(verdict, error), None);
    Started::Never
}

/// The decision about a workflow that matches and can never start.
pub(super) fn impossible(verdict: &Verdict, error: &Error) -> MatchDecision {
    let error = chain(error);
    tracing::error!(workflow_id = %verdict.workflow.id, error, "a workflow can never start");
    let mut reasons = verdict.decision.reasons.clone();
    reasons.push(Predicate {
        name: Cow::Borrowed("start"),
        expected: "a version that can be read and an execution that can be stored".into(),
        seen: Some(error.chars().take(MOST_SHOWN).collect::<String>().into()),
        holds: false,
    });
    MatchDecision { outcome: MatchOutcome::CouldNotStart, reasons }
}

impl Occasion<'_> {
    /// Where the count stands that a workflow's start adds to.
    fn count_of(&self, workflow: &Workflow) -> Key {
        Key::Starts(workflow.id.clone(), storm::minute_of(self.counted_at))
    }
}
