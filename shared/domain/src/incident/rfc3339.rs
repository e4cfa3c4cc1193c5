//! A moment as RFC 3339 text, for shapes that others read: `#[serde(with = "rfc3339")]`.

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

use crate::time::Time;

pub(super) fn serialize<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
    let text = String::deserialize(deserializer)?;
    let stamp: Timestamp = text.parse().map_err(D::Error::custom)?;
    Ok(Time::from_millis(stamp.as_millisecond()))
}
