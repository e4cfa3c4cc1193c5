//! The life of an incident, as its people see it.

use rstest::rstest;

use super::*;
use crate::support::world::Engine;

fn path(id: &str) -> String {
    format!("/api/incidents/{id}")
}

#[rstest]
#[tokio::test]
async fn an_incident_lives_from_opening_to_closing(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let id = is_opened(&world).await;
    is_acknowledged(&world, &id).await;
    is_escalated(&world, &id).await;
    is_resolved_and_reopened(&world, &id).await;
    is_closed_for_good(&world, &id).await;
    leaves_its_events(&world, &id).await;
}

async fn is_opened(world: &World) -> String {
    let new = json!({"title": "Checkout is slow", "priority": "HIGH", "teamId": "ops", "metadata": {"service": "checkout", "zone": "a"}});
    let answer = ann(world).post("/api/incidents", new).await;
    assert_eq!(answer.header("etag"), "\"1\"");
    let opened = answer.expect(201);
    for (member, expected) in [
        ("status", json!("OPEN")),
        ("createdBy", json!("ann")),
        ("updatedAt", opened["createdAt"].clone()),
        ("escalation", json!(0)),
        ("history", json!([])),
    ] {
        assert_eq!(opened[member], expected, "{member}");
    }
    assert!(opened.get("source").is_none() && opened.get("resolvedAt").is_none(), "{opened}");
    text(&opened["id"])
}

async fn is_acknowledged(world: &World, id: &str) {
    world.clock.advance(std::time::Duration::from_secs(60));
    let patch =
        json!({"status": "ACKNOWLEDGED", "assignee": "ann", "metadata": {"zone": null}, "reason": "on it"});
    let answer = ann(world).patch(&path(id), patch.clone()).await;
    assert_eq!(answer.header("etag"), "\"2\"");
    let changed = answer.expect(200);
    assert_eq!(changed["metadata"], json!({"service": "checkout"}));
    assert_eq!(changed["updatedAt"], "2026-03-01T12:01:00.000Z");
    let entry = json!({
        "at": "2026-03-01T12:01:00.000Z",
        "by": {"type": "person", "user": "ann"},
        "reason": "on it",
        "status": {"from": "OPEN", "to": "ACKNOWLEDGED"},
        "assignee": {"to": "ann"},
        "fields": ["metadata"],
    });
    assert_eq!(changed["history"], json!([entry]));
    let again = ann(world).patch(&path(id), patch).await;
    assert_eq!(again.header("etag"), "\"2\"", "done already");
    assert_eq!(again.expect(200), changed);
}

async fn is_escalated(world: &World, id: &str) {
    let escalate = format!("{}/escalate", path(id));
    let keyed = ann(world).with("idempotency-key", "once");
    let first = keyed.post(&escalate, json!({"reason": "no progress"})).await.expect(200);
    assert_eq!(first["escalation"], 1);
    assert_eq!(keyed.post(&escalate, json!({"reason": "no progress"})).await.expect(200), first);
    assert_eq!(ann(world).post(&escalate, json!({})).await.expect(200)["escalation"], 2);
    let stale = ann(world).with("if-match", "\"1\"").post(&escalate, json!({})).await;
    stale.expect_problem(412, "stale");
}

async fn is_resolved_and_reopened(world: &World, id: &str) {
    let resolved = ann(world).patch(&path(id), json!({"status": "RESOLVED"})).await.expect(200);
    assert_eq!(resolved["resolvedAt"], resolved["updatedAt"]);
    let reopened = ann(world).patch(&path(id), json!({"status": "OPEN", "assignee": null})).await.expect(200);
    assert!(reopened.get("resolvedAt").is_none() && reopened.get("assignee").is_none(), "{reopened}");
}

async fn is_closed_for_good(world: &World, id: &str) {
    let closed = ann(world).patch(&path(id), json!({"status": "CLOSED"})).await.expect(200);
    assert_eq!(closed["status"], "CLOSED");
    for change in [json!({"status": "OPEN"}), json!({"priority": "LOW"})] {
        ann(world).patch(&path(id), change).await.expect_problem(409, "conflict");
    }
    ann(world).post(&format!("{}/escalate", path(id)), json!({})).await.expect_problem(409, "conflict");
    ann(world).patch(&path(id), json!({"status": "CLOSED"})).await.expect(200);
    let read = ann(world).get(&path(id)).await;
    assert_eq!(read.header("etag"), "\"7\"");
    assert_eq!(read.expect(200)["history"].as_array().unwrap().len(), 6);
    let list = ann(world).get("/api/incidents").await.expect(200);
    assert!(list["items"][0].get("history").is_none(), "{list}");
}

async fn leaves_its_events(world: &World, id: &str) {
    let events = format!("{}/events", path(id));
    let seen = |body: &Value| -> Vec<Value> {
        let items = body["items"].as_array().unwrap().iter();
        items.map(|event| json!([event["seq"], event["type"], event["delivery"]])).collect()
    };
    let first = ann(world).get(&format!("{events}?limit=2")).await.expect(200);
    assert_eq!(seen(&first), [json!([9, "stateChanged", "OWED"]), json!([8, "updated", "OWED"])]);
    world.drain().await;
    let all = ann(world).get(&events).await.expect(200);
    assert!(seen(&all).iter().all(|event| event[2] == "DELIVERED"), "{all}");
    let third = &all["items"][6];
    assert_eq!((&third["seq"], &third["fields"]), (&json!(3), &json!(["assignee", "metadata"])));
    assert_eq!(third["actor"], json!({"type": "person", "user": "ann"}));
    assert_eq!(world.bus.names().len(), 9);
}

#[rstest]
#[tokio::test]
async fn inv_c7_a_stale_change_of_an_incident_is_refused(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = incident(&world, json!({})).await;
    let seen = ann(&world).get(&path(&id)).await.header("etag").to_owned();
    let current = ann(&world).with("if-match", &seen).patch(&path(&id), json!({"priority": "LOW"})).await;
    let current = current.header("etag").to_owned();
    let stale = ann(&world).with("if-match", &seen).patch(&path(&id), json!({"priority": "CRITICAL"})).await;
    assert_eq!(stale.expect_problem(412, "stale")["currentETag"], current);
    assert_eq!(ann(&world).get(&path(&id)).await.expect(200)["priority"], "LOW");
    assert_eq!(world.queue.len(), 2, "a refused change owes no event");
}

#[rstest]
#[tokio::test]
async fn a_change_that_is_not_valid_names_each_fault(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = incident(&world, json!({"metadata": {"a": "x".repeat(10_000)}})).await;
    for (patch, pointer) in [
        (json!({}), ""),
        (json!({"reason": "nothing"}), ""),
        (json!({"title": ""}), "/title"),
        (json!({"status": "GONE"}), "/status"),
        (json!({"priority": "URGENT"}), "/priority"),
        (json!({"status": "OPEN", "reason": "x".repeat(501)}), "/reason"),
        (json!({"metadata": {"b": "x".repeat(10_000)}}), "/metadata"),
        (json!({"assignee": "a b"}), "/assignee"),
        (json!({"teamId": "web"}), "/teamId"),
        (json!({"escalation": 3}), "/escalation"),
        (json!({"history": []}), "/history"),
    ] {
        let problem = ann(&world).patch(&path(&id), patch.clone()).await.expect_problem(400, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{patch}");
    }
    let missing = path("inc_01J9ZZZZZZZZZZZZZZZZZZZZZZ");
    for answer in [
        ann(&world).patch(&missing, json!({"status": "OPEN"})).await,
        ann(&world).post(&format!("{missing}/escalate"), json!({})).await,
        ann(&world).get(&format!("{missing}/events")).await,
    ] {
        answer.expect_problem(404, "not-found");
    }
}
