//! Those whom a runbook names hear of its troubles, whoever started it: once for each, and never in the way of the run.

use std::time::Duration;

use muster_app::job::Job;
use rstest::rstest;

use super::phases::{act, look, read, stored};
use super::*;
use crate::engine::notifications::set_up;
use crate::support::receiver::{Received, Reply};
use crate::support::world::Engine;

async fn world_on(engine: Engine) -> World {
    let world = World::on(engine).await;
    set_up(&world, json!({"people": {"gus": {"email": "gus@example.com"}}})).await;
    world
}

/// Tells admins of ops, and gus, of these troubles; looks, acts, and looks whether that helped.
fn runbook(world: &World, on: &[&str]) -> Value {
    let probe = json!({"url": world.receiver.url("/health"), "expect": "response.statusCode == 204"});
    json!({
        "name": "Look and act", "teamId": "ops", "rollback": {"onFailure": true},
        "escalation": [{"on": on, "to": ["team:ops:admin", "user:gus"]}],
        "phases": [
            {"id": "look", "name": "Look", "steps": [look(world, "first")]},
            {"id": "act", "name": "Act", "steps": [act(world, "cordon")]},
        ],
        "verification": {"probe": probe},
    })
}

const ALL: [&str; 4] = ["failed", "undoFailed", "needsReview", "ineffective"];

/// Accepted, and not begun.
async fn accepted(world: &World, on: &[&str]) -> String {
    let runbook = stored(world, runbook(world, on)).await;
    executed(world, &runbook, json!({})).await
}

fn messages(world: &World) -> Vec<Received> {
    let received = world.receiver.received().into_iter();
    received.filter(|one| ["/teams", "/notify"].contains(&one.uri.path())).collect()
}

/// What the mail to gus was about, one after the other.
fn subjects(world: &World) -> Vec<String> {
    let mails = messages(world).into_iter().filter(|one| one.uri.path() == "/notify");
    let bodies = mails.map(|one| serde_json::from_str::<Value>(&one.body).unwrap());
    bodies.map(|body| text(&body["subject"])).collect()
}

/// Each of the two heard of as many troubles, and after hours of sweeping no more.
async fn check(world: &World, execution: &str, status: &str, expected: &[&str]) {
    assert_eq!(read(world, execution).await["status"], status);
    assert_eq!(subjects(world), expected, "{status}");
    assert_eq!(messages(world).len(), expected.len() * 2, "the channel hears as much");
    let job = Job::Run { execution: execution.parse().unwrap() };
    world.handle(&job).await.unwrap();
    for _ in 0..3 {
        world.clock.advance(Duration::from_secs(3_600));
        world.app.sweep().await.unwrap();
        world.drain().await;
    }
    assert_eq!(messages(world).len(), expected.len() * 2, "nothing more is sent");
    let owed = ann(world).get(&format!("/api/executions/{execution}/notifications")).await.expect(200);
    assert_eq!(owed["items"].as_array().unwrap().len(), expected.len(), "{owed}");
}

#[rstest]
#[tokio::test]
async fn a_run_that_failed_is_told_once_with_what_went_wrong(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = world_on(engine).await;
    let execution = accepted(&world, &ALL).await;
    world.receiver.will_at("/cordon", [Reply::Status(404)]);
    world.drain().await;
    let mail = messages(&world).into_iter().find(|one| one.uri.path() == "/notify").unwrap();
    let body: Value = serde_json::from_str(&mail.body).unwrap();
    assert_eq!((&body["troubles"], &body["execution"]["step"]), (&json!(["failed"]), &json!("cordon")));
    assert!(text(&body["text"]).contains("the receiver answered 404"), "{body}");
    check(&world, &execution, "ROLLED_BACK", &["Runbook Look and act was rolled back"]).await;
}

#[rstest]
#[tokio::test]
async fn each_undo_that_fails_is_a_trouble_of_its_own(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = world_on(engine).await;
    let execution = accepted(&world, &["undoFailed"]).await;
    world.receiver.will_at("/cordon", [Reply::Status(404)]);
    world.receiver.will_at("/uncordon", [404, 404].map(Reply::Status));
    world.drain().await;
    let retry = json!({"decision": "retry", "reason": "the API is back"});
    ann(&world).post(&format!("/api/executions/{execution}/undo"), retry).await.expect(200);
    world.drain().await;
    let told = "Runbook Look and act could not take back what it did";
    check(&world, &execution, "UNDO_FAILED", &[told, told]).await;
}

#[rstest]
#[tokio::test]
async fn an_outcome_that_nobody_knows_is_told(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = world_on(engine).await;
    let once = with(look(&world, "once"), json!({"idempotent": false}));
    let phases = json!([{"id": "look", "name": "Look", "steps": [once]}]);
    let definition = with(runbook(&world, &ALL), json!({"phases": phases, "verification": null}));
    let runbook = stored(&world, definition).await;
    let execution = executed(&world, &runbook, json!({})).await;
    world.receiver.will_at("/once", [Reply::Status(500)]);
    world.drain().await;
    let told = "Runbook Look and act waits for a person's decision";
    check(&world, &execution, "NEEDS_REVIEW", &[told]).await;
}

#[rstest]
#[tokio::test]
async fn a_run_that_did_not_help_is_told_and_one_that_did_is_not(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = world_on(engine).await;
    let execution = accepted(&world, &ALL).await;
    world.drain().await;
    check(&world, &execution, "SUCCESS", &["Runbook Look and act did not help"]).await;
    let world = world_on(engine).await;
    let execution = accepted(&world, &ALL).await;
    world.receiver.will_at("/health", [200, 204].map(Reply::Status));
    world.drain().await;
    check(&world, &execution, "SUCCESS", &[]).await;
}

#[rstest]
#[tokio::test]
async fn a_run_that_is_given_up_when_its_turn_comes_is_told(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = world_on(engine).await;
    let definition = with(runbook(&world, &["ineffective"]), json!({"limits": {"ineffectiveRuns": 1}}));
    let (runbook, incident) = (stored(&world, definition).await, incident(&world, json!({})).await);
    for _ in 0..2 {
        executed(&world, &runbook, json!({"incidentId": incident})).await;
    }
    world.drain().await;
    let mut told = subjects(&world);
    told.sort();
    assert_eq!(told, ["Runbook Look and act did not help", "Runbook Look and act failed"]);
}

#[rstest]
#[tokio::test]
async fn what_a_person_stopped_and_what_nobody_asked_to_hear_of_is_not_told(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = world_on(engine).await;
    let execution = accepted(&world, &ALL).await;
    let because = json!({"reason": "a drill"});
    ann(&world).post(&format!("/api/executions/{execution}/abort"), because).await.expect(200);
    world.drain().await;
    check(&world, &execution, "CANCELLED", &[]).await;
    let execution = accepted(&world, &["needsReview"]).await;
    world.receiver.will_at("/cordon", [Reply::Status(404)]);
    world.drain().await;
    check(&world, &execution, "ROLLED_BACK", &[]).await;
}

#[rstest]
#[tokio::test]
async fn inv_a2_a_trouble_is_told_even_if_every_nudge_is_lost_and_given_up_after_five_tries(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = world_on(engine).await;
    let execution = accepted(&world, &ALL).await;
    world.receiver.will_at("/cordon", [Reply::Status(404)]);
    world.receiver.will_at("/notify", [500; 9].map(Reply::Status));
    world.drain_without_nudges(&execution).await;
    assert!(messages(&world).is_empty());
    for _ in 0..20 {
        world.clock.advance(Duration::from_secs(60));
        world.app.sweep().await.unwrap();
        world.drain().await;
    }
    let tried = messages(&world).iter().filter(|one| one.uri.path() == "/notify").count();
    assert_eq!((tried, messages(&world).len()), (5, 6));
    let owed = ann(&world).get(&format!("/api/executions/{execution}/notifications")).await.expect(200);
    let states: Vec<&Value> =
        owed["items"][0]["recipients"].as_array().unwrap().iter().map(|one| &one["state"]).collect();
    assert_eq!(states, ["DELIVERED", "ABANDONED"]);
}

impl World {
    /// The run comes to its end, and nobody is told to look at what it owes.
    async fn drain_without_nudges(&self, execution: &str) {
        self.queue.goes_down();
        let job = Job::Run { execution: execution.parse().unwrap() };
        self.handle(&job).await.unwrap();
        self.queue.comes_back();
    }
}
