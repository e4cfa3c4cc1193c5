//! E-mail addresses, as far as a notifier needs them: what is sent there is between it and them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::InvalidId;

/// One address, without a name before it: a local part, `@`, and a domain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

impl EmailAddress {
    /// RFC 5321 allows paths of 256 octets, the angle brackets included.
    pub const MAX_LENGTH: usize = 254;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EmailAddress {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let expected = "an e-mail address, as in ann@example.com";
        let plain = |c: char| c.is_ascii_graphic() && !"()<>[]\\,;:\"".contains(c);
        let parts = text.split_once('@');
        let whole = parts.is_some_and(|(local, domain)| !local.is_empty() && is_domain(domain));
        let valid = whole && text.len() <= Self::MAX_LENGTH && text.chars().all(plain);
        valid.then(|| Self(text.to_owned())).ok_or(InvalidId { expected })
    }
}

/// Labels with dots between them.
fn is_domain(text: &str) -> bool {
    let label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    text.split('.').all(label)
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_address_and_nothing_around_it() {
        for text in ["ann@example.com", "ann.lee+ops@mail.example.com", "a@b", "o'hara@x-y.example"] {
            assert!(text.parse::<EmailAddress>().is_ok(), "{text}");
        }
        let long = format!("{}@example.com", "a".repeat(243));
        for text in [
            "",
            "ann",
            "@example.com",
            "ann@",
            "ann@@example.com",
            "ann@a..b",
            "ann@.example",
            "a b@example.com",
            "Ann <ann@example.com>",
            "ann@example.com,bob@example.com",
            "ann@example.com\r\nbcc: x@y.example",
            "änn@example.com",
            "ann@exa_mple.com",
            &long,
        ] {
            assert!(text.parse::<EmailAddress>().is_err(), "{text:?}");
        }
    }
}
