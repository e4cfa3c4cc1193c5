//! The `If-Match` of an edit (RFC 9110): which revision the client has seen.

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::IF_MATCH;
use http::request::Parts;

use crate::problem::{InputError, Problem};

/// The revision that must still be the current one; `None` without `If-Match`, or with `*`.
pub(crate) struct IfMatch(pub(crate) Option<u64>);

/// Revisions count from 1, so this one never matches.
const NO_REVISION: u64 = 0;

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parse(&parts.headers).map(Self)
    }
}

fn parse(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let mut values = headers.get_all(IF_MATCH).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => expected(value.to_str().unwrap_or_default()).ok_or_else(refused),
        (Some(_), Some(_)) => Err(refused()),
    }
}

/// What one tag, or `*`, asks for. `None` if it is neither.
fn expected(text: &str) -> Option<Option<u64>> {
    if text == "*" {
        return Some(None);
    }
    let opaque = text.strip_prefix("W/").unwrap_or(text);
    let inside = opaque.strip_prefix('"')?.strip_suffix('"')?;
    if inside.contains('"') {
        return None;
    }
    // A tag that we would not have written, such as another server's or a weak one, matches nothing of ours.
    let ours = inside.parse().ok().filter(|revision| etag(*revision) == text);
    Some(Some(ours.unwrap_or(NO_REVISION)))
}

/// The tag of a revision, as `ETag` gives it.
pub(crate) fn etag(revision: u64) -> String {
    format!("\"{revision}\"")
}

fn refused() -> Problem {
    let message = "must be one ETag as it was given, in quotation marks, or `*`";
    Problem::invalid(vec![InputError::in_header("If-Match", message)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<Option<u64>, ()>) {
        let mut headers = HeaderMap::new();
        headers.insert(IF_MATCH, text.parse().expect("a header value"));
        assert_eq!(parse(&headers).map_err(|_| ()), expected, "{text}");
    }

    #[test]
    fn inv_c7_if_match_names_one_revision() {
        check("\"12\"", Ok(Some(12)));
        check("*", Ok(None));
        check("\"other\"", Ok(Some(NO_REVISION)));
        check("W/\"12\"", Ok(Some(NO_REVISION)));
        for foreign in ["\"\"", "\"*\"", "\"+12\"", "\"012\""] {
            check(foreign, Ok(Some(NO_REVISION)));
        }
        check("\"99999999999999999999\"", Ok(Some(NO_REVISION)));
        for text in ["12", "", "\"1\", \"2\"", "\"", "W/12", "*, \"1\""] {
            check(text, Err(()));
        }
    }
}
