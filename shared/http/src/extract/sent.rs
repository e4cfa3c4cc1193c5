//! A request with a body: who asks, what they sent, and under which idempotency key.

use axum::extract::{FromRequest, Request};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, Method};
use muster_app::Caller;
use muster_app::caller::Idempotency;

use super::json::Body;
use super::query::{self, NoQuery};
use super::{asked, idempotency_key, raw};
use crate::problem::{Kind, Problem};

/// A JSON body, or a YAML one where the type can be read from that. Routes that take one have no query parameters.
pub(crate) struct Sent<T> {
    pub(crate) caller: Caller,
    pub(crate) body: T,
}

impl<S: Send + Sync, T: Body> FromRequest<S> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let mut caller = asked::caller(&parts)?;
        let NoQuery {} = query::parse(&parts.uri)?;
        let key = KeyedRoute::of(&parts)?;
        let media = Media::of(&parts.headers);
        let bytes = raw::read(Request::from_parts(parts, body), state).await?;
        let body = media.read(&bytes)?;
        caller.idempotency = key.map(|key| key.with_body(&caller, &bytes));
        Ok(Self { caller, body })
    }
}

/// A POST under an idempotency key. Other methods do the same thing twice as once, so that a key adds nothing.
struct KeyedRoute {
    /// Method and path, with the ids.
    route: String,
    key: String,
}

impl KeyedRoute {
    fn of(parts: &Parts) -> Result<Option<Self>, Problem> {
        let key = idempotency_key::of(&parts.headers)?.filter(|_| parts.method == Method::POST);
        Ok(key.map(|key| Self { route: format!("{} {}", parts.method, parts.uri.path()), key }))
    }

    fn with_body(&self, caller: &Caller, body: &[u8]) -> Idempotency {
        Idempotency::new(caller.principal.user.as_str(), &self.route, &self.key, body)
    }
}

/// What the body is said to be.
enum Media {
    Json,
    /// RFC 9512, and the names that were usual before it.
    Yaml,
    Other,
}

impl Media {
    /// A charset may be named; JSON is always UTF-8 (RFC 8259).
    fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(CONTENT_TYPE).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Self::Other;
        };
        let text = value.to_str().unwrap_or_default();
        let media_type = text.split(';').next().unwrap_or_default();
        match media_type.trim().to_ascii_lowercase().as_str() {
            "application/json" => Self::Json,
            "application/yaml" | "application/x-yaml" | "text/yaml" => Self::Yaml,
            _ => Self::Other,
        }
    }

    /// An empty body needs no media type.
    fn read<T: Body>(&self, body: &[u8]) -> Result<T, Problem> {
        match self {
            Self::Json => T::read(body),
            Self::Yaml => T::read_yaml(body),
            Self::Other if body.is_empty() => T::read(body),
            Self::Other => {
                let detail = "Send it with `Content-Type: application/json`";
                Err(Problem::new(Kind::UnsupportedMediaType, detail))
            }
        }
    }
}
