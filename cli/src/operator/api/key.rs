//! The name of one request, under which the server does it at most once.

use std::fmt;
use std::str::FromStr;

use muster_app::clock::SystemClock;
use muster_app::ports::Clock as _;
use ulid::Ulid;

/// The longest key that the API takes.
const MAX_LENGTH: usize = 255;

/// Sent as `Idempotency-Key`. A repeat under the same key gets the first answer and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdempotencyKey(String);

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to {MAX_LENGTH} visible ASCII characters")]
pub(crate) struct InvalidKey;

impl IdempotencyKey {
    /// A key that nobody used: 80 random bits after the time.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        let millis = u64::try_from(SystemClock.now().millis()).unwrap_or(0);
        let ulid = Ulid::from_parts(millis, u128::from_le_bytes(bytes));
        Ok(Self(format!("muster-{ulid}")))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdempotencyKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        let valid = visible && (1..=MAX_LENGTH).contains(&text.len());
        valid.then(|| Self(text.to_owned())).ok_or(InvalidKey)
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_keys_are_valid_and_never_the_same() {
        let one = IdempotencyKey::random().expect("the system has randomness");
        let other = IdempotencyKey::random().expect("the system has randomness");
        assert_ne!(one, other);
        assert_eq!(one.as_str().parse(), Ok(one.clone()));
    }

    #[test]
    fn a_key_is_visible_ascii_of_bounded_length() {
        for text in ["", "a b", "é", "a\n", &"k".repeat(256)] {
            assert_eq!(text.parse::<IdempotencyKey>(), Err(InvalidKey), "{text:?}");
        }
        assert!("k".repeat(255).parse::<IdempotencyKey>().is_ok());
    }
}
