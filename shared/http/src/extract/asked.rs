//! A request that changes nothing by its body: who asks, and with which query.

use axum::extract::FromRequestParts;
use http::request::Parts;
use muster_app::Caller;
use muster_domain::policy::Principal;
use serde::de::DeserializeOwned;

use super::query::{self, NoQuery};
use crate::layers::correlation::CorrelationId;
use crate::layers::require_principal::unauthenticated;
use crate::problem::Problem;

pub(crate) struct Asked<Q = NoQuery> {
    pub(crate) caller: Caller,
    pub(crate) query: Q,
}

impl<S: Send + Sync, Q: DeserializeOwned> FromRequestParts<S> for Asked<Q> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = caller(parts)?;
        let query = query::parse(&parts.uri)?;
        Ok(Self { caller, query })
    }
}

/// The verified caller, without an idempotency key.
pub(super) fn caller(parts: &Parts) -> Result<Caller, Problem> {
    let principal: &Principal = parts.extensions.get().ok_or_else(|| unauthenticated(&parts.extensions))?;
    let correlation: Option<&CorrelationId> = parts.extensions.get();
    Ok(Caller {
        principal: principal.clone(),
        idempotency: None,
        correlation_id: correlation.map(ToString::to_string),
    })
}
