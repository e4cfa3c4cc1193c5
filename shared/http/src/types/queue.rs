//! Statistics of the work queue.

use muster_app::ports;
use serde::Serialize;
use utoipa::ToSchema;

/// Approximate depths of the work queue.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueueStats {
    /// Delivered to nobody yet.
    waiting: u64,
    /// In a worker's hands.
    active: u64,
    /// Not yet due.
    delayed: u64,
    /// In the dead-letter queue.
    failed: u64,
}

impl From<ports::QueueStats> for QueueStats {
    fn from(stats: ports::QueueStats) -> Self {
        Self { waiting: stats.waiting, active: stats.active, delayed: stats.delayed, failed: stats.failed }
    }
}
