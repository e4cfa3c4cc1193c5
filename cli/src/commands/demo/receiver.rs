//! The service that the demo restarts: an HTTP control endpoint on a port of its own, out of order at first.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac as _};
use muster_app::ports::Clock as _;
use muster_domain::time::Time;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;

use muster_app::clock::SystemClock;

/// How many calls it turns away before it works.
pub(super) const OUTAGES: usize = 2;

pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    endpoint: Arc<Endpoint>,
}

struct Endpoint {
    /// The key that it shares with Muster.
    key: SecretString,
    calls: Mutex<Vec<Received>>,
}

/// One call as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) at: Time,
    pub(super) request: String,
    pub(super) id: String,
    pub(super) attempt: String,
    pub(super) body: String,
    pub(super) signature: Signature,
    pub(super) answer: StatusCode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signature {
    Valid,
    Invalid,
}

impl Receiver {
    pub(super) async fn start(key: SecretString) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let endpoint = Arc::new(Endpoint { key, calls: Mutex::default() });
        let router = Router::new().fallback(receive).with_state(Arc::clone(&endpoint));
        // Ends with the process.
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, endpoint })
    }

    /// Every call so far, oldest first.
    pub(super) fn calls(&self) -> Vec<Received> {
        self.endpoint.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn receive(
    State(endpoint): State<Arc<Endpoint>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Json<Value>) {
    let header =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let mut calls = endpoint.calls.lock().unwrap_or_else(PoisonError::into_inner);
    let signature = check(endpoint.key.expose_secret(), &header, &body);
    let answer = match signature {
        Signature::Invalid => StatusCode::UNAUTHORIZED,
        Signature::Valid if calls.len() < OUTAGES => StatusCode::SERVICE_UNAVAILABLE,
        Signature::Valid => StatusCode::OK,
    };
    calls.push(Received {
        at: SystemClock.now(),
        request: format!("{method} {uri}"),
        id: header("webhook-id"),
        attempt: header("muster-attempt-id"),
        body: String::from_utf8_lossy(&body).into_owned(),
        signature,
        answer,
    });
    (answer, Json(json!({"restarted": answer.is_success()})))
}

/// As any receiver of Standard Webhooks does it: HMAC-SHA256 over id, timestamp and body.
fn check(key: &str, header: &impl Fn(&str) -> String, body: &[u8]) -> Signature {
    let content = format!("{}.{}.", header("webhook-id"), header("webhook-timestamp"));
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return Signature::Invalid;
    };
    mac.update(content.as_bytes());
    mac.update(body);
    let given = header("webhook-signature");
    let given = given.strip_prefix("v1,").and_then(|text| BASE64_STANDARD.decode(text).ok());
    match given.map(|given| mac.verify_slice(&given)) {
        Some(Ok(())) => Signature::Valid,
        Some(Err(_)) | None => Signature::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with another implementation of HMAC.
    const SIGNATURE: &str = "v1,hAsYpuQrk4BOsJmGGtVG+C+mZqTEbvyVvd0JqXMbmg4=";

    fn signature(key: &str, signature: &str, body: &str) -> Signature {
        let header = |name: &str| match name {
            "webhook-id" => "msg_1".to_owned(),
            "webhook-timestamp" => "1614265330".to_owned(),
            _ => signature.to_owned(),
        };
        check(key, &header, body.as_bytes())
    }

    #[test]
    fn the_right_signature_is_valid_and_no_other() {
        assert_eq!(signature("Jefe", SIGNATURE, "{}"), Signature::Valid);
        assert_eq!(signature("Jefe", SIGNATURE, "{ }"), Signature::Invalid);
        assert_eq!(signature("other", SIGNATURE, "{}"), Signature::Invalid);
        for wrong in ["", "v1,", "v1,AAAA", "v2,x", SIGNATURE.trim_start_matches("v1,")] {
            assert_eq!(signature("Jefe", wrong, "{}"), Signature::Invalid, "{wrong}");
        }
    }
}
