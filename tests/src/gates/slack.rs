//! Buttons in Slack: who may press them, what counts, and what whoever pressed one is told.

use std::sync::Arc;

use rstest::rstest;
use serde_json::json;

use super::*;
use crate::engine::notifications::set_up;
use crate::http::ann;
use crate::support::slack::{Readdressed, form, pressed, signature};
use crate::support::world::SLACK_SIGNING_SECRET;

const ACTIONS: &str = "/api/hooks/slack/actions";
const CARL_IN_SLACK: &str = "U0CARL";
const FAY_IN_SLACK: &str = "U0FAY";

/// Who the Slack users are, as bob, a platform admin, said.
fn people() -> Value {
    let responder = |id: &str| json!({"slackUserId": id, "slackGroups": ["team:ops:responder"]});
    json!({CARL: responder(CARL_IN_SLACK), FAY: responder(FAY_IN_SLACK), "dan": responder("U0DAN")})
}

fn settings() -> Value {
    json!({"slack": {"webhookUrl": {"$secret": "slack"}}, "people": people()})
}

/// The question is asked in the team's channel, and whoever presses there is one of these.
async fn asked_in_slack(engine: Engine, approval: Value, settings: Value) -> Gated {
    let mut world = World::on(engine).await;
    set_up(&world, json!({})).await;
    bob(&world).put("/api/teams/ops/settings", settings).await.expect(200);
    let receiver = world.receiver.url("");
    world.egress = Arc::new(Readdressed { inner: Arc::clone(&world.egress), receiver });
    let definition = runbook(&world, &approval);
    Gated::running(world, definition).await
}

impl Gated {
    /// The messages in the channel.
    fn in_channel(&self) -> Vec<Value> {
        self.bodies("/slack")
    }

    /// What those who pressed buttons were told, oldest first.
    fn replies(&self) -> Vec<Value> {
        self.bodies("/actions/T1/2/abc")
    }

    fn bodies(&self, path: &str) -> Vec<Value> {
        let received = self.world.receiver.received().into_iter().filter(|one| one.uri.path() == path);
        received.map(|one| serde_json::from_str(&one.body).unwrap()).collect()
    }

    /// The button with this name of the newest message.
    fn button(&self, name: &str) -> Value {
        let message = self.in_channel().pop().unwrap();
        let blocks = message["blocks"].as_array().unwrap();
        let elements = blocks.iter().filter_map(|block| block["elements"].as_array()).flatten();
        elements.into_iter().find(|button| button["action_id"] == name).unwrap_or(&Value::Null).clone()
    }

    /// Presses it, a reason beside it, and brings what is owed.
    async fn presses(&self, slack_user: &str, button: &Value) -> u16 {
        self.takes(&pressed(slack_user, button, Some("looked"))).await
    }

    async fn takes(&self, body: &str) -> u16 {
        let now = self.world.clock_now().millis() / 1_000;
        let status = self.takes_signed(body, now, &signature(SLACK_SIGNING_SECRET, now, body)).await;
        self.world.drain_due().await;
        status
    }

    async fn takes_signed(&self, body: &str, timestamp: i64, signature: &str) -> u16 {
        let slack = self.world.stranger().with("content-type", "application/x-www-form-urlencoded");
        let slack = slack.with("x-slack-request-timestamp", timestamp.to_string());
        let slack = slack.with("x-slack-signature", signature);
        slack.send(Method::POST, ACTIONS, body.as_bytes().to_vec()).await.status
    }

    /// What the newest reply says, and to whom.
    fn told(&self) -> (String, &'static str) {
        let reply = self.replies().pop().unwrap();
        let seen = match (reply["replace_original"].as_bool(), reply["response_type"].as_str()) {
            (Some(true), None) => "in place",
            (Some(false), Some("in_channel")) => "below",
            (Some(false), Some("ephemeral")) => "by presser",
            other => panic!("{other:?}"),
        };
        (text(&reply["text"]), seen)
    }

    fn is_told(&self, words: &str, seen: &str) {
        let told = self.told();
        assert!(told.0.contains(words) && told.1 == seen, "{words}, {seen}: {told:?}");
    }
}

#[rstest]
#[tokio::test]
async fn inv_c4_a_button_lets_the_run_go_on_as_the_person_that_the_settings_name(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = asked_in_slack(engine, one_of_ops(), settings()).await;
    assert_eq!(gated.presses(CARL_IN_SLACK, &gated.button("approve")).await, 200);
    gated.check("SUCCESS", 1).await;
    gated.is_told("carl approved step ask of runbook Restart with a question", "in place");
    let asked = gated.asked("ask").await;
    let decision = &asked["decisions"][0];
    assert_eq!(
        (&decision["by"], &decision["via"], &decision["vouchedBy"]),
        (&json!("carl"), &json!("slack"), &json!("bob"))
    );
    assert_eq!((&asked["status"], &decision["reason"]), (&json!("APPROVED"), &json!("looked")));
    // The digest binds it to what the message showed, so that what was passed stays passed.
    assert_eq!(gated.presses(FAY_IN_SLACK, &gated.button("reject")).await, 200);
    gated.is_told("does not count: this approval is no longer open: it is approved", "by presser");
    gated.check("SUCCESS", 1).await;
}

#[rstest]
#[tokio::test]
async fn a_rejection_in_slack_ends_the_run(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let gated = asked_in_slack(engine, one_of_ops(), settings()).await;
    assert_eq!(gated.presses(FAY_IN_SLACK, &gated.button("reject")).await, 200);
    gated.check("FAILED", 0).await;
    gated.is_told("fay rejected step ask", "in place");
}

#[rstest]
#[tokio::test]
async fn of_two_who_are_needed_the_first_leaves_the_buttons_for_the_second(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let two = json!({"levels": [{"of": ["team:ops:responder"], "needed": 2}]});
    let gated = asked_in_slack(engine, two, settings()).await;
    let approve = gated.button("approve");
    gated.presses(CARL_IN_SLACK, &approve).await;
    gated.is_told("Others are still asked", "below");
    gated.check("WAITING", 0).await;
    gated.passes(1).await;
    gated.presses(CARL_IN_SLACK, &approve).await;
    gated.is_told("carl has answered already", "by presser");
    gated.check("WAITING", 0).await;
    gated.presses(FAY_IN_SLACK, &approve).await;
    gated.check("SUCCESS", 1).await;
}

#[rstest]
#[tokio::test]
async fn inv_c3_whoever_asked_and_whoever_is_not_known_answers_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = asked_in_slack(engine, one_of_ops(), settings()).await;
    let approve = gated.button("approve");
    gated.presses("U0DAN", &approve).await;
    gated.is_told("dan asked for or wrote this and may not decide about it", "by presser");
    for stranger in ["U0EVE", "carl", "bob"] {
        gated.presses(stranger, &approve).await;
        gated.is_told(&format!("does not know who the Slack user {stranger} is"), "by presser");
    }
    let nobody = json!({"people": {CARL: {"slackUserId": CARL_IN_SLACK}}, "slack": settings()["slack"]});
    ann(&gated.world).put("/api/teams/ops/settings", nobody).await.expect(200);
    gated.presses(CARL_IN_SLACK, &approve).await;
    gated.is_told("does not know who", "by presser");
    gated.check("WAITING", 0).await;
    let path = format!("/api/executions/{}/notifications", gated.execution);
    let owed = bob(&gated.world).get(&path).await.expect(200)["items"].to_string();
    assert!(owed.contains("does not know who the Slack user U0EVE is"), "{owed}");
    assert_eq!(gated.asked("ask").await["decisions"], json!([]));
}

#[rstest]
#[tokio::test]
async fn inv_c3_nobody_answers_their_own_run_as_a_slack_user_whom_they_vouched_for(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = asked_in_slack(engine, one_of_ops(), settings()).await;
    let mut as_gus = settings();
    as_gus["people"]["gus"] = json!({"slackUserId": "U0EVE", "slackGroups": ["team:ops:responder"]});
    let dan = gated.world.client("dan", &["platform-admin"]);
    dan.put("/api/teams/ops/settings", as_gus).await.expect(200);
    gated.presses("U0EVE", &gated.button("approve")).await;
    gated.is_told("dan asked for or wrote this, and said who you are in Slack", "by presser");
    gated.check("WAITING", 0).await;
    gated.presses(CARL_IN_SLACK, &gated.button("approve")).await;
    gated.check("SUCCESS", 1).await;
}

#[rstest]
#[tokio::test]
async fn inv_c4_what_slack_did_not_sign_or_muster_did_not_make_is_refused(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = asked_in_slack(engine, one_of_ops(), settings()).await;
    let approve = gated.button("approve");
    let body = pressed(CARL_IN_SLACK, &approve, None);
    let now = gated.world.clock_now().millis() / 1_000;
    for (timestamp, signature) in [
        (now, signature("another secret", now, &body)),
        (now, signature(SLACK_SIGNING_SECRET, now + 1, &body)),
        (now, signature(SLACK_SIGNING_SECRET, now, &pressed(FAY_IN_SLACK, &approve, None))),
        (now - 301, signature(SLACK_SIGNING_SECRET, now - 301, &body)),
        (now, String::from("v0=")),
        (now, String::new()),
    ] {
        assert_eq!(gated.takes_signed(&body, timestamp, &signature).await, 401, "{timestamp} {signature}");
    }
    let mut forged = approve.clone();
    forged["value"] = json!(format!("{}A", text(&approve["value"])));
    assert_eq!(gated.presses(CARL_IN_SLACK, &forged).await, 401);
    forged["value"] = json!("approve");
    assert_eq!(gated.presses(CARL_IN_SLACK, &forged).await, 401);
    for malformed in ["", "payload=", "payload=%7B%7D", "other=1"] {
        assert_eq!(gated.takes(malformed).await, 400, "{malformed}");
    }
    assert_eq!(gated.takes(&form(&json!({"type": "view_submission"}).to_string())).await, 200);
    let mut elsewhere = approve.clone();
    elsewhere["action_id"] = json!("snooze");
    assert_eq!(gated.presses(CARL_IN_SLACK, &elsewhere).await, 200);
    assert!(gated.replies().is_empty());
    gated.check("WAITING", 0).await;
}

#[rstest]
#[tokio::test]
async fn inv_b5_a_replay_is_answered_once_and_counts_once(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let two = json!({"levels": [{"of": ["team:ops:responder"], "needed": 2}]});
    let gated = asked_in_slack(engine, two, settings()).await;
    let body = pressed(CARL_IN_SLACK, &gated.button("approve"), None);
    for _ in 0..3 {
        assert_eq!(gated.takes(&body).await, 200);
    }
    assert_eq!(gated.replies().len(), 1);
    let withdrawn = json!({"of": CARL});
    gated.answers(&gated.client(CARL), ("ask", "withdraw"), withdrawn).await.expect(200);
    assert_eq!(gated.takes(&body).await, 200);
    let standing = gated.asked("ask").await;
    let live: Vec<&Value> =
        standing["decisions"].as_array().unwrap().iter().filter(|one| one["withdrawn"].is_null()).collect();
    assert!(live.is_empty(), "{live:?}");
}

#[rstest]
#[tokio::test]
async fn inv_c5_a_button_that_is_pressed_too_late_counts_for_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = asked_in_slack(engine, one_of_ops(), settings()).await;
    let approve = gated.button("approve");
    gated.passes(600).await;
    gated.presses(CARL_IN_SLACK, &approve).await;
    gated.is_told("does not count: this approval is no longer open: it is expired", "by presser");
    gated.check("FAILED", 0).await;
}

#[rstest]
#[tokio::test]
async fn a_form_and_a_reason_that_are_missing_are_asked_for(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let form =
        json!({"type": "object", "required": ["ticket"], "properties": {"ticket": {"type": "string"}}});
    let approval = with(with(one_of_ops(), "reasonRequired", json!(true)), "form", form);
    let gated = asked_in_slack(engine, approval, settings()).await;
    assert_eq!(gated.button("approve"), Value::Null);
    let reject = gated.button("reject");
    gated.takes(&pressed(CARL_IN_SLACK, &reject, None)).await;
    gated.is_told("/reason this approval asks for a reason", "by presser");
    let mut approve = reject.clone();
    approve["action_id"] = json!("approve");
    gated.presses(CARL_IN_SLACK, &approve).await;
    gated.is_told("/form", "by presser");
    gated.check("WAITING", 0).await;
}

#[rstest]
#[tokio::test]
async fn inv_c1_only_a_platform_admin_says_who_a_slack_user_is(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let (path, ann) = ("/api/teams/ops/settings", ann(&world));
    ann.put(path, settings()).await.expect_problem(403, "forbidden");
    bob(&world).put(path, settings()).await.expect(200);
    let mut changed = settings();
    changed["people"]["carl"]["email"] = json!("carl@example.com");
    ann.put(path, changed.clone()).await.expect(200);
    assert_eq!(ann.get(path).await.expect(200)["people"], changed["people"]);
    for (pointer, value) in [
        ("/people/carl/slackUserId", json!("U0ANN")),
        ("/people/carl/slackGroups", json!(["platform-admin"])),
        ("/people/carl/slackGroups", json!(["team:ops:responder", "team:web:admin"])),
    ] {
        let mut grants = changed.clone();
        *grants.pointer_mut(pointer).unwrap() = value;
        ann.put(path, grants).await.expect_problem(403, "forbidden");
    }
    let mut fewer = changed.clone();
    fewer["people"].as_object_mut().unwrap().remove("carl");
    ann.put(path, fewer).await.expect(200);
    let export = world.client("aud", &["auditor"]).get("/api/audit/team:ops").await.expect(200);
    let told = export["entries"].to_string();
    assert!(told.contains("\"answeringInSlack\"") && told.contains("\"vouchedBy\":\"bob\""), "{told}");
}

#[rstest]
#[tokio::test]
async fn without_anybody_whose_answer_counts_there_are_no_buttons(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let people = json!({CARL: {"slackUserId": CARL_IN_SLACK}});
    let gated =
        asked_in_slack(engine, one_of_ops(), json!({"slack": settings()["slack"], "people": people})).await;
    assert_eq!(gated.in_channel().len(), 1);
    assert_eq!(gated.button("approve"), Value::Null);
}
