//! Answers of Linear's GraphQL API.

use serde_json::Value;

use super::{Meaning, failed, is_success, parsed, unreadable};

/// Errors come within a 200 and within a 400; what they are, their `extensions.code` says.
pub(super) fn read(status: u16, body: &str) -> Meaning {
    let answer = parsed(body);
    let errors = answer.get("errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if !errors.is_empty() {
        return read_errors(status, errors);
    }
    match answer.pointer("/data/issueCreate/success") {
        Some(Value::Bool(true)) if is_success(status) => Meaning::Succeeded,
        Some(Value::Bool(false)) => failed("Linear", status, &["the issue was not created".to_owned()]),
        Some(_) | None if is_success(status) => unreadable("Linear", status),
        Some(_) | None => failed("Linear", status, &[]),
    }
}

fn read_errors(status: u16, errors: &[Value]) -> Meaning {
    let said: Vec<String> = errors.iter().filter_map(message).map(str::to_owned).collect();
    let is = |codes: &[&str]| errors.iter().filter_map(code).any(|code| codes.contains(&code));
    if errors.iter().any(is_repeat) {
        Meaning::Succeeded
    } else if is(&["RATELIMITED"]) {
        Meaning::NotTaken("Linear's rate limit is reached".into())
    } else if is(&["INTERNAL_SERVER_ERROR", "INTERNAL_ERROR", "LOCK_TIMEOUT"]) {
        Meaning::Unclear(format!("Linear failed: {}", said.join("; ")))
    } else {
        failed("Linear", status, &said)
    }
}

/// The id is ours alone: whatever has it already is the issue of an earlier attempt. Linear has no code for that, only its words:
/// the message `conflict on insert of Issue`, for people `Entity Issue with id … already exists.`, with `INPUT_ERROR`. Should it
/// change both, the step fails with what Linear says, and there is still one issue only: Linear keeps ids unique.
fn is_repeat(error: &Value) -> bool {
    let texts = [error.get("message"), error.pointer("/extensions/userPresentableMessage")];
    let mut texts = texts.into_iter().flatten().filter_map(Value::as_str).map(str::to_lowercase);
    texts.any(|text| {
        let after_insert = text.split_once("conflict on insert of issue").map(|(_, after)| after);
        after_insert.is_some_and(|after| !after.starts_with(char::is_alphanumeric))
            || (text.contains("entity issue with id") && text.contains("already exists"))
    })
}

fn code(error: &Value) -> Option<&str> {
    error.pointer("/extensions/code")?.as_str()
}

/// The message for people where there is one.
fn message(error: &Value) -> Option<&str> {
    let shown = error.pointer("/extensions/userPresentableMessage").and_then(Value::as_str);
    shown.or_else(|| error.get("message").and_then(Value::as_str))
}
