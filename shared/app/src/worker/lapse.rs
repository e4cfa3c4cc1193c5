//! How long a worker may trust its lease.

use std::time::{Duration, Instant};

use muster_domain::time::Time;

/// When the lease ends, on the wall clock and on one that never jumps.
#[derive(Clone, Copy)]
pub(crate) struct Lapse {
    pub(crate) deadline: Time,
    /// When the claim began, by both clocks.
    pub(crate) started: (Time, Instant),
}

impl Lapse {
    /// Whether a call of `timeout` begun now would outlive the lease (INVARIANTS G2).
    pub(crate) fn before(self, now: Time, timeout: Duration) -> bool {
        let (wall, steady) = self.started;
        let budget = self.deadline.since(wall);
        self.deadline.since(now) < timeout || budget.saturating_sub(steady.elapsed()) < timeout
    }
}
