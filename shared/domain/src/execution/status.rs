//! The status that people see.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Execution, Pinned, State};

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

    /// Whether what came to this end failed. `None`: it says nothing about what ran, as it has not ended or a person stopped it.
    pub const fn failed(self) -> Option<bool> {
        match self {
            Self::Success => Some(false),
            Self::Failed | Self::RolledBack => Some(true),
            Self::Cancelled
            | Self::Pending
            | Self::Running
            | Self::Waiting
            | Self::Paused
            | Self::NeedsReview
            | Self::UndoFailed => None,
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
}
