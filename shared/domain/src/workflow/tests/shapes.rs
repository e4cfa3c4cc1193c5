//! What a definition looks like as JSON, and what is refused of it.

use super::*;
use crate::workflow::actions::{JiraAction, LinearAction};
use crate::workflow::{Settings, Timeout};

fn whole() -> Value {
    json!({
        "name": "Restart and tell", "description": "d", "teamId": "ops", "enabled": false,
        "trigger": {
            "type": "state_changed", "stateTransition": {"to": "OPEN", "from": "RESOLVED"},
            "conditions": [{"field": "metadata.service", "value": null}],
        },
        "definition": {
            "nodes": [
                trigger("start"),
                {"id": "high", "name": "Is it high?", "type": "condition", "field": "incident.x", "equals": null},
                action("hook", json!({
                    "type": "webhook", "url": "https://x.example/", "method": "POST",
                    "auth": {"type": "bearer", "token": {"$secret": "k"}},
                })),
                action("issue", json!({
                    "type": "jira", "site": "https://acme.atlassian.net", "email": "b@acme.example",
                    "apiToken": {"$secret": "j"}, "project": "OPS", "issueType": "Task", "summary": "s",
                    "description": "d",
                })),
                action("ticket", json!({
                    "type": "linear", "apiKey": {"$secret": "l"}, "teamId": "t", "title": "t", "description": "d",
                })),
                action("hooked", json!({"type": "slack", "webhookUrl": {"$secret": "s"}, "text": "t"})),
                action("bot", json!({"type": "slack", "token": {"$secret": "s"}, "channel": "c", "text": "t"})),
                action("card", json!({"type": "teams", "webhookUrl": {"$secret": "s"}, "title": "t", "text": "t"})),
                action("run", json!({
                    "type": "runbook", "runbookId": "rb_01J9Z3X4C6D8E0F2G4H6J8K0M2", "wait": false,
                })),
                delay("pause", 30),
            ],
            "edges": [edge("start", "high"), branch("high", "hook", "true")],
        },
        "settings": {"timeout": "15min", "maxStartsPerMinute": 5, "misfireMinutes": 60},
    })
}

#[test]
fn a_definition_is_written_as_it_was_read() {
    assert_eq!(serde_json::to_value(parsed(whole())).unwrap(), whole());
}

#[test]
fn what_is_absent_has_its_default() {
    let definition = parsed(json!({
        "name": "n", "trigger": {"type": "manual"}, "definition": {"nodes": [trigger("s")]},
    }));
    assert!(definition.enabled);
    assert_eq!(
        definition.settings,
        Settings { timeout: Timeout::FiveMinutes, max_starts_per_minute: 30, misfire_minutes: 15 }
    );
    assert_eq!(definition.digest(), parsed(serde_json::to_value(&definition).unwrap()).digest());
}

fn check_refused(pointer: &str, value: Value, part: &str) {
    let mut definition = whole();
    put(&mut definition, pointer, value);
    let error = serde_json::from_value::<WorkflowDefinition>(definition).expect_err(pointer).to_string();
    assert!(error.contains(part), "{pointer}: {error}");
}

#[test]
fn inv_c7_unknown_members_are_refused_everywhere() {
    for place in
        ["", "/trigger", "/trigger/stateTransition", "/trigger/conditions/0", "/definition", "/settings"]
    {
        check_refused(&format!("{place}/more"), json!(1), "unknown field `more`");
    }
    for node in 0..10 {
        check_refused(&format!("/definition/nodes/{node}/more"), json!(1), "unknown field `more`");
    }
    for node in 2..9 {
        check_refused(&format!("/definition/nodes/{node}/action/more"), json!(1), "unknown field `more`");
    }
    check_refused("/definition/edges/0/more", json!(1), "unknown field `more`");
}

#[test]
fn what_does_not_fit_is_refused() {
    check_refused("/trigger", json!({"type": "incident_created", "ageThresholdMinutes": 1}), "unknown field");
    check_refused("/trigger", json!({"type": "age"}), "missing field `ageThresholdMinutes`");
    check_refused("/trigger/type", json!("IncidentCreated"), "unknown variant");
    check_refused("/settings/timeout", json!("2min"), "unknown variant `2min`");
    check_refused("/definition/nodes/0", json!({"id": "a b", "type": "trigger"}), "1 to 64 letters");
    check_refused("/definition/nodes/0", json!({"id": "a", "type": "loop"}), "unknown variant `loop`");
    check_refused(
        "/definition/nodes/0",
        json!({"id": "a", "type": "condition", "field": "x"}),
        "missing field `equals`",
    );
    check_refused("/definition/nodes/2/action", json!({"type": "email"}), "unknown variant `email`");
    check_refused("/definition/nodes/3/action/apiToken", json!("plain"), "SecretRef");
    check_refused("/definition/nodes/8/action/runbookId", json!("{{params.x}}"), "`rb_` and 26");
    check_refused("/definition/edges/1/when", json!(true), "invalid type");
    for slack in [
        json!({"type": "slack", "text": "t"}),
        json!({"type": "slack", "text": "t", "token": {"$secret": "s"}}),
        json!({"type": "slack", "text": "t", "channel": "c", "webhookUrl": {"$secret": "s"}}),
    ] {
        check_refused(
            "/definition/nodes/5/action",
            slack,
            "give either `webhookUrl`, or `token` and `channel`",
        );
    }
}

#[test]
fn inv_b4_what_tells_a_repeated_issue_apart_is_the_same_for_every_attempt() {
    let key = "ex_01J9Z3X4C6D8E0F2G4H6J8K0M2-ticket";
    assert_eq!(JiraAction::marker(key), "muster-ex_01J9Z3X4C6D8E0F2G4H6J8K0M2-ticket");
    let id = LinearAction::issue_id(key);
    assert_eq!(id, LinearAction::issue_id(key));
    assert_ne!(id, LinearAction::issue_id("ex_01J9Z3X4C6D8E0F2G4H6J8K0M2-other"));
    let groups: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12], "{id}");
    assert_eq!(id.as_bytes()[14], b'4', "version 4: {id}");
    assert!("89ab".contains(char::from(id.as_bytes()[19])), "variant of RFC 9562: {id}");
}
