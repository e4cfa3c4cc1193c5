//! What an approval is about: what each step that it covers would do if it began now.

use serde_json::Value;

use crate::operator::output::{field, items};

/// The longest body that is shown whole, in characters.
const MOST_SHOWN: usize = 400;

/// Each covered step, and under it its request and what would take it back.
pub(super) fn covered(approval: &Value) -> Vec<(&'static str, String)> {
    items(approval, "shown").iter().flat_map(step).collect()
}

fn step(shown: &Value) -> Vec<(&'static str, String)> {
    let at = |pointer| field(shown, pointer);
    let mut facts = vec![("Would run", format!("{}: {}", at("/step"), does(shown)))];
    facts.extend(shown.get("request").into_iter().flat_map(rest_of));
    if let Some(undo) = shown.get("undo") {
        facts.push(("Undo", sends(undo)));
        facts.extend(rest_of(undo));
    }
    facts
}

/// What a step would do, or why nobody knows yet.
fn does(shown: &Value) -> String {
    let at = |pointer| field(shown, pointer);
    let of = |name: &str| shown.get(name);
    match () {
        () if of("request").is_some() => of("request").map(sends).unwrap_or_default(),
        () if of("runs").is_some() => format!(
            "executes {} version {} with {}",
            at("/runs/name"),
            at("/runs/version"),
            shortened(&at("/parameters"))
        ),
        () if of("undecidable").is_some() => format!("not known yet: {}", at("/undecidable")),
        () if of("begun").is_some() => format!("sends again what it sent, digest {}", at("/digest")),
        () if of("bytes").is_some() => {
            format!("a request of {} bytes, too long to show, digest {}", at("/bytes"), at("/digest"))
        }
        () => shortened(&at("")),
    }
}

/// A POST is stored without its method.
fn sends(request: &Value) -> String {
    let method = if request.get("method").is_some() { field(request, "/method") } else { "POST".to_owned() };
    format!("{method} {}", field(request, "/url"))
}

/// What a request carries; secrets are references.
fn rest_of(request: &Value) -> Vec<(&'static str, String)> {
    let at = |pointer| field(request, pointer);
    let header = |header: &Value| ("  Header", format!("{}: {}", field(header, "/0"), field(header, "/1")));
    let mut facts: Vec<_> = items(request, "headers").iter().map(header).collect();
    facts.extend(request.get("auth").map(|_| ("  Authentication", at("/auth/type"))));
    let empty = request.get("body").and_then(Value::as_str).is_none_or(str::is_empty);
    facts.extend((!empty).then(|| ("  Body", shortened(&at("/body")))));
    facts
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => {
            let shown = text.get(..end).unwrap_or_default();
            format!("{shown} … ({} characters in all; -o json shows them)", text.chars().count())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(shown: &Value, expected: &[&str]) {
        let facts = covered(&json!({"shown": [shown]}));
        let lines: Vec<String> = facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn each_kind_of_covered_step_says_what_it_would_do() {
        check(
            &json!({"step": "a", "undecidable": "it needs b"}),
            &["Would run: a: not known yet: it needs b"],
        );
        check(
            &json!({"step": "a", "begun": true, "digest": "d1"}),
            &["Would run: a: sends again what it sent, digest d1"],
        );
        check(
            &json!({"step": "a", "bytes": 99_000, "digest": "d1"}),
            &["Would run: a: a request of 99000 bytes, too long to show, digest d1"],
        );
        check(
            &json!({"step": "a", "runs": {"name": "Restart", "version": 3}, "parameters": {"service": "api"}}),
            &[r#"Would run: a: executes Restart version 3 with {"service":"api"}"#],
        );
        check(
            &json!({"step": "a", "request": {"url": {"$secret": "hook"}, "contentType": "json", "body": ""}}),
            &[r#"Would run: a: POST {"$secret":"hook"}"#],
        );
    }

    #[test]
    fn what_is_long_is_cut_and_says_so() {
        assert_eq!(shortened(&"é".repeat(MOST_SHOWN)), "é".repeat(MOST_SHOWN));
        let cut = shortened(&"é".repeat(MOST_SHOWN + 1));
        assert!(cut.ends_with("é … (401 characters in all; -o json shows them)"), "{cut}");
    }
}
