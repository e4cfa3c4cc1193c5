//! What settings may say.

use super::*;
use crate::policy::TeamRole;

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

fn person(slack: &str, groups: &[&str]) -> Value {
    json!({"slackUserId": slack, "slackGroups": groups})
}

#[test]
fn who_answers_in_slack_is_named_once_with_groups_that_grant_something() {
    check(json!({"people": {"ann": person("U1", &["team:ops:responder", "platform-admin"])}}), &[]);
    check(
        json!({"people": {"ann": {"email": "a@b.example", "slackGroups": ["auditor"]}}}),
        &["/people/ann/slackGroups"],
    );
    for group in ["ops", "team:ops:root", "team::admin", ""] {
        check(json!({"people": {"ann": person("U1", &[group])}}), &["/people/ann/slackGroups"]);
    }
    let many: Vec<String> = (0..21).map(|number| format!("team:t{number}:viewer")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    check(json!({"people": {"ann": person("U1", &many)}}), &["/people/ann/slackGroups"]);
    let both =
        |second: &[&str]| json!({"people": {"ann": person("U1", &["auditor"]), "bob": person("U1", second)}});
    check(both(&["auditor"]), &["/people/bob/slackUserId"]);
    check(both(&[]), &[]);
}

#[test]
fn inv_c3_whoever_said_last_who_a_slack_user_is_vouches_for_it() {
    let set = |slack: &str, groups: &[&str]| settings(json!({"people": {"ann": person(slack, groups)}}));
    let vouched =
        |settings: &TeamSettings| settings.people.values().next().and_then(|one| one.vouched_by.clone());
    let (first, changed) = set("U1", &["auditor"]).vouched(None, &user("root"));
    assert_eq!((vouched(&first), changed), (Some(user("root")), true));
    let (same, changed) = set("U1", &["auditor"]).vouched(Some(&first), &user("eve"));
    assert_eq!((vouched(&same), changed), (Some(user("root")), false));
    for other in
        [set("U2", &["auditor"]), set("U1", &["platform-admin"]), set("U1", &["auditor", "platform-admin"])]
    {
        let (other, changed) = other.vouched(Some(&first), &user("eve"));
        assert_eq!((vouched(&other), changed), (Some(user("eve")), true));
    }
    let (none, changed) = set("U1", &[]).vouched(Some(&first), &user("eve"));
    assert_eq!((vouched(&none), changed), (None, false));
    assert!(first.has_buttons() && !none.has_buttons());
}

#[test]
fn inv_c1_a_slack_user_is_who_the_settings_vouch_for_and_nobody_else() {
    let (known, _) = settings(json!({"people": {
        "ann": person("U1", &["team:ops:responder"]), "bob": person("U2", &[]), "carl": {"email": "c@b.example"},
    }}))
    .vouched(None, &user("root"));
    let found = known.slack_person(&"U1".parse().expect("valid")).expect("ann");
    assert_eq!((found.principal.user, found.vouched_by), (user("ann"), user("root")));
    assert_eq!(found.principal.teams.values().collect::<Vec<_>>(), [&TeamRole::Responder]);
    for other in ["U2", "U3", "ann"] {
        assert_eq!(known.slack_person(&other.parse().expect("valid")), None, "{other}");
    }
    let unvouched = settings(json!({"people": {"ann": person("U1", &["auditor"])}}));
    assert_eq!(unvouched.slack_person(&"U1".parse().expect("valid")), None);
}
