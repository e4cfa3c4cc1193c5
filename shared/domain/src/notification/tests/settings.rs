//! What settings may say.

use super::*;

fn check(change: Value, expected: &[&str]) {
    let mut given = everything();
    for (name, value) in change.as_object().into_iter().flatten() {
        given[name] = value.clone();
    }
    let seen: Vec<String> = settings(given).faults().into_iter().map(|fault| fault.pointer).collect();
    assert_eq!(seen, expected, "{change}");
}

#[test]
fn every_fault_is_reported_with_its_place() {
    check(json!({}), &[]);
    check(json!({"people": {"ann": {}, "bob": {"slackUserId": "U1"}}}), &["/people/ann"]);
    let many: serde_json::Map<String, Value> =
        (0..501).map(|number| (format!("u{number}"), json!({"email": "a@b.example"}))).collect();
    check(json!({"people": many}), &["/people"]);
    check(json!({"slack": {"token": {"$secret": "a"}, "channel": "{{x}}"}}), &["/slack/channel"]);
    check(json!({"slack": {"token": {"$secret": "a"}, "channel": ""}}), &["/slack/channel"]);
    check(json!({"notifier": {"url": "mailto:a@b.example"}}), &["/notifier/url"]);
    check(json!({"notifier": {"url": "https://a.example/{{x}}"}}), &["/notifier/url"]);
    let colon = json!({"type": "basic", "username": "a:b", "password": {"$secret": "a"}});
    check(json!({"notifier": {"url": "https://a.example/", "auth": colon}}), &["/notifier/auth/username"]);
}

/// What does not even parse.
fn refuse(given: Value) {
    assert!(serde_json::from_value::<TeamSettings>(given.clone()).is_err(), "{given}");
}

#[test]
fn inv_c7_values_of_secrets_and_unknown_members_are_refused() {
    refuse(json!({"pager": {}}));
    refuse(json!({"people": {"a b": {"email": "a@b.example"}}}));
    refuse(json!({"people": {"ann": {"phone": "1"}}}));
    refuse(json!({"people": {"ann": {"email": "ann"}}}));
    refuse(json!({"people": {"ann": {"slackUserId": "@ann"}}}));
    refuse(json!({"slack": {"webhookUrl": "https://hooks.slack.example/services/x"}}));
    refuse(json!({"slack": {"token": {"$secret": "a"}}}));
    refuse(json!({"slack": {"webhookUrl": {"$secret": "a"}, "channel": "#ops"}}));
    refuse(json!({"teams": {"webhookUrl": "https://teams.example/x"}}));
    refuse(json!({"notifier": {"url": "https://a.example", "auth": {"type": "bearer", "token": "x"}}}));
    refuse(json!({"notifier": {"url": "https://a.example", "headers": {}}}));
}
