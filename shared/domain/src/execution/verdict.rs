//! Whether a run helped (D9): what was found before its first step, and what after its last. It is kept apart from whether the
//! steps succeeded.

use serde::{Deserialize, Serialize};

use super::{Execution, StepRun, StepState};
use crate::ids::{Probe, StepId};
use crate::outcome::Outcome;

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub is: VerdictKind,
    /// What was found, for people.
    pub because: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VerdictKind {
    /// It was not well before and is well now.
    Resolved,
    /// It is no better than before.
    Ineffective,
    /// It was well before and is not now.
    Regressed,
    /// Nobody can tell.
    Inconclusive,
}

impl VerdictKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::Ineffective => "ineffective",
            Self::Regressed => "regressed",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// What one look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Well,
    Unwell,
    /// There was no answer, or none that could be judged.
    Unknown,
}

impl Execution {
    /// The verdict on a run whose steps are over; `None` if it was not verified.
    pub(super) fn judge_outcome(&self) -> Option<Verdict> {
        let look = |when| self.steps.get(&StepId::probe(when)).map(found);
        let after = look(Probe::After)?;
        let before = look(Probe::Before).unwrap_or(Found::Unknown);
        let (is, because) = match (before, after) {
            (_, Found::Unknown) => (VerdictKind::Inconclusive, "there was no answer to the verification"),
            (Found::Well, Found::Well) => {
                (VerdictKind::Inconclusive, "all was well before the first step already")
            }
            (Found::Unwell | Found::Unknown, Found::Well) => {
                (VerdictKind::Resolved, "the verification holds")
            }
            (Found::Well, Found::Unwell) => {
                (VerdictKind::Regressed, "the verification held before the first step and does not hold now")
            }
            (Found::Unwell | Found::Unknown, Found::Unwell) => {
                (VerdictKind::Ineffective, "the verification does not hold")
            }
        };
        Some(Verdict { is, because: because.to_owned() })
    }
}

fn found(run: &StepRun) -> Found {
    let judged = run.inner.as_ref().is_some_and(|inner| inner.answer.is_some());
    let last = run.attempts.last().and_then(|attempt| attempt.outcome.as_ref());
    let answered = matches!(last, Some(Outcome::Answered { .. }));
    match &run.state {
        StepState::Succeeded => Found::Well,
        StepState::Failed { .. } if judged || answered => Found::Unwell,
        StepState::Failed { .. }
        | StepState::Sending
        | StepState::Waiting { .. }
        | StepState::Delayed { .. }
        | StepState::AwaitsChild { .. }
        | StepState::AwaitsApproval { .. }
        | StepState::Void
        | StepState::AwaitsCallback { .. }
        | StepState::Armed
        | StepState::Skipped { .. }
        | StepState::NeedsReview { .. } => Found::Unknown,
    }
}
