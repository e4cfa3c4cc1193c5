//! Gates: steps of a run that wait until enough people have said yes to what will run (D5).
//!
//! Three records make a gate. The [`Approval`] is what was asked, and the mutex: whoever closes it first has decided.
//! The [`Ledger`] holds who said what, and only [`answer()`] adds to it. [`standing()`] reads a ledger anew each time,
//! so that a worker trusts neither a flag nor the record that says "approved", but the decisions alone.

pub mod answer;
mod approver;
mod button;
pub mod click;
mod due;
mod gate;
mod ledger;
mod people;
mod standing;
mod subject;
mod validate;
mod verdict;
mod withdraw;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::answer::{Answered, Given, Refusal, answer, may_answer};
pub use self::approver::Approver;
pub use self::button::Button;
pub use self::click::{Click, InvalidClick, ReplyUrl};
pub use self::due::{Escalated, Expiry, escalate, expire};
pub use self::gate::{GateSpec, Level, OnExpiry, Rung};
pub use self::ledger::{Decision, Ledger, Verdict, Via, Withdrawn};
pub use self::people::{MAX_ALIASES, People, Person, SetPerson};
pub use self::standing::{Standing, standing};
pub use self::subject::{Binding, Bound, subject};
pub use self::validate::{
    MAX_APPROVERS, MAX_EXPIRY_SECONDS, MAX_LEVELS, MAX_NEEDED, MAX_NEEDED_IN_ALL, MAX_RUNGS,
};
pub use self::verdict::{Judged, Known, judge};
pub use self::withdraw::{WithdrawRefusal, Withdrawal, withdraw};
use crate::audit::{ChainHead, Resource};
use crate::digest::Digest;
use crate::execution::PinnedRunbook;
use crate::ids::{ExecutionId, StepId, TeamId, UserId};
use crate::policy::Principal;
use crate::time::Time;

/// One asking of one gate. If what would run changes, the gate asks again as the next round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    #[serde(flatten)]
    pub question: Question,
    pub asked_at: Time,
    /// Answers that come at this moment or later are late.
    pub until: Time,
    /// How many rungs of the escalation were climbed; their people may answer as well.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rung: u32,
    /// Whether it has had the one more period of `onExpiry: escalate`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub extended: bool,
    pub state: ApprovalState,
    /// When the sweeper must look at it; absent once the worker has acted on how it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Time>,
    pub audit: ChainHead,
}

/// What is asked, and of whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    pub execution: ExecutionId,
    /// The approval step.
    pub step: StepId,
    /// Counts from 1; each round has a ledger of its own.
    pub round: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    pub runbook: PinnedRunbook,
    pub requested_by: UserId,
    /// Those whose own work this is: they decide nothing, by whatever name.
    pub excluded: BTreeSet<UserId>,
    pub spec: GateSpec,
    /// What is approved, all of it: see [`subject()`].
    pub subject: Digest,
    /// The digests of the requests of those covered steps that could be rendered when it was asked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bindings: BTreeMap<StepId, Digest>,
    /// What people are shown: for each covered step its request, or why it cannot be known yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<Value>,
}

/// How far a gate is. Closed is closed, but that one which lets the run go on may turn out void before it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "camelCase")]
pub enum ApprovalState {
    Open,
    Approved,
    Rejected {
        by: UserId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    Expired {
        outcome: ExpiryOutcome,
    },
    /// It approves nothing: what would run has changed, or a decision was taken back, or the run has ended.
    Void {
        reason: String,
    },
}

/// What a gate that nobody answered in time came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ExpiryOutcome {
    Denied,
    /// The run goes on; only steps of low risk allow it.
    Proceeded,
}

impl Question {
    /// Whose audit chain tells what became of it.
    pub fn resource(&self) -> Resource {
        Resource::Approval(self.execution.clone(), self.step.clone(), self.round)
    }
}

impl Approval {
    /// The gate as it is first asked. Whoever asked for the run never decides about it.
    pub fn asked(mut question: Question, now: Time) -> Self {
        question.excluded.insert(question.requested_by.clone());
        let until = now.plus(question.spec.period());
        let state = ApprovalState::Open;
        let audit = ChainHead::default();
        let (rung, extended, due_at, closed_at) = (0, false, None, None);
        let asked_at = now;
        let approval = Self { question, asked_at, until, rung, extended, state, due_at, closed_at, audit };
        approval.rescheduled()
    }

    /// Closed; `grace` is how long the worker has to act on it before the sweeper reminds it.
    #[must_use]
    pub fn closed(self, state: ApprovalState, grace: Duration, now: Time) -> Self {
        Self { state, due_at: Some(now.plus(grace)), closed_at: Some(now), ..self }
    }

    /// The worker has acted on how it was closed: nothing is owed any more.
    #[must_use]
    pub fn settled(self) -> Self {
        Self { due_at: None, ..self }
    }

    /// Open until another moment, as after a pause.
    #[must_use]
    pub fn open_until(self, until: Time) -> Self {
        Self { until, ..self }.rescheduled()
    }

    /// The worker was reminded of it, and is again at this moment if it has not acted by then.
    #[must_use]
    pub fn reminded(self, again: Time) -> Self {
        Self { due_at: Some(again), ..self }
    }

    /// Void, if it lets the run go on or still could; `None` if it cannot. A gate that was passed may turn out void when a step
    /// that it covers begins.
    pub fn voided(&self, reason: String, now: Time) -> Option<Self> {
        match &self.state {
            ApprovalState::Open
            | ApprovalState::Approved
            | ApprovalState::Expired { outcome: ExpiryOutcome::Proceeded } => {
                let state = ApprovalState::Void { reason };
                Some(Self { state, closed_at: Some(now), ..self.clone() }.settled())
            }
            ApprovalState::Rejected { .. }
            | ApprovalState::Expired { outcome: ExpiryOutcome::Denied }
            | ApprovalState::Void { .. } => None,
        }
    }

    /// Whether a step may send `request` by what was approved. One that could not be rendered then is bound by the
    /// version and the parameters alone.
    pub fn covers(&self, step: &StepId, request: &Digest) -> bool {
        self.question.bindings.get(step).is_none_or(|bound| bound == request)
    }

    /// Everyone of whom it must be known who they are before somebody's answer is judged.
    pub fn names(&self, ledger: Option<&Ledger>) -> BTreeSet<UserId> {
        let decisions = ledger.into_iter().flat_map(|ledger| &ledger.decisions);
        let decided = decisions.flat_map(|decision| {
            decision.authors().chain(decision.withdrawn.as_ref().map(|withdrawn| &withdrawn.by))
        });
        self.question.excluded.iter().chain(decided).cloned().collect()
    }

    /// Whether this person is among those who are or may be asked, at any level and rung.
    pub fn names_approver(&self, principal: &Principal) -> bool {
        let spec = &self.question.spec;
        let levels = spec.levels.iter().flat_map(|level| &level.of);
        let rungs = spec.escalation.iter().flat_map(|rung| &rung.to);
        levels.chain(rungs).any(|approver| approver.admits(principal))
    }

    /// What stands by these decisions.
    pub fn standing(&self, people: &People, ledger: Option<&Ledger>) -> Standing {
        let question = &self.question;
        standing(&question.spec, self.rung, &question.excluded, people, ledger, &question.subject)
    }

    /// The sweeper looks again when the next rung is due or the time is up, whatever comes first.
    fn rescheduled(self) -> Self {
        let rung = self.question.spec.rungs_after(self.rung).first();
        let next = rung.map(|rung| self.asked_at.plus(rung.after())).filter(|_| !self.extended);
        let due_at = Some(next.map_or(self.until, |next| next.min(self.until)));
        Self { due_at, ..self }
    }
}

impl fmt::Display for ApprovalState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::Approved => f.write_str("approved"),
            Self::Rejected { by, .. } => write!(f, "rejected by {by}"),
            Self::Expired { outcome: ExpiryOutcome::Denied } => f.write_str("expired, which denies it"),
            Self::Expired { outcome: ExpiryOutcome::Proceeded } => {
                f.write_str("expired, which lets it proceed")
            }
            Self::Void { reason } => write!(f, "void: {reason}"),
        }
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
pub(crate) mod tests;
