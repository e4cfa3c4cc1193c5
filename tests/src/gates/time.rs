//! Expiry, escalation, pauses, and nudges that are lost.

use rstest::rstest;
use serde_json::json;

use super::*;

#[rstest]
#[tokio::test]
async fn an_approval_that_expired_cannot_be_answered_whether_or_not_the_worker_came_by(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = Gated::on(engine, one_of_ops()).await;
    gated.world.clock.advance(Duration::from_secs(600));
    let late = gated.says(CARL, "approve").await.expect_problem(409, "approval-closed");
    assert!(late["detail"].as_str().unwrap().contains("late"), "{late}");
    gated.passes(60).await;
    gated.check("FAILED", 0).await;
    assert_eq!(gated.asked("ask").await["status"], "EXPIRED");
    gated.says(CARL, "approve").await.expect_problem(409, "approval-closed");
}

#[rstest]
#[tokio::test]
async fn of_low_risk_an_approval_that_nobody_answers_may_let_the_run_go_on(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = Gated::on(engine, super::with(one_of_ops(), "onExpiry", json!("proceed"))).await;
    gated.passes(660).await;
    gated.check("SUCCESS", 1).await;
    assert_eq!(gated.asked("ask").await["status"], "PROCEEDED");
}

fn escalating() -> Value {
    let rungs = json!([{"afterSeconds": 120, "to": ["team:web:admin"]}]);
    super::with(super::with(one_of_ops(), "escalation", rungs), "onExpiry", json!("escalate"))
}

#[rstest]
#[tokio::test]
async fn others_may_answer_once_the_escalation_has_come_to_them(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = Gated::on(engine, escalating()).await;
    let wes = gated.world.client("wes", &["team:web:admin"]);
    let body = json!({"digest": gated.asked("ask").await["digest"]});
    gated.answers(&wes, ("ask", "approve"), body.clone()).await.expect_problem(403, "forbidden");
    gated.passes(180).await;
    assert_eq!(gated.asked("ask").await["escalation"][0]["asked"], true);
    gated.answers(&wes, ("ask", "approve"), body).await.expect(200);
    gated.world.drain().await;
    gated.check("SUCCESS", 1).await;
}

#[rstest]
#[tokio::test]
async fn an_approval_that_escalates_at_its_end_has_one_more_period_and_no_third(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = Gated::on(engine, escalating()).await;
    gated.passes(900).await;
    gated.check("WAITING", 0).await;
    assert_eq!(gated.asked("ask").await["status"], "OPEN");
    let claims = gated.world.app.execution(&crate::engine::bob(), &gated.id()).await.unwrap().epoch;
    gated.passes(240).await;
    let waits = gated.world.app.execution(&crate::engine::bob(), &gated.id()).await.unwrap().epoch;
    assert_eq!(claims, waits, "nobody looks while people have time");
    gated.passes(240).await;
    gated.check("FAILED", 0).await;
    assert_eq!(gated.asked("ask").await["status"], "EXPIRED");
}

#[rstest]
#[tokio::test]
async fn while_a_run_is_paused_the_time_of_its_approvals_does_not_run(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = Gated::on(engine, one_of_ops()).await;
    gated.passes(300).await;
    let steer = |verb: &'static str, body| {
        let path = format!("/api/executions/{}/{verb}", gated.execution);
        let client = bob(&gated.world);
        async move { client.post(&path, body).await.expect(200) }
    };
    let before = gated.asked("ask").await["until"].clone();
    steer("pause", json!({"reason": "look first"})).await;
    gated.passes(3_600).await;
    gated.check("PAUSED", 0).await;
    assert_eq!(gated.asked("ask").await["status"], "OPEN");
    steer("resume", json!({})).await;
    assert_ne!(gated.asked("ask").await["until"], before);
    gated.passes(240).await;
    gated.check("WAITING", 0).await;
    gated.says(CARL, "approve").await.expect(200);
    gated.world.drain().await;
    gated.check("SUCCESS", 1).await;
}

#[rstest]
#[tokio::test]
async fn an_answer_during_a_pause_counts_when_the_run_is_resumed(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = Gated::on(engine, one_of_ops()).await;
    let path = |verb: &str| format!("/api/executions/{}/{verb}", gated.execution);
    bob(&gated.world).post(&path("pause"), json!({"reason": "look first"})).await.expect(200);
    gated.passes(900).await;
    gated.says(CARL, "approve").await.expect(200);
    gated.passes(300).await;
    gated.check("PAUSED", 0).await;
    bob(&gated.world).post(&path("resume"), json!({})).await.expect(200);
    gated.world.drain().await;
    gated.check("SUCCESS", 1).await;
}

#[rstest]
#[tokio::test]
async fn inv_a2_a_lost_nudge_after_a_decision_is_repaired(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = Gated::on(engine, one_of_ops()).await;
    gated.world.queue.goes_down();
    gated.says(CARL, "approve").await.expect(200);
    gated.world.queue.comes_back();
    gated.passes(60).await;
    gated.world.drain().await;
    gated.check("SUCCESS", 1).await;
}

#[rstest]
#[tokio::test]
async fn a_sweep_tells_how_long_people_have_been_asked_and_for_how_long_a_run_is_paused(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = Gated::on(engine, one_of_ops()).await;
    let ages = async |seconds: u64| {
        gated.world.clock.advance(Duration::from_secs(seconds));
        let swept = gated.world.app.sweep().await.unwrap();
        (swept.oldest_asked_ms / 1_000, swept.oldest_paused_ms / 1_000)
    };
    assert_eq!(ages(90).await, (90, 0));
    assert_eq!(ages(30).await, (120, 0));
    let pause = format!("/api/executions/{}/pause", gated.execution);
    bob(&gated.world).post(&pause, json!({"reason": "look first"})).await.expect(200);
    // A pause is looked at once an hour.
    assert_eq!(ages(3_660).await, (3_780, 3_660));
    assert_eq!(ages(60).await, (3_840, 0));
    let abort = format!("/api/executions/{}/cancel", gated.execution);
    bob(&gated.world).post(&abort, json!({"reason": "not now"})).await.expect(200);
    assert_eq!(ages(60).await, (0, 0));
}
