//! The headers of a delivery.

use super::Rejected;

/// A longer `Idempotency-Key` counts as none.
const MAX_KEY_BYTES: usize = 255;

/// Names and values as they came. Names are compared without case.
#[derive(Debug, Clone, Copy)]
pub struct Headers<'a>(&'a [(&'a str, &'a str)]);

impl<'a> Headers<'a> {
    pub const fn new(pairs: &'a [(&'a str, &'a str)]) -> Self {
        Self(pairs)
    }

    /// The name that the sender itself gives to the delivery, by which it knows it again.
    pub fn idempotency_key(&self) -> Option<&'a str> {
        self.single("idempotency-key").ok().filter(|key| key.len() <= MAX_KEY_BYTES)
    }

    /// The value of a header that must be there exactly once: of two, one reader sees the first and another the last.
    pub(super) fn single(&self, name: &str) -> Result<&'a str, Rejected> {
        let header = || name.to_ascii_lowercase();
        let mut values =
            self.0.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
        let value = values.next().map(str::trim).filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| Rejected::Missing { header: header() })?;
        if values.next().is_some() { Err(Rejected::Malformed { header: header() }) } else { Ok(value) }
    }
}

/// Whether a text is a token of RFC 9110, as names of headers are.
pub(super) fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.len() <= 128 && text.chars().all(allowed)
}
