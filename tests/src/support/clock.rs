//! A clock that stands still until a test moves it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use muster_app::ports::Clock;
use muster_domain::time::Time;

/// 2026-03-01T12:00:00Z.
const START: i64 = 1_772_366_400_000;

pub(crate) struct ManualClock(AtomicI64);

impl Default for ManualClock {
    fn default() -> Self {
        Self(AtomicI64::new(START))
    }
}

impl ManualClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.move_to(self.now().plus(by));
    }

    /// As when a machine's clock is corrected.
    pub(crate) fn set_back(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap();
        self.0.fetch_sub(by, Ordering::SeqCst);
    }

    /// Never moves back.
    pub(crate) fn move_to(&self, moment: Time) {
        self.0.fetch_max(moment.millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        Time::from_millis(self.0.load(Ordering::SeqCst))
    }
}
