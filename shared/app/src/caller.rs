//! Who asks, and under which idempotency key.

use muster_domain::digest::Digest;
use muster_domain::policy::Principal;

/// The verified caller of a use case.
#[derive(Debug, Clone)]
pub struct Caller {
    pub principal: Principal,
    /// Present when the request carried an `Idempotency-Key`.
    pub idempotency: Option<Idempotency>,
    /// Joins the log lines of one request over all its hops.
    pub correlation_id: Option<String>,
}

/// One request that its sender may repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// Digest of caller, route and key.
    pub scope: Digest,
    /// Digest of the body.
    pub request: Digest,
}

impl Idempotency {
    /// The parts are length-prefixed, so that no two requests share a scope.
    pub fn new(caller: &str, route: &str, key: &str, body: &[u8]) -> Self {
        let scope = format!("{}:{caller}{}:{route}{}:{key}", caller.len(), route.len(), key.len());
        Self { scope: Digest::of_bytes(scope.as_bytes()), request: Digest::of_bytes(body) }
    }
}
