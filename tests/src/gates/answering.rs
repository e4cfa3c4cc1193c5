//! Who may answer, how often, and to what.

use rstest::rstest;
use serde_json::json;

use super::*;

#[rstest]
#[tokio::test]
async fn a_run_waits_until_people_agree(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let gated = Gated::on(engine, one_of_ops()).await;
    gated.check("WAITING", 0).await;
    let asked = gated.asked("ask").await;
    assert_eq!((&asked["status"], &asked["round"]), (&json!("OPEN"), &json!(1)));
    assert_eq!(asked["shown"][0]["step"], "fix");
    assert_eq!(asked["shown"][0]["request"]["body"], r#"{"status":"OPEN"}"#);
    let answered = gated.says(CARL, "approve").await.expect(200);
    assert_eq!((&answered["status"], &answered["decisions"][0]["by"]), (&json!("APPROVED"), &json!(CARL)));
    gated.check("WAITING", 0).await;
    gated.world.drain().await;
    gated.check("SUCCESS", 1).await;
}

#[rstest]
#[tokio::test]
async fn one_rejection_ends_a_run_before_any_call(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let gated = Gated::on(engine, one_of_ops()).await;
    gated.says(CARL, "reject").await.expect(200);
    gated.world.drain().await;
    gated.check("FAILED", 0).await;
    let asked = gated.asked("ask").await;
    assert_eq!((&asked["status"], &asked["because"]), (&json!("REJECTED"), &json!("looked")));
}

#[rstest]
#[tokio::test]
async fn levels_are_asked_in_order_and_nobody_counts_twice(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let levels = json!([
        {"of": ["team:ops:responder"], "needed": 2},
        {"of": ["user:gus", "platform-admin"], "needed": 1},
    ]);
    let gated = Gated::on(engine, json!({"levels": levels, "expiresInSeconds": 600})).await;
    let digest = gated.asked("ask").await["digest"].clone();
    let body = || json!({"digest": digest});
    let early = gated.answers(&gated.world.client("gus", &[]), ("ask", "approve"), body()).await;
    early.expect_problem(403, "forbidden");
    gated.says(CARL, "approve").await.expect(200);
    gated.says(CARL, "approve").await.expect_problem(409, "approval-closed");
    assert_eq!(gated.says(FAY, "approve").await.expect(200)["status"], "OPEN");
    gated.world.drain().await;
    gated.check("WAITING", 0).await;
    let gus = gated.answers(&gated.world.client("gus", &[]), ("ask", "approve"), body()).await;
    assert_eq!(gus.expect(200)["decisions"][2]["level"], 2);
    gated.world.drain().await;
    gated.check("SUCCESS", 1).await;
}

/// The decision at one of two gates that ask side by side lets nothing go on that waits for both.
#[rstest]
#[tokio::test]
async fn inv_c4_a_gate_inside_each_of_two_parallel_steps_blocks_both(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let ask = |id: &str, covers: &str| {
        let approval = super::with(one_of_ops(), "covers", json!([covers]));
        json!({"id": id, "type": "approval", "approval": approval})
    };
    let fix = |id: &str| {
        let action = json!({"type": "webhook", "url": world.receiver.url(&format!("/{id}"))});
        json!({"id": id, "type": "remediation", "irreversible": {"reason": "so it is"}, "action": action})
    };
    let group = |id: &str, steps: Value| json!({"parallel": {"id": id, "steps": steps}});
    let asks = group("asks", json!([ask("ask-a", "fix-a"), ask("ask-b", "fix-b")]));
    let fixes = group("fixes", json!([fix("fix-a"), fix("fix-b")]));
    let definition =
        json!({"name": "Both", "teamId": "ops", "phases": [{"id": "act", "steps": [asks, fixes]}]});
    let gated = Gated::running(world, definition).await;
    assert_eq!(gated.approvals().await.len(), 2);
    gated.check("WAITING", 0).await;
    gated.says_to("ask-a", CARL, "approve").await.expect(200);
    gated.world.drain().await;
    gated.check("WAITING", 0).await;
    assert_eq!(gated.asked("ask-b").await["status"], "OPEN");
    gated.says_to("ask-b", CARL, "approve").await.expect(200);
    gated.world.drain().await;
    gated.check("SUCCESS", 2).await;
}

#[rstest]
#[tokio::test]
async fn inv_c3_who_asked_or_wrote_decides_nothing_not_even_as_an_admin(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let anybody = json!({"levels": [{"of": ["platform-admin", "team:ops:responder"]}]});
    let gated = Gated::on(engine, anybody).await;
    for user in ["dan", "ann"] {
        let body = json!({"digest": gated.asked("ask").await["digest"]});
        let admin = gated.world.client(user, &["platform-admin", "team:ops:admin"]);
        let refused = gated.answers(&admin, ("ask", "approve"), body).await;
        let problem = refused.expect_problem(403, "forbidden");
        assert!(problem["detail"].as_str().unwrap().contains("another person must"), "{problem}");
    }
    gated.world.drain().await;
    gated.check("WAITING", 0).await;
}

#[rstest]
#[tokio::test]
async fn an_answer_counts_only_with_a_reason_a_form_and_the_right_digest(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let form = json!({
        "type": "object", "properties": {"ticket": {"type": "string"}}, "required": ["ticket"],
        "additionalProperties": false,
    });
    let approval = super::with(super::with(one_of_ops(), "reasonRequired", json!(true)), "form", form);
    let gated = Gated::on(engine, approval).await;
    let digest = gated.asked("ask").await["digest"].clone();
    let carl = gated.client(CARL);
    let says = |body| gated.answers(&carl, ("ask", "approve"), body);
    let other = "0".repeat(64);
    says(json!({"digest": other, "reason": "r"})).await.expect_problem(409, "other-digest");
    let problem = says(json!({"digest": digest})).await.expect_problem(400, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/reason");
    let problem = says(json!({"digest": digest, "reason": "r", "form": {"ticket": 1}})).await;
    let problem = problem.expect_problem(400, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/form/ticket");
    let answered =
        says(json!({"digest": digest, "reason": "r", "form": {"ticket": "OPS-1"}})).await.expect(200);
    assert_eq!(answered["decisions"][0]["form"]["ticket"], "OPS-1");
}

#[rstest]
#[tokio::test]
async fn a_step_that_asks_nobody_and_an_execution_that_is_not_there_are_not_found(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = Gated::on(engine, one_of_ops()).await;
    let body = json!({"digest": "0".repeat(64)});
    let answer = gated.answers(&gated.client(CARL), ("fix", "approve"), body.clone()).await;
    answer.expect_problem(404, "not-found");
    let path = "/api/executions/ex_01J9Z3W2B4C6D8E0F2G4H6J8K0/steps/ask/approve";
    gated.client(CARL).post(path, body).await.expect_problem(404, "not-found");
}
