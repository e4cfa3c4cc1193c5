//! The Slack action, by an incoming webhook, whose URL is the secret, and as a bot.

use super::*;

const ROUTE: &str = "/api/chat.postMessage";

fn webhook() -> Value {
    json!({"type": "slack", "webhookUrl": {"$secret": "url"}, "text": "*{{incident.title}}*"})
}

fn bot() -> Value {
    json!({"type": "slack", "token": {"$secret": "token"}, "channel": "#ops", "text": "{{incident.title}}"})
}

fn said(body: &Value) -> ResponseTemplate {
    answer(200, body)
}

async fn check(engine: Engine, action: &Value, answers: Vec<ResponseTemplate>, expected: &str, calls: usize) {
    let stage = Stage::with_patience(engine, IMPATIENT).await;
    let route = if action.get("token").is_some() { ROUTE } else { SECRET_PATH };
    stage.answers(route, answers).await;
    let execution = stage.run(action).await;
    assert_eq!(ending(&execution), expected);
    assert_eq!(stage.repeated(route).await, (format!("{}-it", execution.id), calls));
}

#[rstest]
#[tokio::test]
async fn inv_f3_a_message_goes_to_the_url_that_is_a_secret_and_the_url_nowhere_else(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let stage = Stage::start(engine).await;
    stage.answers(SECRET_PATH, [text(200, &format!("ok {SECRET_PATH}"))]).await;
    let execution = stage.run(&webhook()).await;
    assert_eq!(ending(&execution), "SUCCESS");
    let block = json!({"type": "section", "text": {"type": "mrkdwn", "text": "*Manual Execution*"}});
    assert_eq!(stage.bodies(SECRET_PATH).await, [json!({"text": "*Manual Execution*", "blocks": [block]})]);
    assert_eq!(result(&execution, "/body"), "ok [redacted]");
    let request = serde_json::to_value(&execution.steps.values().next().unwrap().request).unwrap();
    assert_eq!(request["url"], json!({"$secret": "url"}));
}

#[rstest]
#[tokio::test]
async fn the_status_of_an_incoming_webhook_is_its_answer(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    check(engine, &webhook(), vec![text(429, ""), text(200, "ok")], "SUCCESS", 2).await;
    check(engine, &webhook(), vec![too_late(), text(200, "ok")], "SUCCESS", 2).await;
    let gone = "FAILED: the receiver answered 404";
    check(engine, &webhook(), vec![text(404, "no_service")], gone, 1).await;
}

#[rstest]
#[tokio::test]
async fn a_bot_posts_to_its_channel(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let stage = Stage::start(engine).await;
    stage.answers(ROUTE, [said(&json!({"ok": true, "ts": "1.2", "x": "y".repeat(3_000)}))]).await;
    let execution = stage.run(&bot()).await;
    assert_eq!(ending(&execution), "SUCCESS", "also if the answer is too long for the execution");
    assert_eq!(stage.bodies(ROUTE).await[0]["channel"], "#ops");
    assert_eq!(header(&stage.received(ROUTE).await[0], "authorization"), format!("Bearer {TOKEN}"));
}

#[rstest]
#[tokio::test]
async fn a_bots_answer_says_ok_or_why_not(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let ok = || said(&json!({"ok": true}));
    let passing = [
        said(&json!({"ok": false, "error": "ratelimited"})),
        said(&json!({"ok": false, "error": "internal_error"})),
        text(200, "<html>"),
        text(503, ""),
        too_late(),
    ];
    for passing in passing {
        check(engine, &bot(), vec![passing, ok()], "SUCCESS", 2).await;
    }
    let unknown = said(&json!({"ok": false, "error": "channel_not_found"}));
    check(engine, &bot(), vec![unknown], "FAILED: Slack answered 200: channel_not_found", 1).await;
}
