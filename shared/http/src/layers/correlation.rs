//! One id joins the log lines of a request over all its hops; one line is logged for each request.

use std::fmt;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};
use muster_app::clock::SystemClock;
use muster_app::ports::Clock as _;
use muster_domain::policy::Principal;
use tracing::{Instrument, Span};
use ulid::Ulid;

const HEADER: HeaderName = HeaderName::from_static("x-correlation-id");
const MAX_BYTES: usize = 128;

/// 1 to 128 letters, digits, `.`, `_` or `-`: the client's, or a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CorrelationId(String);

/// Gives the request an id, a span and a log line, and the answer the id. Neither bodies nor queries are logged.
pub(crate) async fn correlate(mut request: Request, next: Next) -> Response {
    let id = CorrelationId::of(request.headers());
    let span = span(&id, &request);
    let header = HeaderValue::from_str(&id.0).ok();
    request.extensions_mut().insert(id);
    let started = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::info!(status = response.status().as_u16(), ms, "request"));
    response.headers_mut().extend(header.map(|value| (HEADER, value)));
    response
}

fn span(id: &CorrelationId, request: &Request) -> Span {
    let extensions = request.extensions();
    let route = extensions.get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    let user = extensions.get::<Principal>().map_or("", |principal| principal.user.as_str());
    tracing::error_span!("request", correlation_id = %id, user_id = user, method = %request.method(), route)
}

impl CorrelationId {
    fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(HEADER).and_then(|value| value.to_str().ok());
        given.filter(|text| is_valid(text)).map_or_else(Self::new, |text| Self(text.to_owned()))
    }

    /// A ULID. Without random bytes it is still the moment, which tells most requests apart.
    fn new() -> Self {
        let mut random = [0_u8; 16];
        let random = getrandom::fill(&mut random).map_or(0, |()| u128::from_be_bytes(random));
        let millis = u64::try_from(SystemClock.now().millis()).unwrap_or(0);
        Self(Ulid::from_parts(millis, random).to_string())
    }
}

fn is_valid(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=MAX_BYTES).contains(&text.len()) && text.bytes().all(allowed)
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
