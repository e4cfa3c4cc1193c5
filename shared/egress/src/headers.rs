//! The headers of one call: the caller's, what proves who calls, and Muster's own. None can end a line or stand for another.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use muster_app::ports::Call;
use muster_domain::request::{self, WebhookAuth};
use reqwest::header::{
    AUTHORIZATION, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;

use crate::credentials::Credentials;
use crate::refusal::Refusal;
use crate::signature;

/// More headers than this in a definition are refused.
pub(crate) const MOST_CALLER_HEADERS: usize = 64;

pub(crate) fn build(call: &Call<'_>, credentials: &Credentials) -> Result<HeaderMap, Refusal> {
    let mut headers = HeaderMap::new();
    add_callers(&mut headers, &call.request.headers, credentials)?;
    add_auth(&mut headers, call, credentials)?;
    add_own(&mut headers, call)?;
    Ok(headers)
}

fn add_callers(
    headers: &mut HeaderMap,
    callers: &[(String, request::HeaderValue)],
    credentials: &Credentials,
) -> Result<(), Refusal> {
    if callers.len() > MOST_CALLER_HEADERS {
        return Err(Refusal::TooManyHeaders { most: MOST_CALLER_HEADERS });
    }
    for (name, value) in callers {
        let value = match value {
            request::HeaderValue::Text(text) => plain(name, text)?,
            request::HeaderValue::Secret(secret) => sensitive(name, credentials.expose(secret)?)?,
        };
        headers.append(callers_name(name)?, value);
    }
    Ok(())
}

fn add_auth(headers: &mut HeaderMap, call: &Call<'_>, credentials: &Credentials) -> Result<(), Refusal> {
    match &call.request.auth {
        WebhookAuth::None => Ok(()),
        WebhookAuth::Basic { username, password } => {
            let pair = basic_pair(username, credentials.expose(password)?)?;
            add_once(headers, AUTHORIZATION, &format!("Basic {}", BASE64_STANDARD.encode(&*pair)))
        }
        WebhookAuth::Bearer { token } => {
            add_once(headers, AUTHORIZATION, &format!("Bearer {}", credentials.expose(token)?))
        }
        WebhookAuth::ApiKey { header, key } => {
            add_once(headers, callers_name(header)?, credentials.expose(key)?)
        }
        WebhookAuth::Hmac { secret } => {
            let signed = signature::sign(credentials.expose(secret)?, &signed_content(call));
            let signature =
                signed.map_err(|why| Refusal::Secret { name: secret.name.clone(), why: why.0 })?;
            add_once(headers, SIGNATURE, &signature)
        }
    }
}

fn signed_content(call: &Call<'_>) -> String {
    format!("{}.{}.{}", call.idempotency_key, timestamp(call), call.request.body)
}

fn timestamp(call: &Call<'_>) -> i64 {
    call.now.millis() / 1_000
}

/// RFC 7617: a colon ends the user name, so it cannot be part of one, and neither part holds control characters.
pub(crate) fn basic_pair(username: &str, password: &str) -> Result<Zeroizing<String>, Refusal> {
    let refused = |why| Err(Refusal::Header { name: AUTHORIZATION.to_string(), why });
    if username.contains(':') {
        return refused("cannot be built: the user name holds a colon");
    }
    if username.chars().chain(password.chars()).any(char::is_control) {
        return refused("cannot be built: the user name or the password holds a control character");
    }
    Ok(Zeroizing::new(format!("{username}:{password}")))
}

/// A caller may choose its own `Content-Type` and `User-Agent`; the rest is Muster's word and cannot be set by anyone else.
fn add_own(headers: &mut HeaderMap, call: &Call<'_>) -> Result<(), Refusal> {
    let timestamp = timestamp(call).to_string();
    for (name, value) in [
        (IDEMPOTENCY_KEY, call.idempotency_key),
        (WEBHOOK_ID, call.idempotency_key),
        (WEBHOOK_TIMESTAMP, &timestamp),
        (ATTEMPT_ID, call.attempt_id),
    ] {
        headers.insert(&name, plain(name.as_str(), value)?);
    }
    if let Some(pass) = call.callback {
        headers.insert(CALLBACK_URL, plain(CALLBACK_URL.as_str(), &pass.url)?);
        let token = sensitive(CALLBACK_TOKEN.as_str(), pass.token.expose_secret())?;
        headers.insert(CALLBACK_TOKEN, token);
    }
    // The receiver closes first, and the port that waits out the close is not one of ours.
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    let content_type = HeaderValue::from_static(call.request.content_type.as_str());
    headers.entry(CONTENT_TYPE).or_insert(content_type);
    headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(OWN_USER_AGENT));
    Ok(())
}

const OWN_USER_AGENT: &str = concat!("Muster/", env!("CARGO_PKG_VERSION"));
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const ATTEMPT_ID: HeaderName = HeaderName::from_static("muster-attempt-id");
const CALLBACK_URL: HeaderName = HeaderName::from_static("muster-callback-url");
const CALLBACK_TOKEN: HeaderName = HeaderName::from_static("muster-callback-token");
const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Names that frame the message or speak for Muster.
const RESERVED: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "idempotency-key",
    "keep-alive",
    "muster-attempt-id",
    "muster-callback-token",
    "muster-callback-url",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
const RESERVED_PREFIXES: &[&str] = &["proxy-", "webhook-"];

fn callers_name(text: &str) -> Result<HeaderName, Refusal> {
    let refused = |why| Refusal::Header { name: text.to_owned(), why };
    let name = HeaderName::from_bytes(text.as_bytes()).map_err(|_| refused("is not a valid name"))?;
    let reserved = RESERVED.contains(&name.as_str())
        || RESERVED_PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix));
    if reserved { Err(refused("is set by Muster alone")) } else { Ok(name) }
}

fn add_once(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), Refusal> {
    if headers.contains_key(&name) {
        return Err(Refusal::Header { name: name.to_string(), why: "is set twice, once by auth" });
    }
    let value = sensitive(name.as_str(), value)?;
    headers.insert(name, value);
    Ok(())
}

/// Visible ASCII, spaces and tabs: what every receiver reads the same way. The type alone would let bytes above ASCII pass.
fn plain(name: &str, value: &str) -> Result<HeaderValue, Refusal> {
    let why = "has a value with characters other than visible ASCII, space and tab";
    let refused = || Refusal::Header { name: name.to_owned(), why };
    let ascii = Some(value).filter(|value| value.is_ascii()).ok_or_else(refused)?;
    HeaderValue::from_str(ascii).map_err(|_| refused())
}

/// A value that no debug output of the HTTP client shows.
fn sensitive(name: &str, value: &str) -> Result<HeaderValue, Refusal> {
    let mut value = plain(name, value)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use muster_app::ports::CallbackPass;
    use muster_domain::request::{ContentType, RenderedRequest, WebhookMethod};
    use muster_domain::secret::SecretRef;
    use muster_domain::time::Time;

    use super::*;

    fn secret(name: &str) -> SecretRef {
        SecretRef { name: name.parse().unwrap() }
    }

    fn text(name: &str, value: &str) -> (String, request::HeaderValue) {
        (name.to_owned(), request::HeaderValue::Text(value.to_owned()))
    }

    fn request(auth: WebhookAuth, headers: Vec<(String, request::HeaderValue)>) -> RenderedRequest {
        RenderedRequest {
            method: WebhookMethod::Post,
            url: "https://example.com/".to_owned().into(),
            headers,
            auth,
            content_type: ContentType::Json,
            body: r#"{"test": 2432232314}"#.into(),
        }
    }

    /// The headers as sorted lines, or the refusal.
    fn lines(request: &RenderedRequest) -> Result<Vec<String>, String> {
        let credentials = Credentials::from([
            ("key", "s3cret"),
            ("empty", ""),
            ("two-lines", "a\r\nX-Evil: 1"),
            ("whsec", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            ("whsec-bad", "whsec_%%%"),
        ]);
        let call = Call {
            request,
            idempotency_key: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            attempt_id: "ex_1.1",
            timeout: Duration::from_secs(1),
            now: Time::from_millis(1_614_265_330_999),
            callback: None,
        };
        let headers = build(&call, &credentials).map_err(|refusal| refusal.to_string())?;
        let mut lines: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        Ok(lines)
    }

    fn added(auth: WebhookAuth, headers: Vec<(String, request::HeaderValue)>) -> Result<Vec<String>, String> {
        let always = lines(&request(WebhookAuth::None, vec![])).unwrap();
        let all = lines(&request(auth, headers))?;
        Ok(all.into_iter().filter(|line| !always.contains(line)).collect())
    }

    fn refusal(auth: WebhookAuth, headers: Vec<(String, request::HeaderValue)>) -> String {
        added(auth, headers).unwrap_err()
    }

    #[test]
    fn every_call_says_what_it_is() {
        let expected = [
            "connection: close",
            "content-type: application/json",
            "idempotency-key: msg_p5jXN8AQM9LWM0D4loKWxJek",
            "muster-attempt-id: ex_1.1",
            concat!("user-agent: Muster/", env!("CARGO_PKG_VERSION")),
            "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp: 1614265330",
        ];
        assert_eq!(lines(&request(WebhookAuth::None, vec![])).unwrap(), expected);
    }

    #[test]
    fn inv_f3_a_call_that_waits_says_where_and_by_which_proof_and_debug_output_does_not() {
        let pass = CallbackPass { url: "https://muster.example/callback".into(), token: "mcb_x".into() };
        let call = Call {
            request: &request(WebhookAuth::None, vec![]),
            idempotency_key: "k",
            attempt_id: "a",
            timeout: Duration::from_secs(1),
            now: Time::EPOCH,
            callback: Some(&pass),
        };
        let headers = build(&call, &Credentials::default()).unwrap();
        assert_eq!(headers["muster-callback-url"], "https://muster.example/callback");
        assert_eq!(headers["muster-callback-token"], "mcb_x");
        assert!(!format!("{headers:?} {call:?}").contains("mcb_x"));
    }

    #[test]
    fn each_kind_of_auth_adds_its_header() {
        let basic = WebhookAuth::Basic { username: "ops".into(), password: secret("key") };
        assert_eq!(added(basic, vec![]).unwrap(), ["authorization: Basic b3BzOnMzY3JldA=="]);
        let bearer = WebhookAuth::Bearer { token: secret("key") };
        assert_eq!(added(bearer, vec![]).unwrap(), ["authorization: Bearer s3cret"]);
        let api_key = WebhookAuth::ApiKey { header: "X-Api-Key".into(), key: secret("key") };
        assert_eq!(added(api_key, vec![]).unwrap(), ["x-api-key: s3cret"]);
        let hmac = WebhookAuth::Hmac { secret: secret("whsec") };
        let signature = "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(added(hmac, vec![]).unwrap(), [signature]);
    }

    #[test]
    fn callers_headers_are_added_and_may_replace_the_content_type_and_user_agent() {
        let headers = vec![
            text("X-One", "a b\tc"),
            text("x-one", "2"),
            ("X-Key".into(), request::HeaderValue::Secret(secret("key"))),
            text("Content-Type", "application/vnd.x+json"),
            text("User-Agent", "mine/1"),
        ];
        let expected = [
            "content-type: application/vnd.x+json",
            "user-agent: mine/1",
            "x-key: s3cret",
            "x-one: 2",
            "x-one: a b\tc",
        ];
        assert_eq!(added(WebhookAuth::None, headers).unwrap(), expected);
    }

    #[test]
    fn inv_e1_names_and_values_that_could_end_a_line_are_refused() {
        for name in [
            "",
            " ",
            "X Y",
            "X:",
            "X\r\nEvil",
            "X\n",
            "X\0",
            "X\u{7f}",
            "é",
            "x\u{2028}",
            "(x)",
            "x\"y",
            ":authority",
            " X",
        ] {
            let seen = refusal(WebhookAuth::None, vec![text(name, "1")]);
            assert_eq!(seen, format!("the header {name:?} is not a valid name"));
        }
        for value in [
            "a\r\nX-Evil: 1",
            "a\nb",
            "a\rb",
            "a\0b",
            "\r\n\r\nGET / HTTP/1.1",
            "a\u{b}b",
            "a\u{7f}",
            "é",
            "a\u{85}b",
            "a\u{2028}b",
            "\u{560a}x",
            "\u{1b}[31m",
        ] {
            let seen = refusal(WebhookAuth::None, vec![text("x-a", value)]);
            assert!(seen.starts_with("the header \"x-a\" has a value with characters"), "{value:?}: {seen}");
        }
    }

    #[test]
    fn inv_f3_a_secret_that_no_header_can_carry_is_refused_without_showing_it() {
        let why = "has a value with characters other than visible ASCII, space and tab";
        let in_header = vec![("X-Key".into(), request::HeaderValue::Secret(secret("two-lines")))];
        assert_eq!(refusal(WebhookAuth::None, in_header), format!("the header \"X-Key\" {why}"));
        let bearer = WebhookAuth::Bearer { token: secret("two-lines") };
        assert_eq!(refusal(bearer, vec![]), format!("the header \"authorization\" {why}"));
        let api_key = WebhookAuth::ApiKey { header: "x-key".into(), key: secret("two-lines") };
        assert_eq!(refusal(api_key, vec![]), format!("the header \"x-key\" {why}"));
        let hmac = WebhookAuth::Hmac { secret: secret("whsec-bad") };
        assert_eq!(refusal(hmac, vec![]), "the secret whsec-bad has `whsec_` and then no base64");
        let bearer = WebhookAuth::Bearer { token: secret("empty") };
        assert_eq!(refusal(bearer, vec![]), "the secret empty is empty");
    }

    #[test]
    fn names_that_frame_the_message_or_speak_for_muster_are_refused() {
        for name in [
            "Host",
            "HOST",
            "Content-Length",
            "Transfer-Encoding",
            "Connection",
            "Keep-Alive",
            "TE",
            "Trailer",
            "Upgrade",
            "Expect",
            "Proxy-Authorization",
            "Proxy-Connection",
            "Idempotency-Key",
            "Webhook-Id",
            "webhook-signature",
            "webhook-timestamp",
            "Webhook-Anything",
            "Muster-Attempt-Id",
            "Muster-Callback-Url",
            "muster-callback-token",
        ] {
            let expected = format!("the header {name:?} is set by Muster alone");
            assert_eq!(refusal(WebhookAuth::None, vec![text(name, "1")]), expected);
            let api_key = WebhookAuth::ApiKey { header: name.into(), key: secret("key") };
            assert_eq!(refusal(api_key, vec![]), expected);
        }
    }

    #[test]
    fn auth_and_headers_cannot_contradict_each_other() {
        let bearer = WebhookAuth::Bearer { token: secret("key") };
        let seen = refusal(bearer, vec![text("Authorization", "Bearer other")]);
        assert_eq!(seen, "the header \"authorization\" is set twice, once by auth");
    }

    #[test]
    fn basic_auth_that_a_receiver_would_misread_is_refused() {
        let basic =
            |username: &str, key| WebhookAuth::Basic { username: username.into(), password: secret(key) };
        let colon = refusal(basic("a:b", "key"), vec![]);
        assert_eq!(colon, "the header \"authorization\" cannot be built: the user name holds a colon");
        for (username, key) in [("a\nb", "key"), ("ops", "two-lines")] {
            assert!(
                refusal(basic(username, key), vec![]).ends_with("the password holds a control character")
            );
        }
    }

    #[test]
    fn the_number_of_callers_headers_is_bounded() {
        let headers = |count: usize| (0..count).map(|n| text(&format!("x-{n}"), "1")).collect::<Vec<_>>();
        assert_eq!(added(WebhookAuth::None, headers(64)).unwrap().len(), 64);
        assert_eq!(refusal(WebhookAuth::None, headers(65)), "there are more than 64 headers");
    }
}
