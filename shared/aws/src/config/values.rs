//! Values of variables, each with the rule that it must keep.

use std::fmt;
use std::net::SocketAddr;

use muster_app::SelfApproval;
use muster_app::callbacks::PublicUrl;

/// The least severe record that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Declares the name of a thing outside.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The value, or what was expected instead.
            pub fn parse(text: &str) -> Result<Self, &'static str> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.to_owned())) } else { Err($expected) }
            }
        }
    };
}

checked_text!(
    /// The table's name.
    TableName,
    "a table's name",
    |text| (3..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
);
checked_text!(
    /// Where a queue is.
    QueueUrl,
    "the URL of a queue",
    |text| text.starts_with("https://") || text.starts_with("http://")
);
checked_text!(
    /// The name of an event bus.
    BusName,
    "an event bus's name",
    |text| (1..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
);
checked_text!(
    /// How the names of readable secrets start.
    SecretPrefix,
    "a path that ends with a slash",
    |text| text.len() > 1 && text.ends_with('/')
);
checked_text!(
    /// Which secret it is.
    SecretId,
    "the ARN of a secret",
    |text| text.starts_with("arn:") && text.len() <= 2_048
);
checked_text!(
    /// The claim that holds the caller's groups.
    ClaimName,
    "the name of a claim",
    |text| !text.is_empty()
);

impl Level {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "error" => Ok(Self::Error),
            "warn" => Ok(Self::Warn),
            "info" => Ok(Self::Info),
            "debug" => Ok(Self::Debug),
            "trace" => Ok(Self::Trace),
            _ => Err("error, warn, info, debug or trace"),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        })
    }
}

pub(super) fn environment_name(text: &str) -> Result<String, &'static str> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let valid = (1..=20).contains(&text.len()) && text.bytes().all(allowed);
    valid.then(|| text.to_owned()).ok_or("1 to 20 letters, digits or hyphens")
}

pub(super) fn public_url(text: &str) -> Result<PublicUrl, &'static str> {
    text.parse().map_err(|_| "an address of the API, as in https://muster.example")
}

pub(super) fn self_approval(text: &str) -> Result<SelfApproval, &'static str> {
    match text {
        "true" => Ok(SelfApproval::Allowed),
        "false" => Ok(SelfApproval::Refused),
        _ => Err("true or false"),
    }
}

/// A receiver on this very machine.
pub(super) fn loopback_address(text: &str) -> Result<SocketAddr, &'static str> {
    let address =
        text.parse().ok().filter(|address: &SocketAddr| address.ip().is_loopback() && address.port() != 0);
    address.ok_or("an address on loopback with its port, as in 127.0.0.1:9999")
}

/// An emulator of AWS on this very machine.
pub(super) fn loopback_endpoint(text: &str) -> Result<SocketAddr, &'static str> {
    let address = text.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
    let address = address.and_then(|address| loopback_address(address).ok());
    address.ok_or("on loopback, as in http://127.0.0.1:4566, where MUSTER_LOOPBACK_EGRESS is set")
}
