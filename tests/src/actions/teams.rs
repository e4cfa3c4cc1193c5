//! The Teams action: an adaptive card to a URL that is the secret.

use super::*;

fn teams() -> Value {
    json!({
        "type": "teams", "webhookUrl": {"$secret": "url"}, "title": "{{incident.title}}",
        "text": "priority {{incident.priority}}",
    })
}

async fn check(engine: Engine, answers: Vec<ResponseTemplate>, expected: &str, calls: usize) {
    let stage = Stage::with_patience(engine, IMPATIENT).await;
    stage.answers(SECRET_PATH, answers).await;
    let execution = stage.run(&teams()).await;
    assert_eq!(ending(&execution), expected);
    assert_eq!(stage.repeated(SECRET_PATH).await, (format!("{}-it", execution.id), calls));
}

#[rstest]
#[tokio::test]
async fn a_card_is_sent(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let stage = Stage::start(engine).await;
    stage.answers(SECRET_PATH, [text(202, "")]).await;
    assert_eq!(ending(&stage.run(&teams()).await), "SUCCESS");
    let card = &stage.bodies(SECRET_PATH).await[0]["attachments"][0]["content"];
    assert_eq!((card["type"].as_str(), card["version"].as_str()), (Some("AdaptiveCard"), Some("1.4")));
    let texts: Vec<_> = card["body"].as_array().unwrap().iter().map(|block| block["text"].clone()).collect();
    assert_eq!(texts, ["Manual Execution", "priority MEDIUM"]);
}

#[rstest]
#[tokio::test]
async fn its_status_is_its_answer(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    check(engine, vec![text(429, ""), text(202, "")], "SUCCESS", 2).await;
    check(engine, vec![text(502, "<html>"), text(202, "\u{0}garbage")], "SUCCESS", 2).await;
    check(engine, vec![too_late(), text(202, "")], "SUCCESS", 2).await;
    check(engine, vec![text(400, "bad card")], "FAILED: the receiver answered 400", 1).await;
}
