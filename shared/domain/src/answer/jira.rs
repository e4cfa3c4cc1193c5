//! Answers of Jira's REST API, version 3.

use serde_json::Value;

use super::{Meaning, failed, is_success, parsed, unreadable};
use crate::execution::INLINE_RESPONSE_BYTES;

/// An issue has a key. What is created without one may be created all the same; the search before the next attempt tells.
pub(super) fn read_issue(status: u16, body: &str) -> Meaning {
    let answer = parsed(body);
    match (is_success(status), key_of(&answer)) {
        (true, Some(_)) => Meaning::Succeeded,
        (true, None) => unreadable("Jira", status),
        (false, _) => failed("Jira", status, &faults(&answer)),
    }
}

/// A search that cannot be read must not pass for one that found nothing.
pub(super) fn read_search(status: u16, body: &str) -> Meaning {
    let answer = parsed(body);
    if !is_success(status) {
        return failed("Jira", status, &faults(&answer));
    }
    let Some(issues) = answer.get("issues").and_then(Value::as_array) else {
        return unreadable("Jira", status);
    };
    if body.len() > INLINE_RESPONSE_BYTES || issues.iter().any(|issue| key_of(issue).is_none()) {
        return Meaning::Failed("Jira answered a search with more than was asked for".into());
    }
    Meaning::Succeeded
}

/// The issue in the answer to a search.
pub fn found(body: &str) -> Option<Value> {
    parsed(body).get("issues")?.get(0).filter(|issue| key_of(issue).is_some()).cloned()
}

fn key_of(issue: &Value) -> Option<&str> {
    issue.get("key")?.as_str().filter(|key| !key.is_empty())
}

/// `{"errorMessages": ["…"], "errors": {"field": "…"}}`
fn faults(answer: &Value) -> Vec<String> {
    let general = answer.get("errorMessages").and_then(Value::as_array).into_iter().flatten();
    let general = general.filter_map(Value::as_str).map(str::to_owned);
    let fields = answer.get("errors").and_then(Value::as_object).into_iter().flatten();
    let fields = fields.filter_map(|(field, fault)| Some(format!("{field}: {}", fault.as_str()?)));
    general.chain(fields).collect()
}
