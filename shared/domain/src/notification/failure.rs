//! What went wrong with an execution, and whether anybody is owed word of it.

use serde::{Deserialize, Serialize};

use super::{Notification, Occasion};
use crate::execution::{Execution, ExecutionStatus, Pinned, PinnedWorkflow, State, StepState, TrailEvent};
use crate::ids::{StepId, WorkflowId};
use crate::time::Time;

/// The facts of a failure, as messages tell them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    pub workflow: WorkflowId,
    pub workflow_name: String,
    /// FAILED, CANCELLED (by the workflow's own timeout) or NEEDS_REVIEW.
    pub status: ExecutionStatus,
    /// The node that it is about; absent if it is about none, as when a kill switch was engaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepId>,
    pub error: String,
    pub at: Time,
}

/// Whether the state that an execution has just come to must be told to somebody: a workflow's that failed, ran out of
/// time, or waits for a person. What a person stopped they know of already; what a runbook's execution comes to,
/// whoever started it sees, and those hear of whom the runbook names for it.
pub fn owes_notification(execution: &Execution) -> bool {
    match &execution.state {
        State::Failed { .. }
        | State::NeedsReview { .. }
        | State::UndoFailed { .. }
        | State::RolledBack { .. } => execution.pinned.workflow().is_some(),
        State::Cancelled { .. } => execution.pinned.workflow().is_some() && execution.stop.is_none(),
        State::Pending | State::Running { .. } | State::Waiting { .. } | State::Paused | State::Succeeded => {
            false
        }
    }
}

impl Notification {
    /// What an execution owes that has come to its state at `now`; `None` for one that owes nothing.
    pub fn owed(execution: &Execution, number: u32, now: Time, due_at: Time) -> Option<Self> {
        let workflow = execution.pinned.workflow().filter(|_| owes_notification(execution))?;
        let failure = Occasion::Failure(Failure::of(execution, workflow, now)?);
        let concerned = (execution.team.clone(), execution.incident.clone());
        Some(Self::new(execution.id.clone(), number, failure, concerned, due_at))
    }
}

/// The number of the notification that the execution's present state owes: how often it has come to such a one.
pub(crate) fn number_of(execution: &Execution) -> u32 {
    let comes = |event: &TrailEvent| {
        matches!(
            event,
            TrailEvent::NeedsReview { .. } | TrailEvent::UndoFailed { .. } | TrailEvent::Ended { .. }
        )
    };
    let count = execution.trail.entries.iter().filter(|entry| comes(&entry.event)).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Failure {
    fn of(execution: &Execution, workflow: &PinnedWorkflow, now: Time) -> Option<Self> {
        let (step, error) = match &execution.state {
            State::Failed { error } => (failed_step(execution), error),
            State::NeedsReview { step, reason } | State::UndoFailed { step, reason } => {
                (Some(step.clone()), reason)
            }
            State::Cancelled { reason } | State::RolledBack { reason } => (None, reason),
            State::Pending
            | State::Running { .. }
            | State::Waiting { .. }
            | State::Paused
            | State::Succeeded => return None,
        };
        Some(Self {
            workflow: workflow.id.clone(),
            workflow_name: workflow.name.clone(),
            status: execution.status(),
            step,
            error: error.clone(),
            at: now,
        })
    }
}

fn failed_step(execution: &Execution) -> Option<StepId> {
    let failed = execution.steps.iter().find(|(_, run)| matches!(run.state, StepState::Failed { .. }));
    failed.map(|(id, _)| id.clone())
}

impl Pinned {
    pub const fn workflow(&self) -> Option<&PinnedWorkflow> {
        match self {
            Self::Workflow(workflow) => Some(workflow),
            Self::Runbook(_) => None,
        }
    }
}
