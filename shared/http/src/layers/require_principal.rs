//! No identity, no API: the routes behind this layer answer 401 to whoever is not known.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::Extensions;
use muster_domain::policy::Principal;

use crate::problem::Problem;

/// In a request's extensions: it carried credentials, and they do not verify.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RefusedCredentials;

pub(crate) async fn require_principal(request: Request, next: Next) -> Result<Response, Problem> {
    if request.extensions().get::<Principal>().is_none() {
        return Err(unauthenticated(request.extensions()));
    }
    Ok(next.run(request).await)
}

/// The challenges of RFC 6750. Which check failed is not said: it helps nobody but a forger.
pub(crate) fn unauthenticated(extensions: &Extensions) -> Problem {
    match extensions.get::<RefusedCredentials>() {
        Some(RefusedCredentials) => {
            let challenge = "Bearer realm=\"muster\", error=\"invalid_token\"";
            Problem::unauthenticated(challenge, "The token is not valid, or no longer")
        }
        None => Problem::unauthenticated("Bearer realm=\"muster\"", "Send `Authorization: Bearer <token>`"),
    }
}
