//! Those who are asked hear of it, by the ways of their teams.

use rstest::rstest;
use serde_json::json;

use super::*;
use crate::engine::notifications::set_up;

/// Asks a team and bo; after two minutes gus as well.
fn asking() -> Value {
    json!({
        "levels": [{"of": ["team:ops:responder", "user:bo"]}],
        "escalation": [{"afterSeconds": 120, "to": ["user:gus"]}],
        "expiresInSeconds": 600,
    })
}

async fn gated(engine: Engine) -> Gated {
    let world = World::on(engine).await;
    let people = json!({"bo": {"email": "bo@example.com"}, "gus": {"email": "gus@example.com"}});
    set_up(&world, json!({"people": people})).await;
    let definition = runbook(&world, &asking());
    Gated::running(world, definition).await
}

/// Where messages arrived, and what they say.
fn messages(gated: &Gated) -> Vec<(String, String)> {
    let received = gated.world.receiver.received().into_iter();
    let told = received.filter(|one| ["/teams", "/notify"].contains(&one.uri.path()));
    let mut told: Vec<(String, String)> = told
        .map(|one| {
            let body: Value = serde_json::from_str(&one.body).unwrap();
            let to = body["to"].as_str().map_or(String::new(), |to| format!(" {to}"));
            (format!("{}{to}", one.uri.path()), one.body)
        })
        .collect();
    told.sort();
    told
}

fn places(gated: &Gated) -> Vec<String> {
    messages(gated).into_iter().map(|(place, _)| place).collect()
}

#[rstest]
#[tokio::test]
async fn those_who_are_asked_are_told_and_so_is_each_escalation(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = gated(engine).await;
    assert_eq!(places(&gated), ["/notify bo@example.com", "/teams"]);
    let asked = gated.asked("ask").await;
    let digest = text(&asked["digest"]);
    let command = format!("muster execution approve {} ask --digest {digest}", gated.execution);
    for (place, body) in messages(&gated) {
        for words in ["waits for a decision: ask", "1 of team:ops:responder or user:bo", &command] {
            assert!(body.contains(words), "{place}: {words}: {body}");
        }
    }
    gated.passes(180).await;
    assert_eq!(places(&gated), ["/notify bo@example.com", "/notify gus@example.com", "/teams", "/teams"]);
    let path = format!("/api/executions/{}/notifications", gated.execution);
    let owed = bob(&gated.world).get(&path).await.expect(200);
    let owed = owed["items"].as_array().unwrap().clone();
    assert_eq!(owed.len(), 2);
    assert!(owed.iter().all(|one| one["status"] == "WAITING" && one["teamId"] == "ops"), "{owed:?}");
}

#[rstest]
#[tokio::test]
async fn inv_a2_those_who_are_asked_are_told_even_if_every_nudge_is_lost(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    set_up(&world, json!({"people": {"bo": {"email": "bo@example.com"}}})).await;
    let definition = runbook(&world, &asking());
    let ann = world.client("ann", &["team:ops:admin"]);
    let id = text(&ann.post("/api/runbooks", definition).await.expect(201)["id"]);
    bob(&world).post(&format!("/api/runbooks/{id}/approve"), json!({})).await.expect(200);
    world.queue.goes_down();
    let path = format!("/api/runbooks/{id}/execute");
    let accepted = bob(&world).post(&path, json!({})).await.expect(202);
    let execution = text(&accepted["execution"]["id"]);
    let gated = Gated { world, execution };
    let job = muster_app::job::Job::Run { execution: gated.id() };
    gated.world.handle(&job).await.unwrap();
    assert!(places(&gated).is_empty());
    gated.world.queue.comes_back();
    gated.passes(120).await;
    assert_eq!(places(&gated)[0], "/notify bo@example.com");
}
