//! Counters of one process: Prometheus text locally, CloudWatch's embedded metric format in Lambda.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use muster_domain::execution::{Execution, ExecutionStatus};

use crate::sweep::Swept;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    ExecutionsAccepted,
    ExecutionsSucceeded,
    ExecutionsFailed,
    ExecutionsCancelled,
    ExecutionsRolledBack,
    /// Executions that wait for a person: an unknown outcome, or an undo that failed.
    ExecutionsNeedingReview,
    Attempts,
    NudgesLost,
    NudgesRepeated,
    /// Jobs that could not be handled and will be delivered again.
    JobsFailed,
    /// Jobs whose message could not be read.
    JobsUnreadable,
    /// Events of the bus, of any kind.
    EventsReceived,
    /// Incident events that were matched against workflows.
    EventsMatched,
    /// Events of the bus that this version does not understand.
    EventsUnknown,
    /// Executions that events and ages started.
    WorkflowsStarted,
    /// Matches that a storm cap kept from starting.
    WorkflowsSuppressed,
    /// Matches that the loop guard refused.
    WorkflowsRefused,
    /// Age triggers that were noticed too late.
    WorkflowsMisfired,
    /// Starts that failed; most are tried again with the next delivery.
    WorkflowsNotStarted,
    /// Messages about failures that arrived.
    NotificationsSent,
    /// Messages about failures that were given up.
    NotificationsFailed,
}

impl Counter {
    pub const ALL: [Self; 21] = [
        Self::ExecutionsAccepted,
        Self::ExecutionsSucceeded,
        Self::ExecutionsFailed,
        Self::ExecutionsCancelled,
        Self::ExecutionsRolledBack,
        Self::ExecutionsNeedingReview,
        Self::Attempts,
        Self::NudgesLost,
        Self::NudgesRepeated,
        Self::JobsFailed,
        Self::JobsUnreadable,
        Self::EventsReceived,
        Self::EventsMatched,
        Self::EventsUnknown,
        Self::WorkflowsStarted,
        Self::WorkflowsSuppressed,
        Self::WorkflowsRefused,
        Self::WorkflowsMisfired,
        Self::WorkflowsNotStarted,
        Self::NotificationsSent,
        Self::NotificationsFailed,
    ];

    /// The name in CloudWatch.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ExecutionsAccepted => "ExecutionsAccepted",
            Self::ExecutionsSucceeded => "ExecutionsSucceeded",
            Self::ExecutionsFailed => "ExecutionsFailed",
            Self::ExecutionsCancelled => "ExecutionsCancelled",
            Self::ExecutionsRolledBack => "ExecutionsRolledBack",
            Self::ExecutionsNeedingReview => "ExecutionsNeedingReview",
            Self::Attempts => "Attempts",
            Self::NudgesLost => "NudgesLost",
            Self::NudgesRepeated => "NudgesRepeated",
            Self::JobsFailed => "JobsFailed",
            Self::JobsUnreadable => "JobsUnreadable",
            Self::EventsReceived => "EventsReceived",
            Self::EventsMatched => "EventsMatched",
            Self::EventsUnknown => "EventsUnknown",
            Self::WorkflowsStarted => "WorkflowsStarted",
            Self::WorkflowsSuppressed => "WorkflowsSuppressed",
            Self::WorkflowsRefused => "WorkflowsRefused",
            Self::WorkflowsMisfired => "WorkflowsMisfired",
            Self::WorkflowsNotStarted => "WorkflowsNotStarted",
            Self::NotificationsSent => "NotificationsSent",
            Self::NotificationsFailed => "NotificationsFailed",
        }
    }

    /// The name in Prometheus.
    const fn prometheus(self) -> &'static str {
        match self {
            Self::ExecutionsAccepted => "muster_executions_accepted_total",
            Self::ExecutionsSucceeded => "muster_executions_ended_total{status=\"SUCCESS\"}",
            Self::ExecutionsFailed => "muster_executions_ended_total{status=\"FAILED\"}",
            Self::ExecutionsCancelled => "muster_executions_ended_total{status=\"CANCELLED\"}",
            Self::ExecutionsRolledBack => "muster_executions_ended_total{status=\"ROLLED_BACK\"}",
            Self::ExecutionsNeedingReview => "muster_executions_needing_review_total",
            Self::Attempts => "muster_attempts_total",
            Self::NudgesLost => "muster_nudges_lost_total",
            Self::NudgesRepeated => "muster_nudges_repeated_total",
            Self::JobsFailed => "muster_jobs_failed_total",
            Self::JobsUnreadable => "muster_jobs_unreadable_total",
            Self::EventsReceived => "muster_events_received_total",
            Self::EventsMatched => "muster_events_matched_total",
            Self::EventsUnknown => "muster_events_unknown_total",
            Self::WorkflowsStarted => "muster_workflows_started_total",
            Self::WorkflowsSuppressed => "muster_workflows_suppressed_total",
            Self::WorkflowsRefused => "muster_workflows_refused_total",
            Self::WorkflowsMisfired => "muster_workflows_misfired_total",
            Self::WorkflowsNotStarted => "muster_workflows_not_started_total",
            Self::NotificationsSent => "muster_notifications_sent_total",
            Self::NotificationsFailed => "muster_notifications_failed_total",
        }
    }
}

/// The name in CloudWatch of the age of the most overdue item, which alarms.
pub const OLDEST_OWED_AGE: &str = "OldestOwedAgeSeconds";

/// The name in CloudWatch of how many executions have waited for a person for an hour more, which alarms.
pub const WAITING_FOR_REVIEW: &str = "WaitingForReview";

/// The name in CloudWatch of the age of the oldest pause that has lasted an hour or more, which alarms.
pub const OLDEST_PAUSED_AGE: &str = "OldestPausedAgeSeconds";

/// The name in CloudWatch of the age of the oldest open approval, which alarms.
pub const OLDEST_APPROVAL_AGE: &str = "OldestApprovalAgeSeconds";

/// All counters. Shared by reference; every method may be called from any task.
#[derive(Debug, Default)]
pub struct Metrics {
    counts: [AtomicU64; Counter::ALL.len()],
    oldest_overdue_ms: AtomicU64,
    swept: AtomicU64,
}

impl Metrics {
    pub fn count(&self, counter: Counter) {
        if let Some(cell) = self.counts.get(counter as usize) {
            cell.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn value(&self, counter: Counter) -> u64 {
        self.counts.get(counter as usize).map_or(0, |cell| cell.load(Ordering::Relaxed))
    }

    /// Counts an execution that has come to the status it now has.
    pub(crate) fn ended(&self, execution: &Execution) {
        match execution.status() {
            ExecutionStatus::Success => self.count(Counter::ExecutionsSucceeded),
            ExecutionStatus::Failed => self.count(Counter::ExecutionsFailed),
            ExecutionStatus::RolledBack => self.count(Counter::ExecutionsRolledBack),
            ExecutionStatus::Cancelled => self.count(Counter::ExecutionsCancelled),
            ExecutionStatus::NeedsReview | ExecutionStatus::UndoFailed => {
                self.count(Counter::ExecutionsNeedingReview);
            }
            ExecutionStatus::Pending
            | ExecutionStatus::Running
            | ExecutionStatus::Waiting
            | ExecutionStatus::Paused => {}
        }
    }

    pub(crate) fn swept(&self, swept: &Swept) {
        self.swept.fetch_add(1, Ordering::Relaxed);
        self.oldest_overdue_ms.store(swept.oldest_overdue_ms, Ordering::Relaxed);
    }

    /// How overdue the most overdue item of the last sweep was; `None` if this process has not swept.
    pub fn oldest_owed_age_seconds(&self) -> Option<u64> {
        let swept = self.swept.load(Ordering::Relaxed) > 0;
        swept.then(|| self.oldest_overdue_ms.load(Ordering::Relaxed) / 1_000)
    }

    /// Prometheus text exposition.
    pub fn prometheus(&self) -> String {
        let mut text = String::new();
        let mut family = "";
        for counter in Counter::ALL {
            let name = counter.prometheus();
            let this = name.split('{').next().unwrap_or(name);
            if this != family {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "# TYPE {this} counter");
                family = this;
            }
            let _ = writeln!(text, "{name} {}", self.value(counter));
        }
        if let Some(age) = self.oldest_owed_age_seconds() {
            let _ = writeln!(
                text,
                "# TYPE muster_oldest_owed_age_seconds gauge\nmuster_oldest_owed_age_seconds {age}"
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_counts_for_itself_and_shows_in_prometheus_text() {
        let metrics = Metrics::default();
        for (times, counter) in (1..).zip(Counter::ALL) {
            (0..times).for_each(|_| metrics.count(counter));
        }
        for (times, counter) in (1_u64..).zip(Counter::ALL) {
            assert_eq!(metrics.value(counter), times);
            assert!(metrics.prometheus().contains(&format!("{} {times}\n", counter.prometheus())));
        }
    }
}
