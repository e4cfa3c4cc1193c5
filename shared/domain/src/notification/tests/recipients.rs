//! Whom a notification reaches, and by which ways.

use super::*;

/// The recipients as `kind user`, in their order.
fn check(people: &[&str], by: Value, expected: &[&str]) {
    let people: Vec<UserId> = people.iter().map(|name| user(name)).collect();
    let seen = ways_to_reach(&people, &settings(by.clone()), T0);
    let seen: Vec<String> = seen
        .iter()
        .map(|one| match &one.user {
            Some(user) => format!("{} {user}", one.kind()),
            None => one.kind().to_owned(),
        })
        .collect();
    assert_eq!(seen, expected, "{people:?} {by}");
}

#[test]
fn channels_come_first_and_people_are_told_by_every_way_there_is() {
    let channels = ["slackChannel", "teamsChannel"];
    check(&[], everything(), &channels);
    check(
        &["ann", "bob"],
        everything(),
        &["slackChannel", "teamsChannel", "slackUser ann", "notifier ann", "notifier bob"],
    );
    check(&["carl"], everything(), &channels);
}

#[test]
fn nobody_is_told_twice() {
    let notifier = json!({"url": "https://mail.example/send"});
    let shared = json!({"ann": {"email": "x@example.com"}, "bob": {"email": "x@example.com"}});
    check(&["ann", "ann"], json!({"people": shared, "notifier": notifier}), &["notifier ann"]);
    check(&["ann", "bob"], json!({"people": shared, "notifier": notifier}), &["notifier ann"]);
}

#[test]
fn a_name_that_is_an_address_needs_no_entry_and_an_entry_says_it_all() {
    let notifier = json!({"url": "https://mail.example/send"});
    let slack = json!({"token": {"$secret": "bot"}, "channel": "C1"});
    check(&["ann@example.com"], json!({"notifier": notifier}), &["notifier ann@example.com"]);
    let people = json!({"ann@example.com": {"slackUserId": "U1"}});
    check(
        &["ann@example.com"],
        json!({"notifier": notifier, "people": people, "slack": slack}),
        &["slackChannel", "slackUser ann@example.com"],
    );
}

#[test]
fn a_way_that_is_not_set_up_reaches_nobody() {
    let people = json!({"ann": {"email": "ann@example.com", "slackUserId": "U1"}});
    check(&["ann"], json!({"people": people}), &[]);
    check(&["ann"], json!({"people": people, "slack": {"webhookUrl": {"$secret": "u"}}}), &["slackChannel"]);
}
