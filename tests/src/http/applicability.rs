//! Which approved runbooks fit an incident: by their rules first, then by their history.

use rstest::rstest;

use super::phases::{look, stored};
use super::*;
use crate::support::receiver::Reply;
use crate::support::world::Engine;

const HIGH: &str = "incident.priority == \"HIGH\"";
const LOW: &str = "incident.priority == \"LOW\"";
/// Of an incident without a service, nobody can tell.
const SERVICE: &str = "incident.metadata.service == \"api\"";

/// A runbook that looks once.
fn runbook(world: &World, name: &str, rules: &[(&str, u32)]) -> Value {
    let entry = |(when, weight): &(&str, u32)| json!({"when": when, "weight": weight, "reason": format!("if {when}")});
    let entries: Vec<Value> = rules.iter().map(entry).collect();
    let phases = json!([{"id": "look", "name": "Look", "steps": [look(world, "first")]}]);
    json!({"name": name, "teamId": "ops", "applicability": entries, "phases": phases})
}

async fn approved_by_bob(world: &World, definition: Value) -> String {
    let created = world.client("ann", &["platform-admin"]).post("/api/runbooks", definition).await;
    let id = text(&created.expect(201)["id"]);
    bob(world).post(&format!("/api/runbooks/{id}/approve"), json!({})).await.expect(200);
    id
}

async fn ranking(world: &World, incident: &str, query: &str) -> Value {
    ann(world).get(&format!("/api/incidents/{incident}/runbooks{query}")).await.expect(200)
}

/// Names and confidences, in order.
fn ranks(ranking: &Value) -> Vec<(String, u64)> {
    let items = ranking["items"].as_array().unwrap().iter();
    items.map(|item| (text(&item["name"]), item["confidence"].as_u64().unwrap())).collect()
}

#[rstest]
#[tokio::test]
async fn what_fits_is_ranked_with_its_reasons_and_nothing_else_is_listed(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let half = runbook(&world, "Half", &[(HIGH, 50), (SERVICE, 50)]);
    let half = stored(&world, half).await;
    let global = with(runbook(&world, "Global", &[(HIGH, 30), (LOW, 10)]), json!({"teamId": null}));
    approved_by_bob(&world, global).await;
    for name in ["B", "A"] {
        stored(&world, runbook(&world, name, &[(HIGH, 1)])).await;
    }
    stored(&world, runbook(&world, "Of another priority", &[(LOW, 100)])).await;
    stored(&world, runbook(&world, "Without rules", &[])).await;
    approved(&world, json!({"name": "Of one call"})).await;
    let other = with(runbook(&world, "Of another team", &[(HIGH, 100)]), json!({"teamId": "db"}));
    approved_by_bob(&world, other).await;
    let draft = runbook(&world, "Draft", &[(HIGH, 100)]);
    ann(&world).post("/api/runbooks", draft).await.expect(201);
    let incident = incident(&world, json!({})).await;
    let seen = ranking(&world, &incident, "").await;
    let expected = [("A", 100), ("B", 100), ("Global", 75), ("Half", 50)];
    assert_eq!(ranks(&seen), expected.map(|(name, confidence)| (name.to_owned(), confidence)));
    assert_eq!((&seen["considered"], &seen["cut"]), (&json!(7), &json!(false)));
    let last = &seen["items"][3];
    assert_eq!(
        (&last["runbookId"], &last["version"], &last["teamId"]),
        (&json!(half), &json!(1), &json!("ops"))
    );
    assert_eq!(last["reasons"], json!([{"from": "rule", "reason": format!("if {HIGH}"), "points": 50}]));
    assert!(text(&last["unjudged"][0]["why"]).contains("service"), "{last}");
    assert_eq!(ranks(&ranking(&world, &incident, "?limit=1").await), ranks(&seen)[..1]);
    let path = format!("/api/incidents/{incident}/runbooks?limit=101");
    ann(&world).get(&path).await.expect_problem(400, "invalid");
}

#[rstest]
#[tokio::test]
async fn the_newest_approved_version_says_what_fits(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = stored(&world, runbook(&world, "First", &[(HIGH, 1)])).await;
    let incident = incident(&world, json!({})).await;
    let path = format!("/api/runbooks/{id}");
    ann(&world).put(&path, runbook(&world, "Second", &[(LOW, 1)])).await.expect(200);
    assert_eq!(ranks(&ranking(&world, &incident, "").await), [("First".to_owned(), 100)]);
    bob(&world).post(&format!("{path}/approve"), json!({})).await.expect(200);
    assert!(ranks(&ranking(&world, &incident, "").await).is_empty());
}

#[rstest]
#[tokio::test]
async fn five_runs_move_the_confidence_and_four_do_not(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let bad = stored(&world, runbook(&world, "A", &[(HIGH, 60), (LOW, 40)])).await;
    let good = stored(&world, runbook(&world, "B", &[(HIGH, 60), (LOW, 40)])).await;
    let incident = incident(&world, json!({})).await;
    for round in 1..=5 {
        for (runbook, status) in [(&bad, 404), (&good, 200)] {
            world.receiver.will([Reply::Status(status)]);
            executed(&world, runbook, json!({})).await;
            world.drain().await;
        }
        let seen = ranks(&ranking(&world, &incident, "").await);
        let expected = if round < 5 { [("A", 60), ("B", 60)] } else { [("B", 70), ("A", 50)] };
        assert_eq!(seen, expected.map(|(name, confidence)| (name.to_owned(), confidence)), "round {round}");
    }
    let seen = ranking(&world, &incident, "").await;
    let told = json!({"from": "history", "reason": "5 of the last 5 runs helped", "points": 10});
    assert_eq!(seen["items"][0]["reasons"][1], told);
}

#[tokio::test]
async fn what_is_considered_is_bounded_and_that_is_told() {
    let world = World::sqlite().await;
    let incident = incident(&world, json!({})).await;
    stored(&world, runbook(&world, "Oldest", &[(HIGH, 1)])).await;
    world.clock.advance(std::time::Duration::from_secs(1));
    for _ in 0..500 {
        ann(&world).post("/api/runbooks", definition(&world, json!({}))).await.expect(201);
    }
    let seen = ranking(&world, &incident, "").await;
    assert_eq!((&seen["cut"], ranks(&seen).len()), (&json!(true), 0));
}
