//! Answers of Slack's Web API.

use serde_json::Value;

use super::{Meaning, failed, parsed, unreadable};

/// A method that fails answers 200 with `{"ok": false, "error": "…"}`.
pub(super) fn read(status: u16, body: &str) -> Meaning {
    let answer = parsed(body);
    let error = answer.get("error").and_then(Value::as_str);
    match (answer.get("ok").and_then(Value::as_bool), error) {
        (Some(true), _) => Meaning::Succeeded,
        (Some(false), Some("ratelimited" | "rate_limited")) => {
            Meaning::NotTaken("Slack's rate limit is reached".into())
        }
        (Some(false), Some(error)) if OF_ITS_OWN.contains(&error) => {
            Meaning::Unclear(format!("Slack failed: {error}"))
        }
        (Some(false), error) => failed("Slack", status, &said(error, &answer)),
        (None, _) => unreadable("Slack", status),
    }
}

/// Errors of Slack itself, which pass.
const OF_ITS_OWN: [&str; 4] = ["fatal_error", "internal_error", "request_timeout", "service_unavailable"];

fn said(error: Option<&str>, answer: &Value) -> Vec<String> {
    let details = answer.pointer("/response_metadata/messages").and_then(Value::as_array);
    let details = details.into_iter().flatten().filter_map(Value::as_str);
    let needed = answer.get("needed").and_then(Value::as_str).map(|scope| format!("needs the scope {scope}"));
    error.into_iter().chain(details).map(str::to_owned).chain(needed).collect()
}
