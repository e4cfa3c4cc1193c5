//! Tokens of one's own, for an installation on one machine: issued and verified with a key of its data directory.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use muster_app::ports::Clock;
use muster_domain::ids::UserId;
use muster_domain::policy::Principal;
use secrecy::{ExposeSecret, SecretSlice};
use serde_json::{Map, Value, json};

use crate::layers::require_principal::RefusedCredentials;
use crate::principal_from_claims;

const ISSUER: &str = "muster-local";
const AUDIENCE: &str = "muster";
const GROUPS_CLAIM: &str = "groups";
/// As many as the hash has (RFC 7518, section 3.2).
const LEAST_KEY_BYTES: usize = 32;
const LONGEST_TOKEN: usize = 16 * 1024;

/// Issues and verifies HS256 tokens.
pub struct LocalIdentity {
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
    clock: Arc<dyn Clock>,
}

#[derive(Debug, thiserror::Error)]
pub enum LocalIdentityError {
    #[error("the key has {0} bytes; it needs at least {LEAST_KEY_BYTES}")]
    WeakKey(usize),
    #[error("signing a token")]
    Signing(#[source] jsonwebtoken::errors::Error),
}

/// Says no more: whoever forges tokens should not learn how far they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token is not valid, or no longer")]
pub struct InvalidToken;

impl LocalIdentity {
    pub fn new(key: &SecretSlice<u8>, clock: Arc<dyn Clock>) -> Result<Self, LocalIdentityError> {
        let key = key.expose_secret();
        if key.len() < LEAST_KEY_BYTES {
            return Err(LocalIdentityError::WeakKey(key.len()));
        }
        let (signing, verifying) = (EncodingKey::from_secret(key), DecodingKey::from_secret(key));
        Ok(Self { signing, verifying, validation: validation(), clock })
    }

    /// A token for `user`, valid from now for `ttl`.
    pub fn issue(
        &self,
        user: &UserId,
        groups: &[String],
        ttl: Duration,
    ) -> Result<String, LocalIdentityError> {
        let now = self.clock.now();
        let claims = json!({
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user,
            GROUPS_CLAIM: groups,
            "iat": now.millis() / 1_000,
            "exp": now.plus(ttl).millis() / 1_000,
        });
        encode(&Header::new(Algorithm::HS256), &claims, &self.signing).map_err(LocalIdentityError::Signing)
    }

    /// Whoever the token names, if it is one of ours and has not expired. No leeway: issuer and verifier share a clock.
    pub fn verify(&self, token: &str) -> Result<Principal, InvalidToken> {
        if token.len() > LONGEST_TOKEN {
            return Err(InvalidToken);
        }
        let claims = decode::<Map<String, Value>>(token, &self.verifying, &self.validation)
            .map_err(|_| InvalidToken)?
            .claims;
        let expires = claims.get("exp").and_then(Value::as_i64).ok_or(InvalidToken)?;
        if self.clock.now().millis() >= expires.saturating_mul(1_000) {
            return Err(InvalidToken);
        }
        principal_from_claims(&claims, Some(GROUPS_CLAIM)).map_err(|_| InvalidToken)
    }

    /// Puts whoever the `Authorization` header names into the requests of `router`. Whether somebody must be named is the
    /// router's to say, so that its answers to strangers are like all its others.
    pub fn identify(self: Arc<Self>, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(self, identify))
    }
}

/// Nothing that the token says of itself chooses how it is verified. The times are compared with our own clock.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_exp = false;
    validation
}

async fn identify(State(identity): State<Arc<LocalIdentity>>, mut request: Request, next: Next) -> Response {
    // Whatever is there already was not put there by this layer.
    request.extensions_mut().remove::<Principal>();
    match token(request.headers()).map(|token| token.and_then(|token| identity.verify(token))) {
        None => {}
        Some(Ok(principal)) => drop(request.extensions_mut().insert(principal)),
        Some(Err(InvalidToken)) => drop(request.extensions_mut().insert(RefusedCredentials)),
    }
    next.run(request).await
}

/// The bearer token; `None` without an `Authorization` header.
fn token(headers: &HeaderMap) -> Option<Result<&str, InvalidToken>> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next()?;
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    let parts = text.and_then(|text| text.split_once(' '));
    let bearer = parts.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    Some(bearer.map(|(_, token)| token.trim()).ok_or(InvalidToken))
}

#[cfg(test)]
mod tests;
