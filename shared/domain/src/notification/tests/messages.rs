//! What each way is sent, as snapshots: secrets as references, and values that try to break out of their place.

use super::*;
use crate::approval::{Button, ReplyUrl};
use crate::digest::Digest;
use crate::execution::PinnedRunbook;
use crate::ids::RunbookId;

fn requests(notification: &Notification) -> Vec<Value> {
    let all = notification.recipients().iter().map(|recipient| {
        let mut request = json!(prepare(notification, recipient, Some("a-button")).expect("builds"));
        let body = request["body"].as_str().expect("has a body");
        request["body"] = serde_json::from_str(body).expect("is JSON");
        json!({"to": recipient.kind(), "request": request})
    });
    all.collect()
}

#[test]
fn every_way_is_told_what_failed_of_what_for_what_and_when() {
    insta::assert_json_snapshot!(requests(&to(&["ann"], everything())));
}

#[test]
fn inv_e1_values_mention_nobody_forge_no_link_and_stay_on_their_line() {
    let mut hostile = to(&["ann"], everything());
    failed(&mut hostile).workflow_name = "w <!channel>\nWorkflow other failed".into();
    failed(&mut hostile).error = format!("{{{{text}}}} [here](https://evil.example) {}", "x".repeat(2_000));
    failed(&mut hostile).step = None;
    if let Addressees::Known { incident: Some(words), .. } = &mut hostile.addressees {
        words.title = "<https://evil.example|click> & <@U2>\u{0}\r\n*bold*".into();
    }
    let told = requests(&hostile);
    let body = |kind: &str| {
        let told = told.iter().find(|told| told["to"] == kind).expect("is told");
        told["request"]["body"].clone()
    };
    for kind in ["slackChannel", "slackUser"] {
        let text = body(kind)["text"].as_str().expect("a text").to_owned();
        assert!(!text.contains(['<', '>']), "{text}");
        assert!(text.contains("Incident inc_") && text.contains("&lt;@U2&gt; *bold* (CRITICAL)"), "{text}");
        assert_eq!(text.lines().count(), 5, "{text}");
    }
    let card = body("teamsChannel")["attachments"][0]["content"]["body"][1]["text"].to_string();
    assert!(card.contains(r"\\[here\\](https://evil.example)"), "{card}");
    let mail = body("notifier");
    assert_eq!(mail["subject"], "Workflow w <!channel> Workflow other failed failed");
    assert!(mail["text"].as_str().expect("a text").contains("{{text}} [here]"), "{mail}");
    assert!(mail.to_string().len() < 4_000, "{}", mail.to_string().len());
}

#[test]
fn the_longest_message_fits_into_a_block_of_slack() {
    let mut longest = to(&[], json!({"slack": {"webhookUrl": {"$secret": "slack/url"}}}));
    failed(&mut longest).workflow_name = "&".repeat(200);
    failed(&mut longest).error = "&".repeat(9_000);
    failed(&mut longest).step = "s".repeat(64).parse().ok();
    if let Addressees::Known { incident: Some(words), .. } = &mut longest.addressees {
        words.title = "&".repeat(200);
    }
    let [told] = &requests(&longest)[..] else { panic!("one message") };
    let text = told["request"]["body"]["blocks"][0]["text"]["text"].as_str().expect("a text").to_owned();
    assert!(text.chars().count() <= 3_000, "{}", text.chars().count());
}

#[test]
fn a_timeout_and_a_review_say_so_and_an_incident_may_be_absent() {
    let mut timed_out = to(&["ann"], json!({"teams": {"webhookUrl": {"$secret": "u"}}}));
    failed(&mut timed_out).status = ExecutionStatus::Cancelled;
    failed(&mut timed_out).error = "Timed out after 60 s".into();
    failed(&mut timed_out).step = None;
    timed_out.incident = None;
    let mut review = timed_out.clone();
    failed(&mut review).status = ExecutionStatus::NeedsReview;
    insta::assert_json_snapshot!([requests(&timed_out), requests(&review)]);
}

#[test]
fn the_settings_of_a_slack_webhook_send_to_its_url() {
    let by = json!({"slack": {"webhookUrl": {"$secret": "slack/url"}}});
    let [told] = &requests(&to(&[], by))[..] else { panic!("one message") };
    assert_eq!(told["request"]["url"], json!({"$secret": "slack/url"}));
}

/// A gate of team ops, asked of the team's channel.
fn asking(change: impl FnOnce(&mut Asking)) -> Notification {
    let mut asking = Asking {
        step: "ask".parse().expect("valid"),
        round: 1,
        runbook: PinnedRunbook {
            id: RunbookId::new(T0, 6),
            version: 1,
            name: "Restart <it>".into(),
            digest: Digest::of_bytes(b"it"),
        },
        requested_by: user("dan"),
        rung: 0,
        needs: vec!["1 of team:ops:responder".into()],
        escalated_to: Vec::new(),
        people: Vec::new(),
        reason_required: false,
        has_form: false,
        digest: Digest::of_bytes(b"what runs"),
        until: after(600),
        at: T0,
    };
    change(&mut asking);
    let told = to(&[], json!({"slack": {"webhookUrl": {"$secret": "slack/url"}}}));
    Notification { occasion: Occasion::Asking(asking), ..told }
}

/// The blocks below the text.
fn buttons(notification: &Notification) -> Value {
    let [told] = &requests(notification)[..] else { panic!("one message") };
    let blocks = told["request"]["body"]["blocks"].as_array().expect("blocks").clone();
    json!(blocks.get(1..))
}

#[test]
fn a_gate_is_answered_by_buttons_and_what_failed_has_none() {
    insta::assert_json_snapshot!(buttons(&asking(|_| {})));
    let slack = json!({"slack": {"webhookUrl": {"$secret": "slack/url"}}});
    assert_eq!(buttons(&to(&[], slack)), json!([]));
}

#[test]
fn a_form_is_filled_in_elsewhere_and_a_reason_is_asked_for() {
    let blocks = buttons(&asking(|asking| (asking.has_form, asking.reason_required) = (true, true)));
    let actions: Vec<&Value> =
        blocks[1]["elements"].as_array().expect("buttons").iter().map(|one| &one["action_id"]).collect();
    assert_eq!(actions, ["reject"]);
    assert_eq!(blocks[0]["optional"], false);
}

#[test]
fn a_click_is_answered_where_slack_says_and_for_whom_it_concerns() {
    let button = Button {
        team: "ops".parse().expect("valid"),
        execution: ExecutionId::new(T0, 2),
        step: "ask".parse().expect("valid"),
        round: 1,
        digest: Digest::of_bytes(b"what runs"),
    };
    let url: ReplyUrl = "https://hooks.slack.com/actions/T1/2/abc".to_owned().try_into().expect("valid");
    for (seen, replaces, response) in [
        (Seen::InPlace, true, None),
        (Seen::Below, false, Some("in_channel")),
        (Seen::ByPresser, false, Some("ephemeral")),
    ] {
        let click = Digest::of_bytes(b"a click");
        let step = button.step.clone();
        let reply = Reply { step, round: 1, click, text: "no <!channel>\nfor you".into(), at: T0 };
        let reply = Notification::reply(&button, reply, (url.clone(), seen), after(60));
        assert!(reply.number >= 1 << 31, "{}", reply.number);
        let [told] = &requests(&reply)[..] else { panic!("one message") };
        let body = &told["request"]["body"];
        assert_eq!(told["request"]["url"], url.as_str());
        assert_eq!(
            (&body["text"], &body["replace_original"]),
            (&json!("no &lt;!channel&gt; for you"), &json!(replaces))
        );
        assert_eq!(body["response_type"].as_str(), response);
    }
}
