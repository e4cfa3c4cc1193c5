//! The lines of a file. Part of what is stored for years, frozen by a test.

use muster_domain::digest::Digest;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::items::RawItem;
use crate::keys::ItemKey;

/// The format's name and the version that is written. A reader refuses any other.
pub(super) const FORMAT: &str = "muster-export";
pub(super) const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) format: String,
    pub(super) version: u32,
}

/// The line of one item.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemLine {
    pk: String,
    sk: String,
    kind: String,
    schema: u32,
    version: u64,
    data: Box<RawValue>,
}

/// The last line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndLine {
    pub(super) end: End,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    pub(super) items: u64,
    /// Of every byte before this line.
    pub(super) sha256: Digest,
}

impl ItemLine {
    /// Refuses data that is no JSON: nothing that Muster wrote.
    pub(super) fn of(item: RawItem) -> serde_json::Result<Self> {
        let RawItem { key: ItemKey { pk, sk }, kind, schema, version, data } = item;
        Ok(Self { pk, sk, kind, schema, version, data: RawValue::from_string(data)? })
    }

    pub(super) fn into_item(self) -> RawItem {
        let Self { pk, sk, kind, schema, version, data } = self;
        let data = Box::<str>::from(data).into_string();
        RawItem { key: ItemKey { pk, sk }, kind, schema, version, data }
    }
}

/// A value as a line of a file.
pub(super) fn line(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}
