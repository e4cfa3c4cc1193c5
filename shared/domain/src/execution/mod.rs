//! One execution of a plan: its state, its steps, and the trail of how it got there.

pub mod decide;
mod flow;
mod freezes;
pub mod guard;
mod inner;
pub mod prepare;
mod progress;
mod ready;
mod results;
mod rollback;
mod status;
mod steer;
mod step_run;
pub mod stop;
pub mod trail;
mod undo;
pub mod verdict;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::decide::{Decision, Effect, Event, Moved, Refusal, decide};
pub use self::inner::ChildEnd;
pub use self::ready::ready_steps;
pub use self::rollback::NoRollback;
pub use self::status::ExecutionStatus;
pub use self::step_run::{
    Attempt, CalledBack, GateRun, INLINE_REQUEST_BYTES, INLINE_RESPONSE_BYTES, InnerRun, Resolution,
    SkipCause, StepRun, StepState, StoredRequest,
};
pub use self::stop::{Pause, Stop, StopMode, Unwinding};
pub use self::trail::{Trail, TrailEvent};
pub use self::undo::UndoDecision;
pub use self::verdict::{Verdict, VerdictKind};
use crate::anomaly::Norm;
use crate::audit::ChainHead;
use crate::digest::Digest;
use crate::freeze::FreezePass;
use crate::ids::{ExecutionId, IncidentId, RunbookId, StepId, TeamId, UserId, WorkflowId};
use crate::limits::Admission;
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
    /// What its limits said, and its right to work on its target.
    #[serde(default, skip_serializing_if = "Admission::is_empty")]
    pub admission: Admission,
    /// Why change freezes do not bind it, although it changes something; absent if nothing had to say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freeze_pass: Option<FreezePass>,
    /// How long its steps usually take, as it was when it began; empty unless the runbook asks for anomalies.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub norms: BTreeMap<StepId, Norm>,
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

/// The execution that started another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parent {
    pub execution: ExecutionId,
    pub step: StepId,
    /// The workflow that it runs; absent of a runbook's execution.
    #[serde(default, flatten)]
    pub workflow: Option<ParentWorkflow>,
    /// The runbooks that led here, each started by the one before it; none of them may begin once more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runbooks: Vec<RunbookId>,
    /// Whether the step waits for this one's end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentWorkflow {
    #[serde(rename = "workflow")]
    pub id: WorkflowId,
    #[serde(rename = "workflowName")]
    pub name: String,
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

fn is_zero_ms(number: &u64) -> bool {
    *number == 0
}

impl Execution {
    /// The same for every attempt of a step (INVARIANTS B4): what the receiver tells repeats apart by.
    pub fn idempotency_key(&self, step: &StepId) -> String {
        idempotency_key(&self.id, step)
    }

    /// The name of one attempt; `number` counts from 1.
    pub fn attempt_id(&self, step: &StepId, number: usize) -> String {
        format!("{}-{step}-{number}", self.id)
    }
}

/// See [`Execution::idempotency_key`].
pub fn idempotency_key(execution: &ExecutionId, step: &StepId) -> String {
    format!("{execution}-{step}")
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

#[cfg(test)]
pub(crate) mod tests;
