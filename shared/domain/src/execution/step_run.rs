//! A step that has begun: its state, its attempts, and what it came to beside its calls.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::digest::Digest;
use crate::ids::{ExecutionId, StepId, UserId};
use crate::outcome::Outcome;
use crate::request::RenderedRequest;
use crate::time::Time;

/// A step that has begun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRun {
    pub state: StepState,
    /// What every attempt sends; fixed before the first. Absent if the step makes no call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<StoredRequest>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// How many attempts may be made in all; a person's decision to send again raises it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub budget: u32,
    /// What a step that makes no call came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inner: Option<InnerRun>,
    /// In which place the step began, from 1; 0 in plans that are never taken back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub place: u32,
    /// What was kept of the answer.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub outputs: Map<String, Value>,
}

/// What a step came to beside its calls: a condition, a delay, the start of another execution, a decision of people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InnerRun {
    pub started_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    /// A condition's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<bool>,
    /// The execution that the step started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child: Option<ExecutionId>,
    /// What a search found that an earlier attempt had done already: it stands for the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Value>,
    /// What an approval step asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateRun>,
    /// Where a branch led.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<String>,
    /// What the receiver of a call said when it called back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called_back: Option<CalledBack>,
}

/// What an approval step asked of people, and what their decision binds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateRun {
    /// How often it asked, from 1.
    pub round: u32,
    /// The digest of what was asked.
    pub subject: Digest,
    /// Of each step that it covers and whose request was known: the request's digest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bindings: BTreeMap<StepId, Digest>,
}

/// How the receiver of a call said that it is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalledBack {
    pub at: Time,
    /// Why it failed; absent if it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it told beside, at most 1 KiB.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub result: Value,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "camelCase")]
pub enum StepState {
    /// The last attempt is in flight.
    Sending,
    /// The next attempt may start at a moment.
    Waiting {
        until: Time,
    },
    /// A delay that ends at a moment.
    Delayed {
        until: Time,
    },
    /// Another execution has to end first.
    AwaitsChild {
        execution: ExecutionId,
    },
    /// People are asked, until a moment.
    AwaitsApproval {
        until: Time,
    },
    /// What was decided no longer fits what would run: people are asked again.
    Void,
    /// The receiver took the call and will say when it is done, until a moment.
    AwaitsCallback {
        until: Time,
    },
    /// An undo, stored before its step began.
    Armed,
    Succeeded,
    /// No way leads here any more.
    Skipped {
        because: SkipCause,
    },
    Failed {
        error: String,
    },
    NeedsReview {
        reason: String,
    },
}

/// Why a step was skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "camelCase")]
pub enum SkipCause {
    /// The condition chose the other way.
    BranchNotTaken { condition: StepId },
    /// Every step before it was skipped.
    NothingBefore,
    /// The rule of the step, or of its phase, did not hold.
    RuleNotMet { rule: String },
    /// A branch led past it.
    PassedBy { branch: StepId },
    /// A step, or a group, failed and the plan goes on behind this one.
    AfterFailure { of: StepId },
    /// Its group had come to its end before.
    GroupDecided { group: StepId },
    /// The execution's risk demands no approval.
    NotDemanded,
    /// An undo of a step that certainly did nothing.
    NothingDone,
    /// A person let an undo be.
    LetBe { by: UserId, reason: String },
}

/// A rendered request as an execution keeps it: whole if small, else its digest and size, and the whole in a body item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StoredRequest {
    Beside { digest: Digest, bytes: usize },
    Inline(RenderedRequest),
}

/// The longest rendered request, in bytes of JSON, that is kept within the execution.
pub const INLINE_REQUEST_BYTES: usize = 1_024;
/// The longest start of a response's body that is kept within the execution.
pub const INLINE_RESPONSE_BYTES: usize = 1_024;

/// One attempt: its intent is stored before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    pub epoch: u32,
    pub started_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    /// Absent while in flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What became known after the attempt had been given up as unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<Outcome>,
    /// What a person found out about an unknown outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,
}

/// What a person decides about an unknown outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Resolution {
    /// It took effect: the step has succeeded.
    Happened,
    /// It did not: send it again.
    Resend,
}

impl StepRun {
    /// A step in this state, that has made no call.
    pub fn of_state(state: StepState) -> Self {
        Self {
            state,
            request: None,
            attempts: Vec::new(),
            budget: 0,
            inner: None,
            place: 0,
            outputs: Map::new(),
        }
    }

    /// Whether an attempt is in flight, as far as the table knows.
    pub fn in_flight(&self) -> bool {
        self.attempts.last().is_some_and(|attempt| attempt.outcome.is_none())
    }

    /// Until when people are asked, if they are.
    pub fn asks_until(&self) -> Option<Time> {
        if let StepState::AwaitsApproval { until } = self.state { Some(until) } else { None }
    }

    /// Whether the step has come to an end that lets others begin.
    pub fn settled(&self) -> bool {
        matches!(self.state, StepState::Succeeded | StepState::Skipped { .. })
    }

    /// Whether this step, having settled, leads on by `branch`.
    pub fn leads_by(&self, branch: Option<bool>) -> bool {
        let answer = self.inner.as_ref().and_then(|inner| inner.answer);
        self.state == StepState::Succeeded && branch.is_none_or(|branch| answer == Some(branch))
    }
}

impl StoredRequest {
    pub fn digest(&self) -> Digest {
        match self {
            Self::Beside { digest, .. } => *digest,
            Self::Inline(request) => request.digest(),
        }
    }
}
