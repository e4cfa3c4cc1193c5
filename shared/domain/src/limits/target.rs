//! A target and who works on it. Whoever takes or gives back a lease writes this record: it is the target's mutex.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{TargetKey, TargetLease};
use crate::ids::{ExecutionId, RunbookId};
use crate::time::Time;

/// The most executions that work on one target at once, whatever the limits say: the record has to stay small.
pub const MOST_HOLDERS: usize = 500;
/// The most starts that are kept; the oldest are dropped first.
pub const MOST_STARTS: usize = 1_000;
/// The most waiting executions that are told when the target becomes free; the others look now and then.
pub const MOST_WAITING: usize = 20;

/// Over which time starts are counted.
pub(super) const HOUR: Duration = Duration::from_hours(1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    #[serde(flatten)]
    pub key: TargetKey,
    /// The fence of the newest lease: it only grows.
    pub last_fence: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<Holder>,
    /// Those of the last hour, those that have not ended, and the one that ended last; the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent: Vec<Start>,
    /// Who is told when somebody gives a lease back. It promises nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<ExecutionId>,
}

/// An execution that works on the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub execution: ExecutionId,
    pub runbook: RunbookId,
    pub fence: u64,
    pub since: Time,
}

/// A run on the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Start {
    pub runbook: RunbookId,
    pub execution: ExecutionId,
    pub at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
}

impl Target {
    /// A target that nobody has worked on.
    pub const fn unused(key: TargetKey) -> Self {
        Self { key, last_fence: 0, holders: Vec::new(), recent: Vec::new(), waiting: Vec::new() }
    }

    /// Whether this lease still stands.
    pub fn lists(&self, lease: &TargetLease) -> bool {
        self.holders.iter().any(|holder| holder.execution == lease.owner && holder.fence == lease.fence)
    }

    /// Everyone on it but this execution.
    pub fn others<'t>(&'t self, execution: &'t ExecutionId) -> impl Iterator<Item = &'t Holder> {
        self.holders.iter().filter(move |holder| holder.execution != *execution)
    }

    /// A new lease of an execution, under the next fence.
    #[must_use]
    pub fn taken(mut self, execution: &ExecutionId, runbook: &RunbookId, now: Time) -> (Self, TargetLease) {
        self.last_fence = self.last_fence.saturating_add(1);
        let (fence, owner) = (self.last_fence, execution.clone());
        self.holders.retain(|holder| holder.execution != owner);
        self.waiting.retain(|waiting| *waiting != owner);
        self.holders.push(Holder { execution: owner.clone(), runbook: runbook.clone(), fence, since: now });
        let lease = TargetLease { target: self.key.clone(), fence, since: now, owner };
        (self, lease)
    }

    /// A run that counts for the limits of those after it.
    #[must_use]
    pub fn counting(mut self, execution: &ExecutionId, runbook: &RunbookId, now: Time) -> Self {
        let (runbook, execution) = (runbook.clone(), execution.clone());
        self.recent.push(Start { runbook, execution, at: now, ended_at: None });
        self.pruned(now)
    }

    /// Without the lease of an execution that ended at a moment.
    #[must_use]
    pub fn released(mut self, execution: &ExecutionId, ended_at: Time) -> Self {
        self.holders.retain(|holder| holder.execution != *execution);
        let open = self.recent.iter_mut().filter(|start| start.execution == *execution);
        for start in open.filter(|start| start.ended_at.is_none()) {
            start.ended_at = Some(ended_at);
        }
        self.pruned(ended_at)
    }

    /// With an execution among those that are told; `None` if it is there already.
    pub fn awaited_by(&self, execution: &ExecutionId) -> Option<Self> {
        if self.waiting.contains(execution) {
            return None;
        }
        let mut target = self.clone();
        let too_many = (target.waiting.len() + 1).saturating_sub(MOST_WAITING);
        target.waiting.drain(..too_many);
        target.waiting.push(execution.clone());
        Some(target)
    }

    /// What no limit asks for any more is dropped: the longest window is an hour, and of a cooldown only the last end counts.
    fn pruned(mut self, now: Time) -> Self {
        let last_end = self.recent.iter().filter_map(|start| start.ended_at).max();
        let counts = |start: &Start| {
            start.at.plus(HOUR) > now || start.ended_at.is_none() || start.ended_at == last_end
        };
        self.recent.retain(counts);
        let too_many = self.recent.len().saturating_sub(MOST_STARTS);
        self.recent.drain(..too_many);
        self
    }
}
