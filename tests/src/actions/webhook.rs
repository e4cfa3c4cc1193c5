//! The webhook action: its receiver is anybody, so its status is all that is believed.

use super::*;

const ROUTE: &str = "/hook";

fn webhook(change: Value) -> Value {
    let mut action = json!({
        "type": "webhook", "url": "https://ops.example/hook", "payload": {"title": "{{incident.title}}"},
        "auth": {"type": "bearer", "token": {"$secret": "token"}},
    });
    for (name, value) in change.as_object().unwrap() {
        action[name] = value.clone();
    }
    action
}

async fn check(engine: Engine, answers: Vec<ResponseTemplate>, expected: &str, calls: usize) {
    let stage = Stage::start(engine).await;
    stage.answers(ROUTE, answers).await;
    let execution = stage.run(&webhook(json!({}))).await;
    assert_eq!(ending(&execution), expected);
    let key = format!("{}-it", execution.id);
    assert_eq!(stage.repeated(ROUTE).await, (key, calls));
}

#[rstest]
#[tokio::test]
async fn a_status_is_the_whole_answer(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    check(engine, vec![text(200, "")], "SUCCESS", 1).await;
    check(engine, vec![text(202, "<html>\u{0}garbage")], "SUCCESS", 1).await;
    check(engine, vec![text(503, ""), text(429, ""), text(200, "")], "SUCCESS", 3).await;
    check(engine, vec![text(503, "")], "FAILED: the receiver answered 503 after 3 attempts", 3).await;
    check(engine, vec![text(400, "no")], "FAILED: the receiver answered 400", 1).await;
    let redirect = text(302, "").insert_header("location", "/elsewhere");
    let refused = "FAILED: the receiver answered 302: redirects are not followed";
    check(engine, vec![redirect], refused, 1).await;
}

#[rstest]
#[tokio::test]
async fn it_is_sent_as_it_was_written_with_its_secret(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let stage = Stage::start(engine).await;
    stage.answers(ROUTE, [answer(200, &json!({"id": 7}))]).await;
    let execution = stage.run(&webhook(json!({}))).await;
    let received = stage.received(ROUTE).await;
    assert_eq!(header(&received[0], "authorization"), format!("Bearer {TOKEN}"));
    assert_eq!(stage.bodies(ROUTE).await, [json!({"title": "Manual Execution"})]);
    assert_eq!(result(&execution, "/body/id"), 7);
}

#[rstest]
#[tokio::test]
async fn a_slow_answer_is_an_unknown_one(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    for (idempotent, expected, calls) in [
        (true, "SUCCESS", 2),
        (
            false,
            "NEEDS_REVIEW: no answer in time, and the step is not idempotent: whether it happened is unknown",
            1,
        ),
    ] {
        let stage = Stage::with_patience(engine, IMPATIENT).await;
        stage.answers(ROUTE, [too_late(), text(200, "")]).await;
        let execution = stage.run(&webhook(json!({"idempotent": idempotent}))).await;
        assert_eq!(ending(&execution), expected);
        assert_eq!(stage.repeated(ROUTE).await.1, calls);
    }
}
