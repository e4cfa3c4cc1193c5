//! Whom Muster may call: every public address, and the few others that whoever runs it opened by hand.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::str::FromStr;

use url::Host;

/// The guard's settings. The default opens nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EgressPolicy {
    allow: Vec<AllowedTarget>,
}

impl EgressPolicy {
    pub fn allowing(allow: Vec<AllowedTarget>) -> Self {
        Self { allow }
    }

    /// Whether a call to this host and port is checked. Both must be the ones that were opened, character by character.
    pub(crate) fn guard(&self, host: &Host<&str>, port: u16) -> Guard {
        let opened = self.allow.iter().any(|allowed| allowed.is(host, port));
        if opened { Guard::Opened } else { Guard::Checked }
    }
}

/// Whether the addresses of one call are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    Checked,
    /// Whoever runs Muster opened exactly this host and port.
    Opened,
}

/// One host and one port that `--allow-egress` opens: `127.0.0.1:9999`, `[::1]:9999` or `receiver.test:9999`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedTarget {
    host: Host<String>,
    port: NonZeroU16,
}

impl AllowedTarget {
    /// One address, as its number is written in URLs. `None` for port 0, on which nobody answers.
    pub fn at(address: SocketAddr) -> Option<Self> {
        let host = match address.ip() {
            IpAddr::V4(ip) => Host::Ipv4(ip),
            IpAddr::V6(ip) => Host::Ipv6(ip),
        };
        Some(Self { host, port: NonZeroU16::new(address.port())? })
    }

    fn is(&self, host: &Host<&str>, port: u16) -> bool {
        self.port.get() == port && self.host == host.to_owned()
    }
}

impl FromStr for AllowedTarget {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let invalid = || InvalidTarget { text: text.to_owned() };
        let (host, port) = text.rsplit_once(':').ok_or_else(invalid)?;
        let digits_only = port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|_| digits_only).ok_or_else(invalid)?;
        let host = Host::parse(host).ok().filter(is_one_host).ok_or_else(invalid)?;
        Ok(Self { host, port })
    }
}

/// Patterns such as `*.test` would open more than one host, and a trailing dot is another spelling of the same one.
fn is_one_host(host: &Host<String>) -> bool {
    match host {
        Host::Ipv4(_) | Host::Ipv6(_) => true,
        Host::Domain(name) => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            name.bytes().all(plain) && !name.ends_with('.')
        }
    }
}

impl fmt::Display for AllowedTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Why a text opens nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not one host and one port, as in `127.0.0.1:9999`, `[::1]:9999` or `receiver.test:9999`"
)]
pub struct InvalidTarget {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_print_as_they_were_written() {
        for text in ["127.0.0.1:9999", "[::1]:9999", "localhost:1", "receiver.test:65535", "my_host:80"] {
            assert_eq!(text.parse::<AllowedTarget>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_address_is_the_target_that_its_text_is() {
        for text in ["127.0.0.1:9999", "[::1]:9999"] {
            assert_eq!(AllowedTarget::at(text.parse().unwrap()), text.parse().ok());
        }
        assert_eq!(AllowedTarget::at("127.0.0.1:0".parse().unwrap()), None);
    }

    #[test]
    fn anything_but_one_host_and_one_port_is_refused() {
        for text in [
            "",
            "127.0.0.1",
            ":9999",
            "127.0.0.1:",
            "127.0.0.1:0",
            "127.0.0.1:65536",
            "127.0.0.1:+80",
            "127.0.0.1:80-90",
            "::1:9999",
            "*:9999",
            "*.test:9999",
            "10.0.0.0/8:80",
            "http://127.0.0.1:80",
            "user@host:80",
            "host.:80",
            "a b:80",
            "127.0.0.1:80 ",
            "[::1]",
            "[::1:80",
        ] {
            assert!(text.parse::<AllowedTarget>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn inv_d1_an_opened_target_opens_exactly_that_host_and_port() {
        let allow = ["127.0.0.1:9999", "localhost:9999"].map(|text| text.parse().unwrap());
        let policy = EgressPolicy::allowing(allow.to_vec());
        for (host, port, guard) in [
            ("127.0.0.1", 9999, Guard::Opened),
            ("localhost", 9999, Guard::Opened),
            ("LOCALHOST", 9999, Guard::Opened),
            ("127.0.0.1", 22, Guard::Checked),
            ("localhost", 22, Guard::Checked),
            ("127.0.0.2", 9999, Guard::Checked),
            ("localhost.", 9999, Guard::Checked),
            ("a.localhost", 9999, Guard::Checked),
            ("[::1]", 9999, Guard::Checked),
            ("[::ffff:127.0.0.1]", 9999, Guard::Checked),
        ] {
            let host = Host::parse(host).unwrap();
            let borrowed = match &host {
                Host::Domain(name) => Host::Domain(name.as_str()),
                Host::Ipv4(ip) => Host::Ipv4(*ip),
                Host::Ipv6(ip) => Host::Ipv6(*ip),
            };
            assert_eq!(policy.guard(&borrowed, port), guard, "{host}:{port}");
        }
    }
}
