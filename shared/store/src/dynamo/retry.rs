//! How long to wait before trying again.

use std::time::Duration;

/// Exponential waits, each a random part of its length, so that those who met once do not meet again.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// Tries in all, the first included.
    pub tries: u32,
    /// The longest wait after the first try; it doubles with each further one.
    pub base: Duration,
}

impl Default for Backoff {
    /// Six tries within a second: a transaction holds its items for some milliseconds.
    fn default() -> Self {
        Self { tries: 6, base: Duration::from_millis(30) }
    }
}

impl Backoff {
    /// The wait after `made` tries; `None` if there should be no other.
    pub(super) fn wait(self, made: u32) -> Option<Duration> {
        let doubled = self.base.saturating_mul(1 << made.saturating_sub(1).min(16));
        (made < self.tries).then(|| doubled.mul_f64(random_part()))
    }
}

/// Between a half and one. Without randomness everybody waits the same, which is worse but not wrong.
fn random_part() -> f64 {
    let random = getrandom::u32().unwrap_or(u32::MAX);
    0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX)
}
