//! How often a runbook began within the last hour.

use serde::{Deserialize, Serialize};

use super::target::{HOUR, MOST_STARTS};
use crate::ids::{ExecutionId, RunbookId};
use crate::time::Time;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    pub runbook: RunbookId,
    /// Of the last hour, the oldest first.
    pub recent: Vec<UsageStart>,
    /// When it says nothing any more.
    pub expires_at: Time,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageStart {
    pub execution: ExecutionId,
    pub at: Time,
}

impl Usage {
    /// A runbook that has not begun.
    pub const fn none(runbook: RunbookId) -> Self {
        Self { runbook, recent: Vec::new(), expires_at: Time::EPOCH }
    }

    #[must_use]
    pub fn counting(mut self, execution: &ExecutionId, now: Time) -> Self {
        self.recent.retain(|start| start.at.plus(HOUR) > now);
        self.recent.push(UsageStart { execution: execution.clone(), at: now });
        let too_many = self.recent.len().saturating_sub(MOST_STARTS);
        self.recent.drain(..too_many);
        self.expires_at = now.plus(HOUR);
        self
    }
}
