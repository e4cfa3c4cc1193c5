//! Runbooks of phases through the API: what they send and in which order, how they are paused, stopped and taken back, how risky
//! they are, and whether they helped.

use std::time::Duration;

use muster_app::ports::Clock;
use rstest::rstest;

use super::*;
use crate::support::receiver::Reply;
use crate::support::world::Engine;

/// A call of the receiver at a path.
pub(crate) fn call(world: &World, path: &str) -> Value {
    json!({"type": "webhook", "url": world.receiver.url(path)})
}

pub(crate) fn look(world: &World, id: &str) -> Value {
    json!({"id": id, "type": "diagnostic", "action": call(world, &format!("/{id}"))})
}

pub(crate) fn act(world: &World, id: &str) -> Value {
    let undo = call(world, &format!("/un{id}"));
    json!({"id": id, "type": "remediation", "riskLevel": "high", "action": call(world, &format!("/{id}")), "undo": undo})
}

/// Looks from two sides at once, then acts twice; what was done is taken back if a step fails.
pub(crate) fn runbook(world: &World) -> Value {
    let group = json!({"parallel": {"id": "sides", "steps": [look(world, "left"), look(world, "right")]}});
    json!({
        "name": "Look and act", "teamId": "ops", "rollback": {"onFailure": true},
        "phases": [
            {"id": "look", "name": "Look", "steps": [look(world, "first"), group]},
            {"id": "act", "name": "Act", "steps": [act(world, "cordon"), act(world, "drain")]},
        ],
    })
}

/// An approved runbook.
pub(crate) async fn stored(world: &World, definition: Value) -> String {
    let runbook = text(&ann(world).post("/api/runbooks", definition).await.expect(201)["id"]);
    bob(world).post(&format!("/api/runbooks/{runbook}/approve"), json!({})).await.expect(200);
    runbook
}

/// A run of an approved runbook; no worker has begun it.
pub(crate) async fn accepted(world: &World, definition: Value) -> String {
    let runbook = stored(world, definition).await;
    executed(world, &runbook, json!({})).await
}

pub(crate) async fn read(world: &World, execution: &str) -> Value {
    ann(world).get(&format!("/api/executions/{execution}")).await.expect(200)
}

pub(crate) async fn ask(world: &World, execution: &str, verb: &str, body: Value) -> Value {
    ann(world).post(&format!("/api/executions/{execution}/{verb}"), body).await.expect(200)
}

pub(crate) fn because() -> Value {
    json!({"reason": "a drill"})
}

/// The paths that were called, in order.
pub(crate) fn called(world: &World) -> Vec<String> {
    world
        .receiver
        .received()
        .iter()
        .map(|request| request.uri.path().trim_start_matches('/').to_owned())
        .collect()
}

#[rstest]
#[tokio::test]
async fn phases_run_in_order_and_a_group_side_by_side(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let execution = accepted(&world, runbook(&world)).await;
    world.drain().await;
    let mut calls = called(&world);
    calls[1..3].sort();
    assert_eq!(calls, ["first", "left", "right", "cordon", "drain"]);
    let ended = read(&world, &execution).await;
    assert_eq!(ended["status"], "SUCCESS");
    let of =
        |id: &str| ended["steps"].as_array().unwrap().iter().find(|step| step["id"] == id).unwrap().clone();
    assert_eq!(of("cordon.undo")["status"], "ARMED");
    assert_eq!(of("risk.gate")["skipped"], json!({"because": "notDemanded"}));
    let keys: std::collections::BTreeSet<String> = world
        .receiver
        .received()
        .iter()
        .map(|request| request.headers["idempotency-key"].to_str().unwrap().to_owned())
        .collect();
    assert_eq!(keys.len(), 5, "each step has a key of its own");
}

#[rstest]
#[tokio::test]
async fn a_step_that_fails_is_undone_with_all_before_it_the_last_first(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let execution = accepted(&world, runbook(&world)).await;
    world.receiver.will_at("/drain", [Reply::Status(404)]);
    world.drain().await;
    assert_eq!(called(&world)[3..], ["cordon", "drain", "undrain", "uncordon"]);
    let ended = read(&world, &execution).await;
    assert_eq!(
        (&ended["status"], &ended["reason"]),
        (&json!("ROLLED_BACK"), &json!("the receiver answered 404"))
    );
}

/// An execution whose second change failed, and whose undo of the first did, too.
async fn undo_failed(engine: Engine) -> (World, String) {
    let world = World::on(engine).await;
    let execution = accepted(&world, runbook(&world)).await;
    world.receiver.will_at("/drain", [Reply::Status(404)]);
    world.receiver.will_at("/uncordon", [Reply::Status(404)]);
    world.drain().await;
    assert_eq!(read(&world, &execution).await["status"], "UNDO_FAILED");
    (world, execution)
}

#[rstest]
#[tokio::test]
async fn an_undo_that_fails_waits_for_a_person_who_retries_it(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let (world, execution) = undo_failed(engine).await;
    // Once an hour it is counted among what needs a person.
    world.clock.advance(Duration::from_secs(3_660));
    assert_eq!(world.app.sweep().await.unwrap().waiting_for_review, 1);
    let early = ann(&world).post(&format!("/api/executions/{execution}/rollback"), because()).await;
    early.expect_problem(409, "wrong-status");
    ask(&world, &execution, "undo", json!({"decision": "retry", "reason": "the API is back"})).await;
    world.drain().await;
    assert_eq!(read(&world, &execution).await["status"], "ROLLED_BACK");
    assert_eq!(called(&world)[6..], ["uncordon", "uncordon"]);
}

#[rstest]
#[tokio::test]
async fn what_is_paused_calls_nobody_until_it_is_resumed(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let execution = accepted(&world, runbook(&world)).await;
    let paused = ask(&world, &execution, "pause", because()).await;
    assert_eq!((&paused["status"], &paused["pause"]["latencyMs"]), (&json!("PAUSED"), &json!(0)));
    world.drain().await;
    assert!(called(&world).is_empty());
    ask(&world, &execution, "resume", json!({})).await;
    world.drain().await;
    assert_eq!(read(&world, &execution).await["status"], "SUCCESS");
    let late = ann(&world).post(&format!("/api/executions/{execution}/pause"), because()).await;
    late.expect_problem(409, "wrong-status");
}

#[rstest]
#[tokio::test]
async fn what_has_ended_is_rolled_back_once_by_an_execution_of_its_own(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let execution = accepted(&world, runbook(&world)).await;
    world.drain().await;
    let path = format!("/api/executions/{execution}/rollback");
    let first = ann(&world).post(&path, because()).await.expect(202);
    let again = ann(&world).post(&path, because()).await.expect(202);
    assert_eq!(first, again, "there is one rollback at most");
    world.drain().await;
    assert_eq!(called(&world)[5..], ["undrain", "uncordon"]);
    let back = read(&world, &text(&first["execution"]["id"])).await;
    assert_eq!((&back["status"], &back["undoes"]), (&json!("ROLLED_BACK"), &json!(execution)));
    let original = read(&world, &execution).await;
    assert_eq!(original["status"], "SUCCESS", "inv_b7: what has ended never changes");
    let by = json!({"executionId": first["execution"]["id"], "status": "ROLLED_BACK"});
    assert_eq!((&original["undoneBy"], back.get("undoneBy")), (&by, None));
    let plain = accepted(
        &world,
        json!({"name": "One call", "teamId": "ops", "webhookUrl": world.receiver.url("/restart")}),
    )
    .await;
    world.drain().await;
    let nothing = ann(&world).post(&format!("/api/executions/{plain}/rollback"), because()).await;
    nothing.expect_problem(409, "wrong-status");
}

#[rstest]
#[tokio::test]
async fn what_a_failed_undo_has_left_is_taken_back_by_a_rollback(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let (world, execution) = undo_failed(engine).await;
    let abort = ann(&world).post(&format!("/api/executions/{execution}/abort"), because()).await;
    abort.expect_problem(409, "wrong-status");
    let path = format!("/api/executions/{execution}/rollback");
    let early = ann(&world).post(&path, because()).await.expect_problem(409, "wrong-status");
    assert!(text(&early["detail"]).contains("its undo of step cordon failed"), "{early}");
    ask(&world, &execution, "cancel", json!({})).await;
    assert_eq!(read(&world, &execution).await["status"], "CANCELLED");
    let back = ann(&world).post(&path, because()).await.expect(202);
    world.drain().await;
    assert_eq!(called(&world)[6..], ["uncordon", "uncordon"]);
    assert_eq!(read(&world, &text(&back["execution"]["id"])).await["status"], "ROLLED_BACK");
}

#[rstest]
#[tokio::test]
async fn a_rollback_that_was_given_up_is_asked_for_again_and_takes_back_what_is_left(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let execution = accepted(&world, runbook(&world)).await;
    world.drain().await;
    let path = format!("/api/executions/{execution}/rollback");
    world.receiver.will_at("/uncordon", [Reply::Status(404)]);
    let first = text(&ann(&world).post(&path, because()).await.expect(202)["execution"]["id"]);
    world.drain().await;
    assert_eq!(read(&world, &first).await["status"], "UNDO_FAILED");
    ask(&world, &first, "cancel", json!({})).await;
    let second = text(&ann(&world).post(&path, because()).await.expect(202)["execution"]["id"]);
    assert_ne!(first, second);
    world.drain().await;
    assert_eq!(called(&world)[5..], ["undrain", "uncordon", "uncordon"]);
    let back = read(&world, &second).await;
    assert_eq!((&back["status"], &back["undoes"]), (&json!("ROLLED_BACK"), &json!(execution)));
    let done = ann(&world).post(&path, because()).await.expect_problem(409, "wrong-status");
    assert!(
        text(&done["detail"]).contains(&format!("taken back already, by {second} (ROLLED_BACK)")),
        "{done}"
    );
    let of_it = ann(&world).post(&format!("/api/executions/{second}/rollback"), because()).await;
    let of_it = of_it.expect_problem(409, "wrong-status");
    assert!(text(&of_it["detail"]).contains(&format!("ask for that of {execution} again")), "{of_it}");
}

/// A person who sends an undo again does not wait as long as the attempts before had come to.
#[rstest]
#[tokio::test]
async fn an_undo_that_is_sent_again_by_a_person_waits_as_at_first(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let mut definition = runbook(&world);
    definition["phases"][1]["steps"][0]["retry"] = json!({"maxAttempts": 3, "baseDelayMs": 1_000});
    let execution = accepted(&world, definition).await;
    world.receiver.will_at("/drain", [Reply::Status(404)]);
    world.receiver.will_at("/uncordon", [503; 9].map(Reply::Status));
    for round in 1..=3 {
        let before = Clock::now(world.clock.as_ref());
        world.drain().await;
        let took = Clock::now(world.clock.as_ref()).since(before);
        assert_eq!(read(&world, &execution).await["status"], "UNDO_FAILED");
        assert_eq!(called(&world).iter().filter(|path| *path == "uncordon").count(), 3 * round);
        assert!(took <= Duration::from_secs(7), "round {round}: {took:?}");
        ask(&world, &execution, "undo", json!({"decision": "retry", "reason": "try"})).await;
    }
}

#[rstest]
#[tokio::test]
async fn a_window_bounds_the_rollback(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let definition = with(runbook(&world), json!({"rollback": {"onFailure": true, "windowSeconds": 60}}));
    let execution = accepted(&world, definition).await;
    world.drain().await;
    world.clock.advance(std::time::Duration::from_secs(61));
    let late = ann(&world).post(&format!("/api/executions/{execution}/rollback"), because()).await;
    late.expect_problem(409, "wrong-status");
}

#[rstest]
#[tokio::test]
async fn inv_b4_a_large_call_and_its_undo_are_sent_as_they_were_fixed(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let large = |path: &str| json!({"type": "webhook", "url": world.receiver.url(path), "payload": {"text": "x".repeat(3_000)}});
    let step = json!({"id": "cordon", "type": "remediation", "action": large("/cordon"), "undo": large("/uncordon")});
    let phases = json!([{"id": "act", "name": "Act", "steps": [step]}]);
    let definition = json!({"name": "Large", "teamId": "ops", "phases": phases});
    let execution = accepted(&world, definition).await;
    world.drain().await;
    let back =
        ann(&world).post(&format!("/api/executions/{execution}/rollback"), because()).await.expect(202);
    world.drain().await;
    assert_eq!(called(&world), ["cordon", "uncordon"]);
    assert_eq!(read(&world, &text(&back["execution"]["id"])).await["status"], "ROLLED_BACK");
    assert!(world.receiver.received().iter().all(|request| request.body.len() > 3_000));
}

#[rstest]
#[tokio::test]
async fn a_verdict_stands_apart_from_success(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    for (replies, verdict) in [
        ([503, 200], "resolved"),
        ([503, 503], "ineffective"),
        ([200, 503], "regressed"),
        ([200, 200], "inconclusive"),
    ] {
        let world = World::on(engine).await;
        let probe = json!({"url": world.receiver.url("/health"), "expect": "response.body.ok == true"});
        let definition = with(runbook(&world), json!({"verification": {"probe": probe}}));
        let execution = accepted(&world, definition).await;
        let body = |status: u16| Reply::Whole(200, &[], format!("{{\"ok\": {}}}", status == 200));
        world.receiver.will_at("/health", replies.map(body));
        world.drain().await;
        let ended = read(&world, &execution).await;
        assert_eq!((&ended["status"], &ended["verdict"]["is"]), (&json!("SUCCESS"), &json!(verdict)));
    }
}

#[rstest]
#[tokio::test]
async fn a_prerequisite_that_does_not_hold_stops_the_run_and_is_named(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let serious = json!([{"id": "serious", "rule": "incident.priority == \"CRITICAL\""}]);
    let execution = accepted(&world, with(runbook(&world), json!({"prerequisites": serious}))).await;
    world.drain().await;
    assert!(called(&world).is_empty());
    let ended = read(&world, &execution).await;
    assert_eq!(ended["status"], "FAILED");
    let error = text(&ended["error"]);
    assert!(error.starts_with("prerequisite serious: the check does not hold"), "{error}");
}

#[rstest]
#[tokio::test]
async fn risk_demands_an_approval_or_refuses_the_run(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = stored(&world, runbook(&world)).await;
    let path = format!("/api/runbooks/{runbook}/execute");
    let planned = ann(&world).post(&path, json!({"dryRun": true})).await.expect(200);
    let score = planned["dryRun"]["risk"]["score"].as_u64().unwrap();
    assert!(score >= 50, "{planned}");
    let policy = |from: u64, refused: u64| json!({"risk": {"approvalFrom": from, "approvers": ["team:ops:admin"], "refusedFrom": refused}});
    bob(&world).put("/api/teams/ops/settings", policy(score, 100)).await.expect(200);
    let execution = executed(&world, &runbook, json!({})).await;
    world.drain().await;
    assert!(called(&world).is_empty(), "nothing is sent before the approval");
    let asked = ann(&world).get(&format!("/api/executions/{execution}/approvals")).await.expect(200);
    let body = json!({"digest": asked["items"][0]["digest"], "reason": "low traffic"});
    let gate = format!("/api/executions/{execution}/steps/risk.gate/approve");
    world
        .client("eve", &["team:ops:responder"])
        .post(&gate, body.clone())
        .await
        .expect_problem(403, "forbidden");
    world.client("eve", &["team:ops:admin"]).post(&gate, body).await.expect(200);
    world.drain().await;
    assert_eq!(read(&world, &execution).await["status"], "SUCCESS");
    bob(&world).put("/api/teams/ops/settings", policy(1, score)).await.expect(200);
    ann(&world).post(&path, json!({})).await.expect_problem(409, "conflict");
}

#[rstest]
#[tokio::test]
async fn inv_d8_a_dry_run_shows_the_bytes_that_a_run_sends(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = stored(&world, runbook(&world)).await;
    let path = format!("/api/runbooks/{runbook}/execute");
    let planned = ann(&world).post(&path, json!({"dryRun": true})).await.expect(200);
    assert!(called(&world).is_empty());
    let steps = planned["dryRun"]["steps"].as_array().unwrap();
    let sends: Vec<&Value> = steps.iter().filter(|step| step["does"] == "sends").collect();
    let execution = executed(&world, &runbook, json!({})).await;
    world.drain().await;
    for step in sends {
        let id = text(&step["step"]);
        let sent =
            ann(&world).get(&format!("/api/executions/{execution}/steps/{id}/request")).await.expect(200);
        assert_eq!(sent, step["request"], "{id}");
        if step.get("undo").is_some() {
            let path = format!("/api/executions/{execution}/steps/{id}.undo/request");
            assert_eq!(ann(&world).get(&path).await.expect(200), step["undo"], "{id}");
        }
    }
}
