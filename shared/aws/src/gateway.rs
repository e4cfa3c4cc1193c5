//! Requests and responses of API Gateway's HTTP API (payload format 2.0), to and from those of the router.
//!
//! Only what is used is read, so that no other part of an event can make it unreadable. The path arrives decoded, so it is
//! encoded again: `?` or `#` in it stay a part of the path. The crate `lambda_http` is not used because it takes such a
//! path apart as a URL, and panics on a query that is none: a client could ask for a 502.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a verified token says. API Gateway sends every claim as a text.
pub(crate) type Claims = Map<String, Value>;

/// A request as API Gateway hands it to a function.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GatewayRequest {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    request_context: RequestContext,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    request_id: String,
    http: RequestLine,
    #[serde(default)]
    authorizer: Option<Authorizer>,
}

#[derive(Debug, Clone, Deserialize)]
struct RequestLine {
    method: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Authorizer {
    #[serde(default)]
    jwt: Option<Jwt>,
}

#[derive(Debug, Clone, Deserialize)]
struct Jwt {
    #[serde(default)]
    claims: Option<Claims>,
}

/// A response as API Gateway takes it from a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GatewayResponse {
    status_code: u16,
    headers: BTreeMap<String, String>,
    body: String,
    is_base64_encoded: bool,
}

/// What API Gateway never sends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GatewayError {
    #[error("reading the request's method")]
    Method(#[source] http::method::InvalidMethod),
    #[error("reading the request's path and query")]
    Uri(#[source] http::uri::InvalidUri),
    #[error("decoding the request's body")]
    Body(#[source] base64::DecodeError),
    #[error("collecting the response's body")]
    Response(#[source] axum::Error),
}

impl GatewayRequest {
    /// API Gateway's id of the request, which its access log shows.
    pub(crate) fn id(&self) -> &str {
        &self.request_context.request_id
    }

    /// The claims of the token that the authorizer verified; `None` on a route without one.
    pub(crate) fn claims(&self) -> Option<&Claims> {
        self.request_context.authorizer.as_ref()?.jwt.as_ref()?.claims.as_ref()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The request for the router.
    pub(crate) fn into_http(self) -> Result<Request<Body>, GatewayError> {
        let method = self.request_context.http.method.as_bytes();
        let method = Method::from_bytes(method).map_err(GatewayError::Method)?;
        let uri = uri(&self.raw_path, &self.raw_query_string)?;
        let body = body(self.body.unwrap_or_default(), self.is_base64_encoded)?;
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers(&self.headers);
        Ok(request)
    }
}

impl GatewayResponse {
    /// The router's answer for API Gateway. A body that is no text travels as Base64.
    pub(crate) async fn of_http(response: Response) -> Result<Self, GatewayError> {
        let (parts, body) = response.into_parts();
        // Muster's own answers are bounded where they are made.
        let bytes = axum::body::to_bytes(body, usize::MAX).await.map_err(GatewayError::Response)?;
        let text = String::from_utf8(bytes.into());
        let is_base64_encoded = text.is_err();
        let body = text.unwrap_or_else(|error| BASE64.encode(error.as_bytes()));
        let headers = joined(&parts.headers);
        Ok(Self { status_code: parts.status.as_u16(), headers, body, is_base64_encoded })
    }
}

fn uri(path: &str, query: &str) -> Result<Uri, GatewayError> {
    let in_path = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte);
    // The query arrives as the client encoded it; only what no URI may hold is encoded here.
    let in_query = |byte: u8| byte.is_ascii_graphic() && !b"\"#<>\\^`{|}".contains(&byte);
    // A path starts with a slash, whatever arrives: without one it would be read as another part of a URI.
    let mut text = format!("/{}", encoded(path.strip_prefix('/').unwrap_or(path), in_path));
    if !query.is_empty() {
        text.push('?');
        text.push_str(&encoded(query, in_query));
    }
    PathAndQuery::try_from(text).map(Uri::from).map_err(GatewayError::Uri)
}

/// The text with every byte percent-encoded that `keep` does not keep.
fn encoded(text: &str, keep: impl Fn(u8) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if keep(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn body(text: String, is_base64: bool) -> Result<Body, GatewayError> {
    if is_base64 {
        BASE64.decode(text).map(Body::from).map_err(GatewayError::Body)
    } else {
        Ok(Body::from(text))
    }
}

/// A header that HTTP does not allow is left out: the router asks for those it needs.
fn headers(given: &BTreeMap<String, String>) -> HeaderMap {
    let header = |(name, value): (&String, &String)| {
        Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
    };
    given.iter().filter_map(header).collect()
}

/// Headers of one name in one line, as HTTP allows. Muster sets no cookies, the one exception.
fn joined(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut joined = BTreeMap::<String, String>::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let line = joined.entry(name.as_str().to_owned()).or_default();
        if !line.is_empty() {
            line.push_str(", ");
        }
        line.push_str(&value);
    }
    joined
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::json;

    use super::*;

    fn request(path: &str, query: &str) -> Request<Body> {
        let event = json!({
            "rawPath": path,
            "rawQueryString": query,
            "requestContext": {"requestId": "r-1", "http": {"method": "GET"}},
        });
        serde_json::from_value::<GatewayRequest>(event).unwrap().into_http().unwrap()
    }

    #[track_caller]
    fn check_uri(path: &str, query: &str, expected: &str) {
        assert_eq!(request(path, query).uri().to_string(), expected);
    }

    #[test]
    fn inv_e4_any_path_and_query_become_a_uri_that_means_the_same() {
        check_uri("/api/runbooks", "", "/api/runbooks");
        check_uri("/api/runbooks", "limit=5&q=a%20b", "/api/runbooks?limit=5&q=a%20b");
        check_uri("/api/kill-switches/team:ops", "", "/api/kill-switches/team:ops");
        check_uri("/api/runbooks/a?admin=true#x", "limit=5", "/api/runbooks/a%3Fadmin=true%23x?limit=5");
        check_uri("/api/runbooks/a b%41é\u{7}", "", "/api/runbooks/a%20b%2541%C3%A9%07");
        check_uri("/api", "q=<a>\"{|}\\^`# é", "/api?q=%3Ca%3E%22%7B%7C%7D%5C%5E%60%23%20%C3%A9");
        check_uri("//evil.test/api", "", "//evil.test/api");
        check_uri("http://evil.test/api", "", "/http://evil.test/api");
        check_uri("", "limit=5", "/?limit=5");
    }

    #[tokio::test]
    async fn method_headers_and_body_are_those_of_the_client() {
        let event = json!({
            "version": "2.0",
            "rawPath": "/api/runbooks",
            "headers": {"content-type": "application/json", "x-name": "Zoë", "not a header": "1"},
            "body": BASE64.encode("{}"),
            "isBase64Encoded": true,
            "requestContext": {"requestId": "r-1", "http": {"method": "POST"}},
        });
        let request = serde_json::from_value::<GatewayRequest>(event).unwrap();
        assert_eq!(request.header("Content-Type"), Some("application/json"));
        let request = request.into_http().unwrap();
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.headers().len(), 2);
        assert_eq!(request.headers()["x-name"].as_bytes(), "Zoë".as_bytes());
        assert_eq!(axum::body::to_bytes(request.into_body(), 10).await.unwrap(), "{}");
    }

    #[track_caller]
    fn check_claims(context: Value, expected: Option<&str>) {
        let mut event =
            json!({"rawPath": "/", "requestContext": {"requestId": "r", "http": {"method": "GET"}}});
        event["requestContext"]["authorizer"] = context;
        event["headers"] = json!({"authorization": "Bearer x", "x-amzn-claims-sub": "mallory"});
        let request: GatewayRequest = serde_json::from_value(event).unwrap();
        let subject = request.claims().and_then(|claims| claims.get("sub")?.as_str());
        assert_eq!(subject, expected);
    }

    #[test]
    fn claims_are_those_of_the_authorizer_and_no_others() {
        check_claims(json!({"jwt": {"claims": {"sub": "ann"}, "scopes": null}}), Some("ann"));
        check_claims(json!({"jwt": {"claims": null}}), None);
        check_claims(json!({"jwt": {}}), None);
        check_claims(json!({"lambda": {"sub": "mallory"}}), None);
        check_claims(Value::Null, None);
    }

    #[tokio::test]
    async fn a_response_keeps_its_status_its_headers_and_its_body() {
        let mut response = Response::new(Body::from("{}"));
        *response.status_mut() = StatusCode::ACCEPTED;
        for value in ["a", "b"] {
            response.headers_mut().append("vary", HeaderValue::from_static(value));
        }
        let reply = serde_json::to_value(GatewayResponse::of_http(response).await.unwrap()).unwrap();
        let expected =
            json!({"statusCode": 202, "headers": {"vary": "a, b"}, "body": "{}", "isBase64Encoded": false});
        assert_eq!(reply, expected);
    }

    #[tokio::test]
    async fn a_body_that_is_no_text_travels_as_base64() {
        let bytes = vec![0_u8, 159, 146, 150];
        let reply = GatewayResponse::of_http(Response::new(Body::from(bytes.clone()))).await.unwrap();
        assert!(reply.is_base64_encoded);
        assert_eq!(BASE64.decode(reply.body).unwrap(), bytes);
    }

    #[test]
    fn what_api_gateway_never_sends_is_an_error_and_no_panic() {
        let event = |method: &str, body: &str| {
            let context = json!({"requestId": "r", "http": {"method": method}});
            let event =
                json!({"rawPath": "/", "body": body, "isBase64Encoded": true, "requestContext": context});
            serde_json::from_value::<GatewayRequest>(event).unwrap()
        };
        assert!(matches!(event("G T", "").into_http(), Err(GatewayError::Method(_))));
        assert!(matches!(event("GET", "?").into_http(), Err(GatewayError::Body(_))));
    }
}
