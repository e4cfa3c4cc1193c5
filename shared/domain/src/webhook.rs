//! What makes a webhook valid, wherever one is defined. Every check is told the JSON pointer of what it checks.

use std::collections::BTreeMap;

use serde_json::Value;
use url::Url;

use crate::fault::{Fault, pointer_to};
use crate::request::{HeaderValue, WebhookAuth};
use crate::template::{PayloadTemplate, Template};

/// The default and the most one attempt may take, in seconds.
pub const MAX_TIMEOUT_SECONDS: u32 = 20;

const MAX_HEADERS: usize = 32;
const MAX_URL_BYTES: usize = 2_048;

/// Headers that Muster or the HTTP stack sets, so a definition may not.
const RESERVED_HEADERS: [&str; 12] = [
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "idempotency-key",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "proxy-authorization",
];

/// Scheme, host and port are fixed by the definition (INVARIANTS D4); path and query may be templated.
pub(crate) fn check_url(at: &str, text: &str, faults: &mut Vec<Fault>) {
    if text.len() > MAX_URL_BYTES {
        faults.push(Fault::new(at, format!("is longer than {MAX_URL_BYTES} bytes")));
        return;
    }
    if let Err(fault) = Template::compile(text) {
        faults.push(Fault::new(at, fault.to_string()));
        return;
    }
    if authority(text).is_none_or(|origin| origin.contains("{{")) {
        faults.push(Fault::new(
            at,
            "must begin with http:// or https:// and a host; scheme, host and port cannot be templated",
        ));
        return;
    }
    match Url::parse(text) {
        Err(error) => faults.push(Fault::new(at, format!("is not an absolute URL: {error}"))),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            faults.push(Fault::new(at, "holds a user or password; give a secret for authentication instead"));
        }
        Ok(url) if url.fragment().is_some() => faults.push(Fault::new(at, "has a fragment; remove it")),
        Ok(_) => {}
    }
}

/// The part of an absolute http(s) URL before its path.
fn authority(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    rest.get(..end).filter(|host| !host.is_empty())
}

pub(crate) fn check_headers(at: &str, headers: &BTreeMap<String, HeaderValue>, faults: &mut Vec<Fault>) {
    if headers.len() > MAX_HEADERS {
        faults.push(Fault::new(at, format!("has more than {MAX_HEADERS} headers")));
    }
    for (name, value) in headers {
        let at = pointer_to(at, name);
        if let Some(problem) = header_name_problem(name) {
            faults.push(Fault::new(&at, problem));
        }
        check_header_value(&at, name, value, faults);
    }
}

fn header_name_problem(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || name.len() > 128 || !name.chars().all(token) {
        Some("is not a header name".into())
    } else if RESERVED_HEADERS.contains(&lower.as_str())
        || lower.starts_with("webhook-")
        || lower.starts_with("muster-")
    {
        Some("is set by Muster; remove it".into())
    } else {
        None
    }
}

fn check_header_value(at: &str, name: &str, value: &HeaderValue, faults: &mut Vec<Fault>) {
    let HeaderValue::Text(text) = value else { return };
    if name.eq_ignore_ascii_case("authorization") || name.eq_ignore_ascii_case("cookie") {
        faults.push(Fault::new(at, r#"must be a secret: {"$secret": "name"}"#));
    }
    if text.chars().any(char::is_control) {
        faults.push(Fault::new(at, "holds control characters; remove them"));
    }
    if let Err(fault) = Template::compile(text) {
        faults.push(Fault::new(at, fault.to_string()));
    }
}

pub(crate) fn check_auth(at: &str, auth: &WebhookAuth, faults: &mut Vec<Fault>) {
    match auth {
        WebhookAuth::Basic { username, .. } => {
            if username.is_empty() || username.contains(':') || username.chars().any(char::is_control) {
                faults.push(Fault::new(pointer_to(at, "username"), "must not be empty nor hold `:`"));
            }
        }
        WebhookAuth::ApiKey { header, .. } => {
            if let Some(problem) = header_name_problem(header) {
                faults.push(Fault::new(pointer_to(at, "header"), problem));
            }
        }
        WebhookAuth::None | WebhookAuth::Bearer { .. } | WebhookAuth::Hmac { .. } => {}
    }
}

pub(crate) fn check_payload(at: &str, payload: &Value, faults: &mut Vec<Fault>) {
    match PayloadTemplate::compile(payload) {
        Err(found) => faults.extend(found.into_iter().map(|fault| fault.under(at))),
        // What compiles is not deep, so this walk is not either.
        Ok(_) => refuse_secrets(at, payload, faults),
    }
}

/// A payload is stored as it is rendered, so a secret can never stand in it.
fn refuse_secrets(pointer: &str, value: &Value, faults: &mut Vec<Fault>) {
    match value {
        Value::Object(members) if members.contains_key("$secret") => {
            faults.push(Fault::new(
                pointer,
                "is a secret; a secret may stand in headers or authentication alone",
            ));
        }
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(name, member)| refuse_secrets(&pointer_to(pointer, name), member, faults));
        }
        Value::Array(elements) => {
            let places = elements.iter().enumerate();
            places
                .for_each(|(place, element)| refuse_secrets(&format!("{pointer}/{place}"), element, faults));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

pub(crate) fn check_timeout(at: &str, seconds: u32, faults: &mut Vec<Fault>) {
    if !(1..=MAX_TIMEOUT_SECONDS).contains(&seconds) {
        faults.push(Fault::new(at, format!("must be 1 to {MAX_TIMEOUT_SECONDS}")));
    }
}
