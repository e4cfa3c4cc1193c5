//! Moments as the API shows them.

use muster_domain::time::Time;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

/// RFC 3339, UTC, with milliseconds, as in `2026-03-01T12:00:00.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub(crate) struct Moment(Time);

impl From<Time> for Moment {
    fn from(time: Time) -> Self {
        Self(time)
    }
}

impl Moment {
    pub(crate) const fn time(self) -> Time {
        self.0
    }
}

/// RFC 3339 with any offset; finer than milliseconds is cut off.
impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let stamp: Result<jiff::Timestamp, _> = text.parse();
        let invalid = |_| de::Error::custom("expected a moment of RFC 3339, as in 2026-03-01T12:00:00Z");
        Ok(Self(Time::from_millis(stamp.map_err(invalid)?.as_millisecond())))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Whole milliseconds from one moment to another; `None` while the second has not come.
pub(crate) fn duration_ms(from: Option<Time>, to: Option<Time>) -> Option<u64> {
    let span = to?.since(from?);
    u64::try_from(span.as_millis()).ok()
}
