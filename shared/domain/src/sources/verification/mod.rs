//! Whether a delivery comes from whom it claims: checked over the raw bytes, before anything in them is read.
//!
//! Architecture invariant: secrets and what a sender presents are compared in constant time, and a rejection never says which
//! part of a signature or token was wrong.

mod headers;
mod presented;
mod signature;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::headers::Headers;
use self::signature::{Signed, Writing};
use super::identity;
use crate::digest::Digest;
use crate::fault::Fault;
use crate::time::Time;

/// How far a sender's clock may be from ours, in both directions; what is signed with an older time is a replay.
pub const MAX_SKEW: Duration = Duration::from_secs(5 * 60);

/// Verifies one delivery with any of `secrets`: while a secret is rotated, the old one and the new one both count.
///
/// Authentic is not new: the caller keeps the replay key and refuses a delivery whose key it has seen.
pub fn verify(
    scheme: &Scheme,
    secrets: &[&[u8]],
    headers: &Headers<'_>,
    body: &[u8],
    now: Time,
) -> Result<Verified, Rejected> {
    // An empty secret would let in whoever presents nothing.
    let secrets: Vec<&[u8]> = secrets.iter().copied().filter(|secret| !secret.is_empty()).collect();
    if secrets.is_empty() {
        return Err(Rejected::NoSecret);
    }
    match scheme {
        Scheme::StandardWebhooks => standard_webhooks(&secrets, headers, body, now),
        Scheme::Pagerduty => pagerduty(&secrets, headers, body),
        Scheme::Grafana { timestamp_header } => {
            grafana(timestamp_header.as_deref(), &secrets, headers, body, now)
        }
        Scheme::Slack => slack(&secrets, headers, body, now),
        Scheme::Bearer => presented::bearer(&secrets, headers).map(|()| Verified::of(body)),
        Scheme::Basic { username } => {
            presented::basic(username, &secrets, headers).map(|()| Verified::of(body))
        }
        Scheme::Header { name } => presented::header(name, &secrets, headers).map(|()| Verified::of(body)),
    }
}

/// How a sender proves who it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Scheme {
    /// <https://www.standardwebhooks.com>, the symmetric form; a secret that begins with `whsec_` is base64 after it.
    StandardWebhooks,
    /// `X-PagerDuty-Signature`, webhooks v3. The time is not signed.
    Pagerduty,
    /// `X-Grafana-Alerting-Signature`, Grafana 12 and later.
    Grafana {
        /// The header that the contact point is told to put the time into; without one, the time is not signed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timestamp_header: Option<String>,
    },
    /// `X-Slack-Signature` with `X-Slack-Request-Timestamp`.
    Slack,
    /// `Authorization: Bearer`, where the secret is the token.
    Bearer,
    /// `Authorization: Basic`, where the secret is the password.
    Basic { username: String },
    /// A header whose whole value is the secret.
    Header { name: String },
}

impl Scheme {
    /// What is wrong with a scheme that a person configures.
    pub fn faults(&self) -> Vec<Fault> {
        let named = |pointer, name: &str| {
            let fault = Fault::new(pointer, "must be the name of an HTTP header, as in `x-timestamp`");
            if headers::is_name(name) { Vec::new() } else { vec![fault] }
        };
        match self {
            Self::Grafana { timestamp_header: Some(name) } => named("/timestampHeader", name),
            Self::Header { name } => named("/name", name),
            Self::Basic { username } if username.is_empty() || username.contains([':', '\n', '\r']) => {
                vec![Fault::new("/username", "must not be empty and must hold no colon and no line break")]
            }
            Self::Basic { username: _ }
            | Self::Grafana { timestamp_header: None }
            | Self::StandardWebhooks
            | Self::Pagerduty
            | Self::Slack
            | Self::Bearer => Vec::new(),
        }
    }
}

/// An authentic delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The same for a replay of the same delivery, and different for another; at most `MAX_ID_BYTES`.
    ///
    /// Where the scheme signs no id and no time, it is a digest of the body: two equal bodies cannot be told apart.
    pub replay_key: String,
}

impl Verified {
    fn of(bytes: &[u8]) -> Self {
        Self { replay_key: format!("sha256:{}", Digest::of_bytes(bytes)) }
    }
}

/// Why a delivery is not taken. The texts may be answered to the sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    #[error("the header `{header}` is missing")]
    Missing { header: String },
    #[error("the header `{header}` is not in the form that the integration's scheme has, or is there twice")]
    Malformed { header: String },
    #[error("the delivery was signed more than 5 minutes from now: check the sender's clock")]
    Stale,
    #[error("the signature or token is not one that the integration's secrets make")]
    Mismatch,
    #[error("the integration has no usable secret")]
    NoSecret,
}

fn standard_webhooks(
    secrets: &[&[u8]],
    headers: &Headers<'_>,
    body: &[u8],
    now: Time,
) -> Result<Verified, Rejected> {
    let id = headers.single("webhook-id")?;
    let timestamp = fresh(headers, "webhook-timestamp", now)?;
    let signatures = headers.single("webhook-signature")?;
    let keys = signature::decoded_keys(secrets)?;
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    let tokens = signatures.split(' ').filter_map(|token| token.strip_prefix("v1,"));
    let prefix = format!("{id}.{timestamp}.");
    Signed { prefix: &prefix, body }.check(&keys, tokens, Writing::Base64)?;
    Ok(Verified { replay_key: identity::bounded(id) })
}

fn pagerduty(secrets: &[&[u8]], headers: &Headers<'_>, body: &[u8]) -> Result<Verified, Rejected> {
    let signatures = headers.single("x-pagerduty-signature")?;
    let tokens = signatures.split(',').filter_map(|token| token.trim().strip_prefix("v1="));
    Signed { prefix: "", body }.check(secrets, tokens, Writing::Hex)
}

fn grafana(
    timestamp_header: Option<&str>,
    secrets: &[&[u8]],
    headers: &Headers<'_>,
    body: &[u8],
    now: Time,
) -> Result<Verified, Rejected> {
    let token = headers.single("x-grafana-alerting-signature")?;
    let prefix = match timestamp_header {
        Some(header) => format!("{}:", fresh(headers, header, now)?),
        None => String::new(),
    };
    Signed { prefix: &prefix, body }.check(secrets, [token].into_iter(), Writing::Hex)
}

fn slack(secrets: &[&[u8]], headers: &Headers<'_>, body: &[u8], now: Time) -> Result<Verified, Rejected> {
    let timestamp = fresh(headers, "x-slack-request-timestamp", now)?;
    let signatures = headers.single("x-slack-signature")?;
    let tokens = signatures.split(',').filter_map(|token| token.trim().strip_prefix("v0="));
    let prefix = format!("v0:{timestamp}:");
    Signed { prefix: &prefix, body }.check(secrets, tokens, Writing::Hex)
}

/// The header's value, which is the signed time in whole seconds, if it is near enough to now.
fn fresh<'a>(headers: &Headers<'a>, header: &str, now: Time) -> Result<&'a str, Rejected> {
    let text = headers.single(header)?;
    let malformed = || Rejected::Malformed { header: header.to_ascii_lowercase() };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse::<i64>().ok().filter(|_| digits).ok_or_else(malformed)?;
    let signed = Time::from_millis(seconds.saturating_mul(1_000));
    let apart = now.since(signed).max(signed.since(now));
    if apart > MAX_SKEW { Err(Rejected::Stale) } else { Ok(text) }
}

#[cfg(test)]
mod tests;
