//! Taking back what may have been done, while people ask for it again.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::hanging::Hanging;
use crate::engine::caller;
use crate::http::phases::{accepted, act, ask, because, called, read};
use crate::http::{ann, with};
use crate::support::receiver::Reply;
use crate::support::world::{Engine, World};

/// Acts twice; the second call is not repeated.
fn runbook(world: &World) -> Value {
    let drain = with(act(world, "drain"), json!({"timeoutSeconds": 20, "retry": {"maxAttempts": 1}}));
    let phases = json!([{"id": "act", "steps": [act(world, "cordon"), drain]}]);
    json!({"name": "Act twice", "teamId": "ops", "rollback": {"onFailure": true}, "phases": phases})
}

async fn audited(world: &World, execution: &str, action: &str) -> usize {
    let auditor = caller("aud", &["auditor"]);
    let export = world.app.audit_export(&auditor, &execution.parse().unwrap()).await.unwrap();
    export.verify().unwrap();
    export.entries.iter().filter(|entry| entry.action == action).count()
}

#[rstest]
#[tokio::test]
async fn a_step_that_failed_half_way_is_undone_as_nobody_knows_what_it_did(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let hanging = Hanging::on(engine, &["/drain"]).await;
    let world = &hanging.world;
    let execution = accepted(world, runbook(world)).await;
    hanging.passes(Duration::from_secs(60)).await;
    assert_eq!(called(world), ["cordon", "drain", "undrain", "uncordon"]);
    let ended = read(world, &execution).await;
    assert_eq!(ended["status"], "ROLLED_BACK");
    let drain = ended["steps"].as_array().unwrap().iter().find(|step| step["id"] == "drain").unwrap();
    assert_eq!(drain["attempts"][0]["outcome"], "unknown");
}

#[rstest]
#[tokio::test]
async fn an_abort_during_an_undo_changes_nothing_about_it(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let hanging = Hanging::on(engine, &["/undrain"]).await;
    let world = &hanging.world;
    let execution = accepted(world, runbook(world)).await;
    world.receiver.will_at("/drain", [Reply::Status(404)]);
    hanging.passes(Duration::from_secs(5)).await;
    assert_eq!(hanging.in_flight().len(), 1, "the undo is in flight");
    let aborted = ask(world, &execution, "abort", because()).await;
    assert_eq!((&aborted["status"], aborted.get("stop")), (&json!("RUNNING"), None));
    hanging.passes(Duration::from_secs(120)).await;
    assert_eq!(called(world)[2..], ["undrain", "undrain", "undrain"], "its own retries, and nothing else");
    let again = ann(world).post(&format!("/api/executions/{execution}/abort"), because()).await;
    assert_eq!(again.expect_problem(409, "wrong-status")["currentStatus"], "UNDO_FAILED");
    ask(world, &execution, "undo", json!({"decision": "done", "reason": "by hand"})).await;
    hanging.passes(Duration::from_secs(60)).await;
    assert_eq!(called(world)[5..], ["uncordon"]);
    assert_eq!(read(world, &execution).await["status"], "ROLLED_BACK");
    assert_eq!(audited(world, &execution, "execution.abort_requested").await, 0);
}

#[rstest]
#[tokio::test]
async fn inv_g3_a_kill_during_an_undo_begins_no_further_one(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let hanging = Hanging::on(engine, &["/undrain"]).await;
    let world = &hanging.world;
    let execution = accepted(world, runbook(world)).await;
    world.receiver.will_at("/drain", [Reply::Status(404)]);
    hanging.passes(Duration::from_secs(5)).await;
    ask(world, &execution, "cancel", json!({})).await;
    hanging.passes(Duration::from_secs(120)).await;
    assert_eq!(called(world), ["cordon", "drain", "undrain"]);
    assert_eq!(read(world, &execution).await["status"], "CANCELLED");
}

#[rstest]
#[tokio::test]
async fn two_abort_requests_take_back_once(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let hanging = Hanging::on(engine, &["/drain"]).await;
    let world = &hanging.world;
    let execution = accepted(world, runbook(world)).await;
    hanging.passes(Duration::from_secs(5)).await;
    let both = tokio::join!(
        ask(world, &execution, "abort", because()),
        ask(world, &execution, "abort", json!({"reason": "me too"})),
    );
    assert_eq!(both.0["stop"], both.1["stop"], "the first request stands");
    hanging.passes(Duration::from_secs(60)).await;
    assert_eq!(called(world), ["cordon", "drain", "undrain", "uncordon"]);
    let late = crate::http::ann(world).post(&format!("/api/executions/{execution}/abort"), because()).await;
    late.expect_problem(409, "wrong-status");
    assert_eq!(read(world, &execution).await["status"], "ROLLED_BACK");
    assert_eq!(audited(world, &execution, "execution.abort_requested").await, 1);
}
