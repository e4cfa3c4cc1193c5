//! What handlers take: parsed, bounded, and refused with problem details where it cannot be.

pub(crate) mod asked;
pub(crate) mod idempotency_key;
pub(crate) mod if_match;
pub(crate) mod json;
pub(crate) mod named;
pub(crate) mod query;
pub(crate) mod raw;
pub(crate) mod sent;
