//! What is told of an execution that has come to a new status.

use muster_domain::execution::{Execution, ExecutionStatus, Pinned};

use crate::App;

impl App {
    /// Counts the status, and logs one that somebody will ask about: the saved query of failures counts these lines.
    pub(crate) fn tell_of(&self, execution: &Execution) {
        self.metrics.ended(execution);
        match execution.status() {
            ExecutionStatus::Failed
            | ExecutionStatus::NeedsReview
            | ExecutionStatus::UndoFailed
            | ExecutionStatus::RolledBack => tracing::warn!(
                execution_id = %execution.id,
                subject_id = subject(&execution.pinned),
                status = execution.status().as_str(),
                "an execution did not succeed"
            ),
            ExecutionStatus::Success
            | ExecutionStatus::Cancelled
            | ExecutionStatus::Pending
            | ExecutionStatus::Running
            | ExecutionStatus::Waiting
            | ExecutionStatus::Paused => {}
        }
    }
}

/// The runbook or workflow that was executed.
fn subject(pinned: &Pinned) -> &str {
    match pinned {
        Pinned::Runbook(runbook) => runbook.id.as_str(),
        Pinned::Workflow(workflow) => workflow.id.as_str(),
    }
}
