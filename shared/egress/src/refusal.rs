//! Why Muster declines to send. Repeating cannot help: the definition, the policy or a secret must change.

use std::net::IpAddr;

use muster_domain::ids::SecretName;

/// A reason that is shown to people and stored. It never holds a URL, a header's value or a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the address {ip} is {why}")]
    Address { ip: IpAddr, why: &'static str },
    #[error("the host {host} has the address {ip}, which is {why}")]
    Answer { host: String, ip: IpAddr, why: &'static str },
    #[error("the host {host} {why}")]
    Host { host: String, why: &'static str },
    #[error("the URL {why}")]
    Url { why: &'static str },
    /// A URL that is a secret, of which nothing is shown.
    #[error("the URL in the secret {name} {why}")]
    SecretUrl { name: SecretName, why: &'static str },
    /// The name is printed escaped: it may hold what made it invalid.
    #[error("the header {name:?} {why}")]
    Header { name: String, why: &'static str },
    #[error("the secret {name} {why}")]
    Secret { name: SecretName, why: &'static str },
    #[error("there are more than {most} headers")]
    TooManyHeaders { most: usize },
}

impl Refusal {
    /// The same of a URL that is a secret: without its host and address.
    pub(crate) fn of_secret_url(self, name: &SecretName) -> Self {
        let name = name.clone();
        match self {
            Self::Url { why } => Self::SecretUrl { name, why },
            Self::Host { .. } | Self::Address { .. } | Self::Answer { .. } => {
                Self::SecretUrl { name, why: "leads to a host that may not be called" }
            }
            Self::SecretUrl { .. }
            | Self::Header { .. }
            | Self::Secret { .. }
            | Self::TooManyHeaders { .. } => self,
        }
    }
}
