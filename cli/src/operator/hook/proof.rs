//! What a sender sends along with a delivery, made as each scheme asks: the server's own verification is held against it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac as _};
use muster_domain::sources::verification::Scheme;
use muster_domain::time::Time;
use reqwest::header::{HeaderName, HeaderValue};
use sha2::Sha256;

/// Headers, those with a secret marked as sensitive.
pub(crate) type Proof = Vec<(HeaderName, HeaderValue)>;

/// Why a delivery cannot be signed. Says nothing of the secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProofError {
    #[error("the secret begins with `whsec_` and what follows is not base64")]
    Key(#[source] base64::DecodeError),
    #[error("the secret cannot be used as a key")]
    Unusable,
    #[error("the secret, or a name of the scheme, cannot stand in a header")]
    Header,
}

/// The headers that prove `body`; `id` names this one delivery.
pub(super) fn prove(
    scheme: &Scheme,
    secret: &str,
    (id, now): (&str, Time),
    body: &[u8],
) -> Result<Proof, ProofError> {
    let seconds = (now.millis() / 1_000).to_string();
    let headers = match scheme {
        Scheme::StandardWebhooks => {
            let prefix = format!("{id}.{seconds}.");
            let signature = BASE64_STANDARD.encode(mac(&standard_key(secret)?, &prefix, body)?);
            vec![
                ("webhook-id", id.to_owned()),
                ("webhook-timestamp", seconds),
                ("webhook-signature", format!("v1,{signature}")),
            ]
        }
        Scheme::Pagerduty => {
            vec![("x-pagerduty-signature", format!("v1={}", hex(secret, "", body)?))]
        }
        Scheme::Grafana { timestamp_header: None } => {
            vec![("x-grafana-alerting-signature", hex(secret, "", body)?)]
        }
        Scheme::Grafana { timestamp_header: Some(name) } => {
            let signature = hex(secret, &format!("{seconds}:"), body)?;
            vec![("x-grafana-alerting-signature", signature), (name.as_str(), seconds)]
        }
        Scheme::Slack => {
            let signature = hex(secret, &format!("v0:{seconds}:"), body)?;
            vec![("x-slack-request-timestamp", seconds), ("x-slack-signature", format!("v0={signature}"))]
        }
        Scheme::Bearer => vec![("authorization", format!("Bearer {secret}"))],
        Scheme::Basic { username } => {
            let pair = BASE64_STANDARD.encode(format!("{username}:{secret}"));
            vec![("authorization", format!("Basic {pair}"))]
        }
        Scheme::Header { name } => vec![(name.as_str(), secret.to_owned())],
    };
    headers.into_iter().map(|(name, value)| header(name, &value)).collect()
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), ProofError> {
    let name = HeaderName::try_from(name).map_err(|_| ProofError::Header)?;
    let mut value = HeaderValue::try_from(value).map_err(|_| ProofError::Header)?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn standard_key(secret: &str) -> Result<Vec<u8>, ProofError> {
    match secret.strip_prefix("whsec_") {
        Some(encoded) => BASE64_STANDARD.decode(encoded).map_err(ProofError::Key),
        None => Ok(secret.as_bytes().to_vec()),
    }
}

fn hex(secret: &str, prefix: &str, body: &[u8]) -> Result<String, ProofError> {
    let bytes = mac(secret.as_bytes(), prefix, body)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn mac(key: &[u8], prefix: &str, body: &[u8]) -> Result<Vec<u8>, ProofError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| ProofError::Unusable)?;
    mac.update(prefix.as_bytes());
    mac.update(body);
    Ok(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use muster_domain::sources::verification::{Headers, verify};

    use super::*;

    fn check(scheme: &Scheme, secret: &str) {
        let (now, body) = (Time::from_millis(1_772_366_400_000), b"{}");
        let proof = prove(scheme, secret, ("msg_1", now), body).expect("is made");
        let pairs: Vec<(&str, &str)> =
            proof.iter().map(|(name, value)| (name.as_str(), value.to_str().expect("a text"))).collect();
        assert!(verify(scheme, &[secret.as_bytes()], &Headers::new(&pairs), body, now).is_ok(), "{scheme:?}");
        assert!(!format!("{proof:?}").contains(secret));
    }

    #[test]
    fn inv_f3_what_is_sent_along_is_what_the_server_verifies_and_is_never_shown() {
        check(&Scheme::StandardWebhooks, "plain secret");
        check(&Scheme::StandardWebhooks, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        check(&Scheme::Pagerduty, "hunter2");
        check(&Scheme::Grafana { timestamp_header: None }, "hunter2");
        check(&Scheme::Grafana { timestamp_header: Some("X-Time".into()) }, "hunter2");
        check(&Scheme::Slack, "hunter2");
        check(&Scheme::Bearer, "hunter2");
        check(&Scheme::Basic { username: "muster".into() }, "hunter2");
        check(&Scheme::Header { name: "X-Key".into() }, "hunter2");
    }

    #[test]
    fn a_secret_that_cannot_be_used_is_refused_without_showing_it() {
        let now = Time::from_millis(0);
        for (scheme, secret) in [(Scheme::StandardWebhooks, "whsec_hunter2!"), (Scheme::Bearer, "hunter2\nx")]
        {
            let refused = prove(&scheme, secret, ("msg_1", now), b"").expect_err("is refused");
            assert!(!format!("{refused:?} {refused}").contains("hunter2"), "{refused:?}");
        }
    }
}
