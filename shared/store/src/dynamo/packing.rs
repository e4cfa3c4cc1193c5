//! The `data` of an item, deflated when that makes it smaller: DynamoDB bills each started kilobyte of every write.
//!
//! An execution is written three times and an eventful one has about 1.5 KB of JSON, full of repeated ids and names. Deflated it fits into
//! one kilobyte with its keys, which halves what its writes cost.

use std::io::{Read as _, Write as _};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use muster_app::table::{TableError, TableErrorKind};

use crate::failure;
use crate::items::MAX_DATA_BYTES;

/// Shorter data fits into the first kilobyte with its keys anyway, and stays legible in the console.
const PLAIN_BYTES: usize = 600;

/// A text if that is no larger, else the deflated bytes.
pub(super) fn pack(data: &str) -> AttributeValue {
    match deflate(data) {
        Some(bytes) => AttributeValue::B(Blob::new(bytes)),
        None => AttributeValue::S(data.to_owned()),
    }
}

fn deflate(data: &str) -> Option<Vec<u8>> {
    if data.len() <= PLAIN_BYTES {
        return None;
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    // Writing to a vector cannot fail; if it ever does, the text is stored as it is.
    encoder.write_all(data.as_bytes()).ok()?;
    encoder.finish().ok().filter(|bytes| bytes.len() < data.len())
}

/// What was packed. Never inflates beyond what an item may hold.
pub(super) fn unpack(packed: AttributeValue) -> Result<String, TableError> {
    match packed.as_b() {
        Ok(bytes) => inflate(bytes.as_ref()),
        Err(AttributeValue::S(text)) => Ok(text.clone()),
        Err(_) => Err(malformed("is neither a text nor bytes")),
    }
}

fn inflate(bytes: &[u8]) -> Result<String, TableError> {
    let most = u64::try_from(MAX_DATA_BYTES).unwrap_or(u64::MAX);
    let mut text = String::new();
    let read = DeflateDecoder::new(bytes).take(most.saturating_add(1)).read_to_string(&mut text);
    match read {
        Ok(length) if length <= MAX_DATA_BYTES => Ok(text),
        Ok(_) => Err(malformed("inflates to more than an item may hold")),
        Err(error) => Err(malformed(&format!("cannot be inflated: {error}"))),
    }
}

fn malformed(what: &str) -> TableError {
    failure("reading an item", TableErrorKind::Corrupt, format!("its data {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(data: &str, packed_as_text: bool) {
        let packed = pack(data);
        assert_eq!(packed.is_s(), packed_as_text, "{} bytes", data.len());
        assert_eq!(unpack(packed).expect("unpacks"), data);
    }

    #[test]
    fn data_survives_packing_and_only_what_shrinks_is_packed() {
        check("", true);
        check(&"a".repeat(PLAIN_BYTES), true);
        check(&"a".repeat(PLAIN_BYTES + 1), false);
        check(&"é".repeat(MAX_DATA_BYTES / 2), false);
    }

    #[test]
    fn inv_e2_bytes_that_inflate_without_end_or_not_at_all_are_corrupt() {
        let bomb = deflate(&"a".repeat(MAX_DATA_BYTES + 1)).expect("shrinks");
        for bytes in [bomb, b"not deflated".to_vec()] {
            let result = unpack(AttributeValue::B(Blob::new(bytes)));
            assert!(result.is_err_and(|error| error.kind == TableErrorKind::Corrupt));
        }
        assert!(unpack(AttributeValue::Bool(true)).is_err());
    }
}
