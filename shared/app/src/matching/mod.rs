//! Which workflows an event starts: the candidates, a decision with reasons for each, and the starts (C3, C4, C5).

mod age;
mod candidates;
mod decisions;
mod log;
mod settle;
mod start;
mod storm;

use std::sync::Arc;

use muster_domain::ids::{ExecutionId, UserId, WorkflowId};
use muster_domain::incident::{IncidentEvent, IncidentFacts};
use muster_domain::time::Time;
use muster_domain::workflow::{Candidate, MatchDecision, TriggerKind, Workflow, evaluate, execution_id};
use serde::Serialize;

pub(crate) use self::candidates::CandidateCache;
use crate::{App, Error};

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
    /// Of those that match, those that can never start.
    pub impossible: u64,
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
    /// The execution that it makes of a workflow; asked only for those that match.
    pub(crate) execution: &'a (dyn Fn(&WorkflowId) -> ExecutionId + Send + Sync),
}

/// What was decided about one candidate.
pub(crate) struct Verdict {
    pub(crate) workflow: Arc<Workflow>,
    pub(crate) decision: MatchDecision,
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
        });
        let occasion = Occasion {
            incident: &event.snapshot,
            key: event.idempotency_key(),
            at: event.at,
            counted_at: event.at,
            chain: &event.chain,
            requested_by: UserId::of_muster("events"),
            execution: &|workflow| execution_id(workflow, event),
        };
        self.settle(&occasion, verdicts.collect()).await
    }
}
