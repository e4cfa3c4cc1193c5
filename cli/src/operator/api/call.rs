//! One request to the API and its answer.

use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::Value;

use super::key::IdempotencyKey;

/// A request, before it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(super) method: Method,
    /// Segments of the path; each is escaped on its own.
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
    pub(super) if_match: Option<String>,
    pub(super) key: Option<IdempotencyKey>,
    /// A body that is sent byte by byte, instead of `body`.
    pub(super) bytes: Option<Vec<u8>>,
    /// Sent instead of the token: what proves a delivery.
    pub(super) proof: Option<Vec<(HeaderName, HeaderValue)>>,
}

/// An answer with a status of success.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    /// `null` when the answer has no body.
    pub(crate) body: Value,
    pub(crate) etag: Option<String>,
}

impl Call {
    pub(crate) fn get(path: &[&str]) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: &[&str], body: Value) -> Self {
        Self { body: Some(body), ..Self::new(Method::POST, path) }
    }

    pub(crate) fn put(path: &[&str], body: Value) -> Self {
        Self { body: Some(body), ..Self::new(Method::PUT, path) }
    }

    pub(crate) fn patch(path: &[&str], body: Value) -> Self {
        Self { body: Some(body), ..Self::new(Method::PATCH, path) }
    }

    /// Bytes as their source sends them.
    pub(crate) fn delivery(path: &[&str], bytes: Vec<u8>) -> Self {
        Self { bytes: Some(bytes), ..Self::new(Method::POST, path) }
    }

    pub(crate) fn delete(path: &[&str]) -> Self {
        Self::new(Method::DELETE, path)
    }

    fn new(method: Method, path: &[&str]) -> Self {
        Self {
            method,
            path: path.iter().map(|&segment| segment.to_owned()).collect(),
            query: Vec::new(),
            body: None,
            if_match: None,
            key: None,
            bytes: None,
            proof: None,
        }
    }

    /// A parameter of the query; none if there is no value.
    pub(crate) fn query(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// Why a definition changes, for those who review it.
    pub(crate) fn noted(mut self, note: Option<&str>) -> Self {
        if let (Some(Value::Object(members)), Some(note)) = (&mut self.body, note) {
            members.insert("changeNote".into(), note.into());
        }
        self
    }

    pub(crate) fn if_match(mut self, etag: Option<String>) -> Self {
        self.if_match = etag.map(quoted);
        self
    }

    /// The key under which a POST is done once; absent: a new one is made.
    pub(crate) fn key(mut self, key: Option<IdempotencyKey>) -> Self {
        self.key = key;
        self
    }

    /// What the headers prove takes the place of the token.
    pub(crate) fn proven(mut self, proof: Vec<(HeaderName, HeaderValue)>) -> Self {
        self.proof = Some(proof);
        self
    }

    /// Whether its sender gives it a name under which it is done once: only POST has one, and a
    /// delivery has one of its own.
    pub(super) fn is_keyed(&self) -> bool {
        self.method == Method::POST && self.bytes.is_none()
    }

    /// Whether a repeat of what may have been done is told the same answer. A second DELETE finds nothing, and a second
    /// edit finds the ETag of the first.
    pub(super) fn may_repeat(&self) -> bool {
        self.method != Method::DELETE && self.if_match.is_none()
    }
}

/// An object of what is given; what is absent is left out.
pub(crate) fn object(members: impl Serialize) -> Value {
    let mut value = serde_json::to_value(members).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, member| !member.is_null());
    }
    value
}

/// An entity tag as RFC 9110 writes it; the quotes may be left out on the command line.
fn quoted(etag: String) -> String {
    if etag == "*" || etag.starts_with('"') || etag.starts_with("W/") { etag } else { format!("\"{etag}\"") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_etag_may_be_given_with_or_without_its_quotes() {
        for (given, sent) in [("7", "\"7\""), ("\"7\"", "\"7\""), ("*", "*"), ("W/\"7\"", "W/\"7\"")] {
            assert_eq!(quoted(given.into()), sent);
        }
    }

    #[test]
    fn absent_members_are_left_out() {
        assert_eq!(object(json!({"a": null, "b": false})), json!({"b": false}));
    }
}
