//! What makes a definition valid. Every fault is reported, not only the first.

use serde_json::Value;
use url::Url;

use super::definition::{MAX_TIMEOUT_SECONDS, RunbookDefinition};
use crate::fault::{Fault, pointer_to};
use crate::request::{HeaderValue, WebhookAuth};
use crate::schema::ParameterSchema;
use crate::template::{PayloadTemplate, Template};

/// Limits of a definition's fields.
const MAX_NAME_CHARS: usize = 200;
const MAX_DESCRIPTION_CHARS: usize = 4_000;
const MAX_TAGS: usize = 20;
const MAX_TAG_CHARS: usize = 64;
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

impl RunbookDefinition {
    /// All that is wrong with this definition; empty if it may be saved.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        check_texts(self, &mut faults);
        check_url(&self.webhook_url, &mut faults);
        check_headers(self, &mut faults);
        check_auth(&self.webhook_auth, &mut faults);
        check_timeout(self.timeout_seconds, &mut faults);
        if let Some(schema) = &self.parameters
            && let Err(found) = ParameterSchema::compile(schema)
        {
            faults.extend(found.into_iter().map(|fault| fault.under("/parameters")));
        }
        if let Some(payload) = &self.payload_template {
            check_payload(payload, &mut faults);
        }
        faults
    }
}

fn check_payload(payload: &Value, faults: &mut Vec<Fault>) {
    let at = "/payloadTemplate";
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
            faults.push(Fault::new(pointer, "is a secret; use webhookAuth or webhookHeaders for it"));
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

fn check_texts(definition: &RunbookDefinition, faults: &mut Vec<Fault>) {
    check_length("/name", &definition.name, 1, MAX_NAME_CHARS, faults);
    check_length("/description", &definition.description, 0, MAX_DESCRIPTION_CHARS, faults);
    if definition.tags.len() > MAX_TAGS {
        faults.push(Fault::new("/tags", format!("has {} tags; at most {MAX_TAGS}", definition.tags.len())));
    }
    for (position, tag) in definition.tags.iter().enumerate() {
        check_length(&format!("/tags/{position}"), tag, 1, MAX_TAG_CHARS, faults);
    }
}

fn check_length(pointer: &str, text: &str, least: usize, most: usize, faults: &mut Vec<Fault>) {
    let length = text.chars().count();
    if length < least || length > most {
        faults.push(Fault::new(pointer, format!("has {length} characters; {least} to {most} are allowed")));
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        faults.push(Fault::new(pointer, "holds control characters; remove them"));
    }
}

/// Scheme, host and port are fixed by the definition (INVARIANTS D4); path and query may be templated.
fn check_url(text: &str, faults: &mut Vec<Fault>) {
    let at = "/webhookUrl";
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
            faults.push(Fault::new(at, "holds a user or password; use webhookAuth with a secret"));
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

fn check_headers(definition: &RunbookDefinition, faults: &mut Vec<Fault>) {
    if definition.webhook_headers.len() > MAX_HEADERS {
        faults.push(Fault::new("/webhookHeaders", format!("has more than {MAX_HEADERS} headers")));
    }
    for (name, value) in &definition.webhook_headers {
        let at = pointer_to("/webhookHeaders", name);
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

fn check_auth(auth: &WebhookAuth, faults: &mut Vec<Fault>) {
    match auth {
        WebhookAuth::Basic { username, .. } => {
            if username.is_empty() || username.contains(':') || username.chars().any(char::is_control) {
                faults.push(Fault::new("/webhookAuth/username", "must not be empty nor hold `:`"));
            }
        }
        WebhookAuth::ApiKey { header, .. } => {
            if let Some(problem) = header_name_problem(header) {
                faults.push(Fault::new("/webhookAuth/header", problem));
            }
        }
        WebhookAuth::None | WebhookAuth::Bearer { .. } | WebhookAuth::Hmac { .. } => {}
    }
}

fn check_timeout(seconds: u32, faults: &mut Vec<Fault>) {
    if !(1..=MAX_TIMEOUT_SECONDS).contains(&seconds) {
        faults.push(Fault::new("/timeoutSeconds", format!("must be 1 to {MAX_TIMEOUT_SECONDS}")));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(change: Value, expected: &[&str]) {
        let mut value = json!({"name": "Restart", "webhookUrl": "https://ops.example/restart"});
        for (name, member) in change.as_object().into_iter().flatten() {
            value[name] = member.clone();
        }
        let definition: RunbookDefinition = serde_json::from_value(value).expect("parses");
        let faults = definition.faults();
        let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, expected, "{change}: {faults:?}");
    }

    #[test]
    fn a_definition_reports_every_fault_with_its_place() {
        check(json!({}), &[]);
        check(json!({"name": "", "timeoutSeconds": 21}), &["/name", "/timeoutSeconds"]);
        check(json!({"tags": ["ok", ""]}), &["/tags/1"]);
        check(
            json!({"webhookHeaders": {"Host": "x", "X-A": "{{#if a}}"}}),
            &["/webhookHeaders/Host", "/webhookHeaders/X-A"],
        );
        check(json!({"webhookHeaders": {"Authorization": "Bearer abc"}}), &["/webhookHeaders/Authorization"]);
        check(json!({"payloadTemplate": {"a": [{"$secret": "k"}]}}), &["/payloadTemplate/a/0"]);
        check(json!({"payloadTemplate": {"a": ["{{{x}}}"]}}), &["/payloadTemplate/a/0"]);
        check(
            json!({"webhookAuth": {"type": "apiKey", "header": "a b", "key": {"$secret": "k"}}}),
            &["/webhookAuth/header"],
        );
    }

    #[test]
    fn inv_d4_scheme_host_and_port_are_never_templated() {
        for url in [
            "{{params.url}}",
            "{{params.scheme}}://ops.example/",
            "https://{{params.host}}/",
            "https://ops.example:{{params.port}}/",
            "https://ops{{params.x}}",
            "https:///path",
            "ftp://ops.example/",
            "https://user:pass@ops.example/",
            "https://ops.example/#x",
            "//ops.example/",
            "",
        ] {
            check(json!({"webhookUrl": url}), &["/webhookUrl"]);
        }
        check(json!({"webhookUrl": "https://ops.example:8443/{{params.service}}?q={{params.q}}"}), &[]);
    }
}
