//! Identifiers of deliveries and alerts, kept as their sender wrote them while they are short and plain.

use serde_json::json;

use crate::digest::Digest;

/// The longest identifier that is kept as it is.
pub const MAX_ID_BYTES: usize = 256;

/// The identifier itself, or its digest if it is empty, long, or holds control characters or the separator of stored keys.
pub(super) fn bounded(id: &str) -> String {
    let id = id.trim();
    let odd = |c: char| c == '#' || c.is_control();
    if id.is_empty() || id.len() > MAX_ID_BYTES || id.contains(odd) {
        return of_parts(&[id]);
    }
    id.to_owned()
}

/// One identifier made of several parts, none of which can run into the next.
pub(super) fn of_parts(parts: &[&str]) -> String {
    format!("sha256:{}", Digest::of_json(&json!(parts)))
}
