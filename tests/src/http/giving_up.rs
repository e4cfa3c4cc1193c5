//! A runbook that does not help gives up on the incident: when it is asked for, and when its turn comes.

use rstest::rstest;

use super::phases::{called, look, read, stored};
use super::*;
use crate::support::receiver::Reply;
use crate::support::world::Engine;

/// Gives up after two runs. All is well when `/health` answers 204; it answers 200 unless a test says otherwise.
fn runbook(world: &World) -> Value {
    let probe = json!({"url": world.receiver.url("/health"), "expect": "response.statusCode == 204"});
    json!({
        "name": "Look", "teamId": "ops", "limits": {"ineffectiveRuns": 2}, "verification": {"probe": probe},
        "phases": [{"id": "look", "name": "Look", "steps": [look(world, "first")]}],
    })
}

/// A run on an incident, a second after the one before, and its verdict.
async fn run(world: &World, runbook: &str, incident: &str) -> (String, Value) {
    world.clock.advance(std::time::Duration::from_secs(1));
    let execution = executed(world, runbook, json!({"incidentId": incident})).await;
    world.drain().await;
    let verdict = read(world, &execution).await["verdict"]["is"].clone();
    (execution, verdict)
}

#[rstest]
#[tokio::test]
async fn after_two_runs_that_did_not_help_nobody_runs_it_on_that_incident_again(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let (runbook, incident) = (stored(&world, runbook(&world)).await, incident(&world, json!({})).await);
    let (first, verdict) = run(&world, &runbook, &incident).await;
    assert_eq!(verdict, "ineffective");
    let replies = [204, 200].map(Reply::Status);
    world.receiver.will_at("/health", replies);
    let (second, verdict) = run(&world, &runbook, &incident).await;
    assert_eq!(verdict, "regressed");
    let path = format!("/api/runbooks/{runbook}/execute");
    let refused = bob(&world).post(&path, json!({"incidentId": incident})).await;
    let refused = refused.expect_problem(409, "conflict").to_string();
    for words in ["limits.ineffectiveRuns is 2", &first, &second] {
        assert!(refused.contains(words), "{words}: {refused}");
    }
    let manual = format!("/api/incidents/{incident}/runbooks/{runbook}/execute");
    ann(&world).post(&manual, json!({})).await.expect_problem(409, "conflict");
    let other = super::incident(&world, json!({})).await;
    bob(&world).post(&path, json!({"incidentId": other})).await.expect(202);
    bob(&world).post(&path, json!({})).await.expect(202);
}

#[rstest]
#[tokio::test]
async fn a_run_that_resolved_the_incident_lets_it_count_anew(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let (runbook, incident) = (stored(&world, runbook(&world)).await, incident(&world, json!({})).await);
    assert_eq!(run(&world, &runbook, &incident).await.1, "ineffective");
    world.receiver.will_at("/health", [200, 204].map(Reply::Status));
    assert_eq!(run(&world, &runbook, &incident).await.1, "resolved");
    assert_eq!(run(&world, &runbook, &incident).await.1, "ineffective");
    assert_eq!(run(&world, &runbook, &incident).await.1, "ineffective");
    let path = format!("/api/runbooks/{runbook}/execute");
    let refused = bob(&world).post(&path, json!({"incidentId": incident})).await;
    refused.expect_problem(409, "conflict");
}

#[rstest]
#[tokio::test]
async fn what_was_accepted_before_is_refused_when_its_turn_comes(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let (runbook, incident) = (stored(&world, runbook(&world)).await, incident(&world, json!({})).await);
    let mut executions = Vec::new();
    for _ in 0..3 {
        executions.push(executed(&world, &runbook, json!({"incidentId": incident})).await);
    }
    world.drain().await;
    assert_eq!(called(&world).iter().filter(|path| *path == "first").count(), 2);
    let mut refused = Vec::new();
    for execution in &executions {
        let ended = read(&world, execution).await;
        if ended["status"] == "FAILED" {
            refused.push(ended);
        }
    }
    let [refused] = refused.try_into().expect("one of three");
    assert!(text(&refused["error"]).contains("limits.ineffectiveRuns is 2"), "{refused}");
    let gave_up = refused["trail"].as_array().unwrap().iter().any(|entry| entry["event"] == "gaveUp");
    assert!(gave_up && refused["steps"] == json!([]), "{refused}");
}
