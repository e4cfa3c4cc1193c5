//! How long a worker may trust its lease.

use std::time::{Duration, Instant};

use muster_domain::time::Time;

/// When the lease ends, on the wall clock and on one that never jumps.
#[derive(Clone, Copy)]
pub(super) struct Lapse {
    pub(super) deadline: Time,
    /// When the claim began, by both clocks.
    pub(super) started: (Time, Instant),
}

impl Lapse {
    /// Whether a call of `timeout` begun now would outlive the lease (INVARIANTS G2).
    pub(super) fn before(self, now: Time, timeout: Duration) -> bool {
        let (wall, steady) = self.started;
        let budget = self.deadline.since(wall);
        self.deadline.since(now) < timeout || budget.saturating_sub(steady.elapsed()) < timeout
    }
}
