//! Members that may be absent, null or a value: serde takes null and absent for the same unless told otherwise.

use serde::{Deserialize, Deserializer};

/// With `#[serde(default, deserialize_with = "given")]`: `None` is absent, `Some` is what was given, null included.
pub fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}
