//! The two forms of a definition: which one is read, and what does not fit either.

use serde_json::{Value, json};

use super::{changed, parsed, runbook};
use crate::runbook::RunbookDefinition;

fn simple() -> Value {
    json!({"name": "Restart", "webhookUrl": "https://ops.example/restart"})
}

/// What is said of a value that fits no form.
fn check(value: &Value, pointer: &str, message: &str) {
    let fault = RunbookDefinition::of_json(value).expect_err("does not fit");
    assert_eq!(fault.pointer, pointer, "{fault:?}");
    assert!(fault.message.starts_with(message), "{fault:?}");
}

#[test]
fn phases_make_a_definition_phased() {
    assert!(parsed(&simple()).phased().is_none());
    assert!(parsed(&runbook()).simple().is_none());
    let both = changed("/webhookUrl", json!("https://ops.example/"));
    check(&both, "/webhookUrl", "unknown field `webhookUrl`");
}

#[test]
fn a_definition_is_stored_as_it_is_written() {
    for written in [simple(), runbook()] {
        let definition: RunbookDefinition = serde_json::from_value(written.clone()).expect("parses");
        let stored = serde_json::to_value(&definition).expect("serialises");
        let again: RunbookDefinition = serde_json::from_value(stored.clone()).expect("parses");
        assert_eq!(again, definition);
        assert_eq!(again.digest(), definition.digest());
        assert_eq!(stored["name"], written["name"]);
        assert_eq!(stored.get("phases").is_some(), written.get("phases").is_some());
    }
}

/// The digest is what approvals and running executions pin: a simple definition's may never change.
#[test]
fn the_digest_of_a_simple_definition_is_that_of_its_json() {
    let mut written = simple();
    written["tags"] = json!(["ops"]);
    written["timeoutSeconds"] = json!(5);
    assert_eq!(parsed(&written).digest(), crate::digest::Digest::of_json(&written));
}

#[test]
fn both_forms_say_what_they_are_alike() {
    for mut written in [simple(), runbook()] {
        for (name, value) in [
            ("description", json!("d")),
            ("teamId", json!("ops")),
            ("tags", json!(["a"])),
            ("parameters", json!({"type": "object"})),
        ] {
            written[name] = value;
        }
        let definition = parsed(&written);
        assert_eq!((definition.name(), definition.description()), ("Restart", "d"));
        assert_eq!(definition.team_id().map(ToString::to_string).as_deref(), Some("ops"));
        assert_eq!(definition.tags(), ["a"]);
        assert_eq!(definition.parameters(), Some(&json!({"type": "object"})));
    }
}

#[test]
fn what_does_not_fit_is_told_with_its_place() {
    check(&changed("/phases/0/steps/0/seconds", json!("soon")), "/phases/0/steps/0/seconds", "invalid type");
    check(
        &changed("/phases/0/steps/1/parallel/join", json!("most")),
        "/phases/0/steps/1/parallel/join",
        "unknown variant",
    );
    check(
        &changed("/phases/0/steps/1/parallel/steps/0/type", json!("x")),
        "/phases/0/steps/1/parallel/steps/0/type",
        "unknown variant",
    );
    check(
        &changed("/phases/1/steps/0/approval/covers", json!("fix")),
        "/phases/1/steps/0/approval/covers",
        "invalid type",
    );
    check(
        &changed("/phases/0/steps/0/retries", json!(3)),
        "/phases/0/steps/0/retries",
        "unknown field `retries`",
    );
    check(
        &changed("/phases/0/steps/1/when", json!("true")),
        "/phases/0/steps/1",
        "unknown field `when`, expected `parallel`",
    );
    check(
        &changed("/escalation", json!([{"on": ["slow"], "to": []}])),
        "/escalation/0/on/0",
        "unknown variant",
    );
    check(&changed("/phases", json!({})), "/phases", "invalid type");
    check(&json!([]), "", "invalid length");
}

#[test]
fn a_simple_runbook_changes_something_and_cannot_get() {
    let mut written = simple();
    written["webhookMethod"] = json!("GET");
    check(&written, "/webhookMethod", "unknown variant `GET`, expected one of `POST`, `PUT`, `PATCH`");
}
