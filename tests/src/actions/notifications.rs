//! Notifications of a failed workflow, by Slack (webhook, channel and person), Teams and a notifier, whose answers are read as those of
//! actions.

use muster_domain::ids::ExecutionId;
use muster_domain::notification::{Notification, RecipientState};

use super::*;

const BOT: &str = "/api/chat.postMessage";
const NOTIFY: &str = "/notify";

fn bot() -> Value {
    json!({"slack": {"token": {"$secret": "token"}, "channel": "#ops"}})
}

fn slack_webhook() -> Value {
    json!({"slack": {"webhookUrl": {"$secret": "url"}}})
}

fn teams() -> Value {
    json!({"teams": {"webhookUrl": {"$secret": "url"}}})
}

fn notifier() -> Value {
    let auth = json!({"type": "hmac", "secret": {"$secret": "token"}});
    let people = json!({"ann": {"email": "ann@example.com"}});
    json!({"notifier": {"url": "https://ops.example/notify", "auth": auth}, "people": people})
}

impl Stage {
    /// A workflow of team `ops` fails with these settings; what its only notification came to.
    async fn fails(&self, settings: Value) -> (ExecutionId, Notification) {
        self.answers("/call", [text(404, "")]).await;
        let settings = serde_json::from_value(settings).unwrap();
        self.world.app.set_team_settings(&ann(), &"ops".parse().unwrap(), settings, None).await.unwrap();
        let execution = self.run(&json!({"type": "webhook", "url": "https://ops.example/call"})).await;
        assert_eq!(ending(&execution), "FAILED: the receiver answered 404");
        let [notification] =
            crate::engine::notifications::owed(&self.world, &execution.id).await.try_into().unwrap();
        let stored = serde_json::to_string(&notification).unwrap();
        assert!(!stored.contains("canary"), "inv_f3: {stored}");
        (execution.id, notification)
    }
}

/// What became of the first recipient, in a line.
fn outcome(notification: &Notification) -> String {
    let recipient = &notification.recipients()[0];
    match recipient.state {
        RecipientState::Delivered { .. } => "delivered".to_owned(),
        RecipientState::Abandoned { .. } => recipient.last_error.clone().unwrap_or_default(),
        RecipientState::Owed { .. } | RecipientState::Sending { .. } => panic!("not settled: {recipient:?}"),
    }
}

async fn check(
    engine: Engine,
    settings: Value,
    route: &str,
    answers: Vec<ResponseTemplate>,
    expected: &str,
    calls: usize,
) {
    let stage = Stage::with_patience(engine, IMPATIENT).await;
    stage.answers(route, answers).await;
    let (id, notification) = stage.fails(settings).await;
    assert_eq!(outcome(&notification), expected);
    assert_eq!(stage.repeated(route).await, (format!("{id}-notification-1-0"), calls), "{expected}");
}

#[rstest]
#[tokio::test]
async fn a_slack_bot_tells_its_channel_and_each_person(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let stage = Stage::start(engine).await;
    stage.answers(BOT, [answer(200, &json!({"ok": true}))]).await;
    let mut settings = bot();
    settings["people"] = json!({"ann": {"slackUserId": "U1"}});
    let (id, notification) = stage.fails(settings).await;
    assert_eq!(notification.recipients().len(), 2);
    let mut channels: Vec<Value> =
        stage.bodies(BOT).await.iter().map(|body| body["channel"].clone()).collect();
    channels.sort_by_key(ToString::to_string);
    assert_eq!(channels, ["#ops", "U1"]);
    let body = &stage.bodies(BOT).await[0];
    let said = body["text"].as_str().unwrap();
    assert!(said.starts_with("Workflow w failed\nNode it: the receiver answered 404\n"), "{said}");
    assert!(said.contains(id.as_str()), "{said}");
    assert_eq!(body["blocks"][0]["text"], json!({"type": "mrkdwn", "text": said}));
    assert_eq!(header(&stage.received(BOT).await[0], "authorization"), format!("Bearer {TOKEN}"));
}

#[rstest]
#[tokio::test]
async fn slacks_answers_are_read_as_those_of_the_action(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let ok = || answer(200, &json!({"ok": true}));
    let limited = answer(200, &json!({"ok": false, "error": "ratelimited"}));
    check(engine, bot(), BOT, vec![limited, ok()], "delivered", 2).await;
    check(engine, bot(), BOT, vec![text(503, ""), ok()], "delivered", 2).await;
    check(engine, bot(), BOT, vec![too_late(), ok()], "delivered", 2).await;
    check(engine, bot(), BOT, vec![text(200, "<html>"), ok()], "delivered", 2).await;
    let gone = answer(200, &json!({"ok": false, "error": "channel_not_found"}));
    check(engine, bot(), BOT, vec![gone], "Slack answered 200: channel_not_found", 1).await;
    check(engine, slack_webhook(), SECRET_PATH, vec![text(200, "ok")], "delivered", 1).await;
    check(
        engine,
        slack_webhook(),
        SECRET_PATH,
        vec![text(404, "no_service")],
        "the receiver answered 404",
        1,
    )
    .await;
}

#[rstest]
#[tokio::test]
async fn teams_is_sent_a_card(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let stage = Stage::start(engine).await;
    stage.answers(SECRET_PATH, [text(202, "")]).await;
    let (_, notification) = stage.fails(teams()).await;
    assert_eq!(outcome(&notification), "delivered");
    let card = &stage.bodies(SECRET_PATH).await[0]["attachments"][0]["content"];
    assert_eq!(
        (card["type"].as_str(), &card["body"][0]["text"]),
        (Some("AdaptiveCard"), &json!("Workflow w failed"))
    );
    check(engine, teams(), SECRET_PATH, vec![text(502, "<html>"), text(202, "")], "delivered", 2).await;
    check(engine, teams(), SECRET_PATH, vec![text(400, "bad card")], "the receiver answered 400", 1).await;
}

#[rstest]
#[tokio::test]
async fn a_notifier_is_sent_the_address_and_the_facts_signed(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let stage = Stage::start(engine).await;
    stage.answers(NOTIFY, [text(204, "")]).await;
    let (id, notification) = stage.fails(notifier()).await;
    assert_eq!(outcome(&notification), "delivered");
    let request = &stage.received(NOTIFY).await[0];
    assert!(header(request, "webhook-signature").starts_with("v1,"));
    assert_eq!(header(request, "webhook-id"), format!("{id}-notification-1-0"));
    let body = &stage.bodies(NOTIFY).await[0];
    assert_eq!(body["to"], "ann@example.com");
    assert_eq!(body["subject"], "Workflow w failed");
    assert_eq!(body["execution"]["status"], "FAILED");
    check(engine, notifier(), NOTIFY, vec![text(429, ""), text(200, "")], "delivered", 2).await;
    check(engine, notifier(), NOTIFY, vec![text(422, "")], "the receiver answered 422", 1).await;
    let five = "the receiver answered 500 after 5 attempts";
    check(engine, notifier(), NOTIFY, vec![text(500, "")], five, 5).await;
}
