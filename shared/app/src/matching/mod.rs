//! Which workflows an event starts: the candidates, a decision with reasons for each, and the starts (C3, C4, C5).

mod age;
mod candidates;
mod decisions;
mod explain;
mod start;
mod storm;

use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream;
use muster_domain::ids::{ExecutionId, UserId, WorkflowId};
use muster_domain::incident::{IncidentEvent, IncidentFacts};
use muster_domain::time::Time;
use muster_domain::workflow::{
    Candidate, MatchDecision, MatchOutcome, TriggerKind, WhyRecord, Workflow, evaluate, execution_id, why,
};
use serde::Serialize;

pub(crate) use self::candidates::CandidateCache;
use self::start::Started;
use crate::metrics::Counter;
use crate::{App, Error};

/// How many workflows one occasion starts at once.
const CONCURRENT: usize = 16;

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Matched {
    /// Workflows that were asked.
    pub candidates: u64,
    pub started: Vec<ExecutionId>,
    /// Of those that match, decided by an earlier delivery of the same event.
    pub repeated: u64,
    /// Of those that match, not started because of their storm cap (H2).
    pub suppressed: u64,
    /// Refused by the loop guard (C5).
    pub refused: u64,
}

/// What may start workflows: an event, or that an incident has come of age.
pub(crate) struct Occasion<'a> {
    pub(crate) incident: &'a IncidentFacts,
    /// The same whenever it is delivered.
    pub(crate) key: String,
    /// The same whenever it is delivered.
    pub(crate) at: Time,
    /// In the minute of this moment its starts are counted.
    pub(crate) counted_at: Time,
    /// The workflows that led to it.
    pub(crate) chain: &'a [WorkflowId],
    pub(crate) requested_by: UserId,
}

/// What was decided about one candidate, and the execution that it would be.
pub(crate) struct Verdict {
    pub(crate) workflow: Arc<Workflow>,
    pub(crate) decision: MatchDecision,
    pub(crate) execution: ExecutionId,
}

impl App {
    /// Asks every candidate, records each answer, and starts those that match. Safe to run twice: what was decided stays.
    ///
    /// All that match are started even if one fails. An error says that some could not be, and that the event should be
    /// delivered again.
    pub async fn match_event(&self, event: &IncidentEvent) -> Result<Matched, Error> {
        let Some(kind) = TriggerKind::of_event(&event.kind) else {
            return Ok(Matched::default());
        };
        let lists = self.candidates(event.snapshot.team_id.as_ref(), kind).await?;
        let verdicts = lists.iter().flat_map(|list| list.iter()).map(|workflow| Verdict {
            workflow: Arc::clone(workflow),
            decision: evaluate(&Candidate::from(workflow.as_ref()), event),
            execution: execution_id(&workflow.id, event),
        });
        let occasion = Occasion {
            incident: &event.snapshot,
            key: event.idempotency_key(),
            at: event.at,
            counted_at: event.at,
            chain: &event.chain,
            requested_by: UserId::of_muster("events"),
        };
        self.settle(&occasion, verdicts.collect()).await
    }

    /// Makes the verdicts true: a record of each, and an execution of each that matches.
    pub(crate) async fn settle(
        &self,
        occasion: &Occasion<'_>,
        verdicts: Vec<Verdict>,
    ) -> Result<Matched, Error> {
        let mut matched = Matched { candidates: verdicts.len() as u64, ..Matched::default() };
        let (matching, others): (Vec<_>, Vec<_>) =
            verdicts.into_iter().partition(|verdict| verdict.decision.matched());
        matched.refused = self.report_refused(occasion, &others);
        let now = self.clock.now();
        let records = others.iter().map(|verdict| occasion.why(verdict, now)).collect();
        let starts = matching.into_iter().map(|verdict| self.start(occasion, verdict));
        let starts = stream::iter(starts).buffer_unordered(CONCURRENT).collect::<Vec<_>>();
        let (explained, starts) = futures::join!(self.explain(records), starts);
        let started = self.sum_up(&mut matched, starts);
        explained.and(started).map(|()| matched)
    }

    /// One that cannot be started harms no other; the first error that may pass is the whole event's.
    fn sum_up(&self, matched: &mut Matched, starts: Vec<Result<Started, Error>>) -> Result<(), Error> {
        let mut passing = None;
        for start in starts {
            match start {
                Ok(Started::Now(execution)) => matched.started.push(execution),
                Ok(Started::Earlier) => matched.repeated += 1,
                Ok(Started::Suppressed) => matched.suppressed += 1,
                Err(error) => {
                    self.metrics.count(Counter::WorkflowsNotStarted);
                    tracing::error!(error = crate::error::chain(&error), "a workflow could not be started");
                    passing = passing.or_else(|| error.retryable().then_some(error));
                }
            }
        }
        passing.map_or(Ok(()), Err)
    }

    fn report_refused(&self, occasion: &Occasion<'_>, others: &[Verdict]) -> u64 {
        let refused = others.iter().filter(|one| one.decision.outcome == MatchOutcome::RefusedByLoopGuard);
        let refused = refused.inspect(|verdict| {
            self.metrics.count(Counter::WorkflowsRefused);
            let (workflow_id, event) = (&verdict.workflow.id, &occasion.key);
            tracing::warn!(%workflow_id, event, "the loop guard refused a workflow");
        });
        refused.count() as u64
    }
}

impl Occasion<'_> {
    /// The record of a verdict that starts nothing.
    pub(crate) fn why(&self, verdict: &Verdict, now: Time) -> WhyRecord {
        WhyRecord {
            event: self.key.clone(),
            event_at: self.at,
            incident: self.incident.id.clone(),
            workflow: verdict.workflow.id.clone(),
            workflow_version: verdict.workflow.version,
            workflow_name: verdict.workflow.name.clone(),
            at: now,
            outcome: verdict.decision.outcome,
            reasons: verdict.decision.reasons.clone(),
            execution: None,
            expires_at: now.plus(why::KEPT_FOR),
        }
    }
}
