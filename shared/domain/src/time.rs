//! A moment as stored: whole milliseconds since the Unix epoch, UTC.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z. Stored as a number; the API shows RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(i64);

impl Time {
    /// The earliest moment Muster can name: the Unix epoch.
    pub const EPOCH: Self = Self(0);

    /// Moments before the epoch are not representable and become the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(if millis < 0 { 0 } else { millis })
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This moment moved later; saturates instead of overflowing.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// This moment moved earlier; the epoch if that would be before it.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_sub(millis))
    }

    /// How long after `earlier` this moment is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        let millis = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

/// RFC 3339 with milliseconds, as in `2026-03-01T12:00:00.000Z`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stamp = Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::MAX);
        write!(f, "{stamp:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_prints_as_rfc_3339_and_saturates() {
        assert_eq!(Time::from_millis(1_772_366_400_000).to_string(), "2026-03-01T12:00:00.000Z");
        assert_eq!(Time::from_millis(-5), Time::EPOCH);
        assert_eq!(Time::EPOCH.since(Time::from_millis(9)), Duration::ZERO);
        assert_eq!(Time::from_millis(1).plus(Duration::MAX), Time::from_millis(i64::MAX));
    }
}
