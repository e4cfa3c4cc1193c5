//! Why-records as they are stored: those of one event together, with what many candidates were asked alike kept once.
//!
//! The parts of an event are a log. Each is written once, under the number that follows the last one, and never changed; so
//! two deliveries that decide at once meet at one number, and the later one reads what the earlier one decided.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};

use super::{MatchDecision, MatchOutcome, Predicate, WhyRecord, Workflow};
use crate::ids::{ExecutionId, IncidentId, WorkflowId};
use crate::time::Time;

/// About how many bytes of JSON a part has when it is full; the last decision may go beyond by its own size. With every
/// character escaped it still fits into one item of any engine.
pub const FULL_BYTES: usize = 48 * 1024;

/// What was decided in one commit about candidates of one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WhyPart {
    /// The event's idempotency key.
    pub event: String,
    /// The event's moment.
    pub event_at: Time,
    pub incident: IncidentId,
    /// Counts from 0 within the event.
    pub part: u32,
    /// When it was decided.
    pub at: Time,
    /// After this it counts as gone, whether or not it was collected. All parts of an event go at once, so that where its
    /// first is missing, nothing that was decided of it counts any more.
    pub expires_at: Time,
    #[serde(flatten)]
    pub decided: Decided,
}

/// Decisions of a part.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Decided {
    /// Each question with its answer, once; decisions name them by their position.
    asked: Vec<Predicate>,
    decisions: Vec<Decision>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Decision {
    workflow: WorkflowId,
    version: u32,
    name: String,
    outcome: MatchOutcome,
    reasons: Vec<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    execution: Option<ExecutionId>,
}

impl WhyPart {
    /// The workflows that it decides about.
    pub fn workflows(&self) -> impl Iterator<Item = &WorkflowId> {
        self.decided.decisions.iter().map(|decision| &decision.workflow)
    }

    /// One record for each workflow that it decides about, in the order in which they were decided.
    pub fn records(&self) -> impl Iterator<Item = WhyRecord> {
        self.decided.decisions.iter().map(|decision| self.record(decision))
    }

    fn record(&self, decision: &Decision) -> WhyRecord {
        let asked = |position: &u32| self.decided.asked.get(usize::try_from(*position).ok()?).cloned();
        WhyRecord {
            event: self.event.clone(),
            event_at: self.event_at,
            incident: self.incident.clone(),
            workflow: decision.workflow.clone(),
            workflow_version: decision.version,
            workflow_name: decision.name.clone(),
            at: self.at,
            outcome: decision.outcome,
            reasons: decision.reasons.iter().filter_map(asked).collect(),
            execution: decision.execution.clone(),
            expires_at: self.expires_at,
        }
    }
}

/// Collects decisions until a part is full.
#[derive(Debug, Default)]
pub struct PartWriter {
    asked: HashMap<Predicate, u32, RandomState>,
    decisions: Vec<Decision>,
    bytes: usize,
}

impl PartWriter {
    pub fn add(&mut self, workflow: &Workflow, decision: &MatchDecision, execution: Option<ExecutionId>) {
        let reasons = decision.reasons.iter().map(|predicate| self.position(predicate)).collect();
        let decision = Decision {
            workflow: workflow.id.clone(),
            version: workflow.version,
            name: workflow.name.clone(),
            outcome: decision.outcome,
            reasons,
            execution,
        };
        self.bytes += decision.weight();
        self.decisions.push(decision);
    }

    /// Whether the next decision belongs into another part.
    pub fn is_full(&self) -> bool {
        self.bytes >= FULL_BYTES
    }

    pub fn is_empty(&self) -> bool {
        self.decisions.is_empty()
    }

    pub fn finish(self) -> Decided {
        let mut asked: Vec<(Predicate, u32)> = self.asked.into_iter().collect();
        asked.sort_unstable_by_key(|(_, position)| *position);
        let asked = asked.into_iter().map(|(predicate, _)| predicate).collect();
        Decided { asked, decisions: self.decisions }
    }

    fn position(&mut self, predicate: &Predicate) -> u32 {
        if let Some(position) = self.asked.get(predicate) {
            return *position;
        }
        let position = u32::try_from(self.asked.len()).unwrap_or(u32::MAX);
        self.bytes += predicate.weight();
        self.asked.insert(predicate.clone(), position);
        position
    }
}

impl Decision {
    /// About how many bytes of JSON it is: with 90 for names of members, outcome and marks.
    fn weight(&self) -> usize {
        let execution = self.execution.as_ref().map_or(0, |id| id.as_str().len() + 15);
        90 + self.workflow.as_str().len() + self.name.len() + 4 * self.reasons.len() + execution
    }
}
