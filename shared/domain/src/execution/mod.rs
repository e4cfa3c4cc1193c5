//! One execution of a plan: its state, its steps, and the trail of how it got there.

pub mod decide;
mod flow;
pub mod guard;
mod inner;
pub mod prepare;
mod progress;
mod ready;
mod results;
mod rollback;
mod steer;
pub mod stop;
pub mod trail;
mod undo;
pub mod verdict;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::decide::{Decision, Effect, Event, Moved, Refusal, decide};
pub use self::inner::ChildEnd;
pub use self::ready::ready_steps;
pub use self::rollback::NoRollback;
pub use self::stop::{Pause, Stop, StopMode, Unwinding};
pub use self::trail::{Trail, TrailEvent};
pub use self::undo::UndoDecision;
pub use self::verdict::{Verdict, VerdictKind};
use crate::audit::ChainHead;
use crate::digest::Digest;
use crate::ids::{ExecutionId, IncidentId, RunbookId, StepId, TeamId, UserId, WorkflowId};
use crate::outcome::Outcome;
use crate::request::RenderedRequest;
use crate::risk::Risk;
use crate::time::Time;

/// All that is stored of an execution: one item, one conditional write a transition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Execution {
    pub id: ExecutionId,
    pub pinned: Pinned,
    /// The team whose people may see and steer it: the runbook's, else the incident's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    pub requested_by: UserId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// What started this one, if another execution did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// The workflows that led here, the first cause first; empty if no workflow did (C5).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<WorkflowId>,
    /// The key of the event that started it; absent if a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Validated, with defaults applied.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
    pub created_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    pub state: State,
    /// Counts claims: a worker that holds an older epoch can change nothing.
    pub epoch: u32,
    /// Steps that have begun.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub steps: BTreeMap<StepId, StepRun>,
    /// When the sweeper must look at it; absent once it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Time>,
    /// A person asked it to stop: no new intent after this is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// A person asked it to pause: no new intent until somebody resumes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
    /// For how long it was paused in all, in milliseconds; the time it may take does not run then.
    #[serde(default, skip_serializing_if = "is_zero_ms")]
    pub paused_ms: u64,
    /// It takes back what it did: the only calls that begin now are undos.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unwinding: Option<Unwinding>,
    /// The ended execution whose steps this one takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<ExecutionId>,
    /// How risky it was found before it began; absent of what has no phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
    /// Whether it helped; absent if nothing verified that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    pub trail: Trail,
    pub audit: ChainHead,
}

/// The version an execution runs, whatever is edited since (B3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Pinned {
    Runbook(PinnedRunbook),
    Workflow(PinnedWorkflow),
}

/// The execution of a workflow that started another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parent {
    pub execution: ExecutionId,
    pub step: StepId,
    pub workflow: WorkflowId,
    pub workflow_name: String,
    /// Whether the step waits for this one's end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedWorkflow {
    pub id: WorkflowId,
    pub name: String,
    pub version: u32,
    pub digest: Digest,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedRunbook {
    pub id: RunbookId,
    pub name: String,
    pub version: u32,
    pub digest: Digest,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "camelCase")]
pub enum State {
    /// Accepted; no worker has claimed it.
    Pending,
    /// A worker holds the current epoch until its lease ends.
    Running {
        lease: Lease,
    },
    /// Nothing to do before a moment.
    Waiting {
        until: Time,
        on: WaitingOn,
    },
    /// A person paused it; nothing is in flight.
    Paused,
    /// An outcome that nobody can know, of a step that may not be sent twice: a person decides.
    NeedsReview {
        step: StepId,
        reason: String,
    },
    /// What was done could not be taken back: a person tries again, does it by hand, or lets it be. `step` is the one that was
    /// to be undone.
    UndoFailed {
        step: StepId,
        reason: String,
    },
    Succeeded,
    Failed {
        error: String,
    },
    Cancelled {
        reason: String,
    },
    /// What was done was taken back, because of `reason`.
    RolledBack {
        reason: String,
    },
}

/// What a waiting execution waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WaitingOn {
    /// The pause before another attempt.
    Retry,
    /// Another worker, after one gave it back before its deadline.
    Worker,
    /// The end of a delay.
    Delay,
    /// The end of an execution that a step started.
    Child,
    /// The decision of people.
    Approval,
    /// The receiver of a call, who says when it is done.
    Callback,
    /// The turn of this execution at its target, or a limit that is reached for now.
    Lease,
}

/// The right of one worker to act, until a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The process that holds it.
    pub holder: String,
    pub until: Time,
}

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

fn is_zero_ms(number: &u64) -> bool {
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

/// The status that the API shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExecutionStatus {
    Pending,
    Running,
    Waiting,
    Paused,
    NeedsReview,
    UndoFailed,
    Success,
    Failed,
    Cancelled,
    RolledBack,
}

impl ExecutionStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Waiting => "WAITING",
            Self::Paused => "PAUSED",
            Self::NeedsReview => "NEEDS_REVIEW",
            Self::UndoFailed => "UNDO_FAILED",
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::RolledBack => "ROLLED_BACK",
        }
    }

    /// Whether nothing can change it any more (INVARIANTS B7).
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Pending
            | Self::Running
            | Self::Waiting
            | Self::Paused
            | Self::NeedsReview
            | Self::UndoFailed => false,
            Self::Success | Self::Failed | Self::Cancelled | Self::RolledBack => true,
        }
    }
}

impl fmt::Display for ExecutionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Execution {
    pub fn status(&self) -> ExecutionStatus {
        match &self.state {
            State::Pending => ExecutionStatus::Pending,
            State::Running { .. } => ExecutionStatus::Running,
            State::Waiting { .. } => ExecutionStatus::Waiting,
            State::Paused => ExecutionStatus::Paused,
            State::NeedsReview { .. } => ExecutionStatus::NeedsReview,
            State::UndoFailed { .. } => ExecutionStatus::UndoFailed,
            State::Succeeded => ExecutionStatus::Success,
            State::Failed { .. } => ExecutionStatus::Failed,
            State::Cancelled { .. } => ExecutionStatus::Cancelled,
            State::RolledBack { .. } => ExecutionStatus::RolledBack,
        }
    }

    /// The status in the words of what runs: a workflow is COMPLETED where a runbook is a SUCCESS, and RUNNING while it waits.
    pub fn status_word(&self) -> &'static str {
        match (&self.pinned, self.status()) {
            (Pinned::Workflow(_), ExecutionStatus::Waiting) => ExecutionStatus::Running.as_str(),
            (Pinned::Workflow(_), ExecutionStatus::Success) => "COMPLETED",
            (Pinned::Workflow(_) | Pinned::Runbook(_), status) => status.as_str(),
        }
    }

    /// The same for every attempt of a step (INVARIANTS B4): what the receiver tells repeats apart by.
    pub fn idempotency_key(&self, step: &StepId) -> String {
        format!("{}-{step}", self.id)
    }

    /// The name of one attempt; `number` counts from 1.
    pub fn attempt_id(&self, step: &StepId, number: usize) -> String {
        format!("{}-{step}-{number}", self.id)
    }
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

impl Pinned {
    pub const fn name(&self) -> &str {
        match self {
            Self::Runbook(runbook) => runbook.name.as_str(),
            Self::Workflow(workflow) => workflow.name.as_str(),
        }
    }

    pub const fn runbook(&self) -> Option<&PinnedRunbook> {
        match self {
            Self::Runbook(runbook) => Some(runbook),
            Self::Workflow(_) => None,
        }
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

#[cfg(test)]
pub(crate) mod tests;
