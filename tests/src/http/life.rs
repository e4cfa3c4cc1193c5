//! The whole life of a runbook, as its people see it.

use crate::support::world::Engine;
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::support::receiver::Reply;

#[rstest]
#[tokio::test]
async fn a_runbook_lives_from_draft_to_deletion(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let id = is_created(&world).await;
    runs_only_when_approved(&world, &id).await;
    is_approved_by_another_person(&world, &id).await;
    delivers_what_its_template_says(&world, &id).await;
    stays_runnable_while_it_is_edited(&world, &id).await;
    goes_back_to_an_old_version(&world, &id).await;
    is_taken_out_of_use(&world, &id).await;
    is_deleted_and_leaves_its_history(&world, &id).await;
}

async fn is_created(world: &World) -> String {
    let new = definition(world, template());
    let answer = ann(world).post("/api/runbooks", new).await;
    let (etag, location) = (answer.header("etag").to_owned(), answer.header("location").to_owned());
    let runbook = answer.expect(201);
    let id = text(&runbook["id"]);
    assert_eq!((location, etag), (format!("/api/runbooks/{id}"), "\"1\"".to_owned()));
    for (member, value) in [
        ("version", json!(1)),
        ("approvalStatus", json!("DRAFT")),
        ("author", json!("ann")),
        ("createdBy", json!("ann")),
        ("createdAt", json!("2026-03-01T12:00:00.000Z")),
        ("teamId", json!("ops")),
        ("webhookMethod", json!("POST")),
        ("timeoutSeconds", json!(20)),
        ("payloadTemplate", template()["payloadTemplate"].clone()),
    ] {
        assert_eq!(runbook[member], value, "{member}");
    }
    assert!(runbook.get("approvedVersion").is_none());
    id
}

fn template() -> Value {
    json!({
        "parameters": {
            "type": "object",
            "properties": {"service": {"type": "string"}, "force": {"type": "boolean", "default": false}},
            "required": ["service"],
        },
        "payloadTemplate": {"service": "{{params.service}}", "force": "{{params.force}}", "why": "{{incident.title}}"},
    })
}

async fn runs_only_when_approved(world: &World, id: &str) {
    let answer = ann(world).post(&format!("/api/runbooks/{id}/execute"), json!({})).await;
    let problem = answer.expect_problem(400, "not-approved");
    assert_eq!(problem["detail"], "Only APPROVED runbooks can be executed");
    assert_eq!(problem["currentStatus"], "DRAFT");
}

async fn is_approved_by_another_person(world: &World, id: &str) {
    let path = format!("/api/runbooks/{id}/approve");
    let own_work = world.client("ann", &["platform-admin"]).post(&path, json!({})).await;
    own_work.expect_problem(403, "forbidden");
    let unseen = json!({"version": 1, "digest": "0".repeat(64)});
    bob(world).post(&path, unseen).await.expect_problem(409, "conflict");
    let runbook = ann(world).get(&format!("/api/runbooks/{id}")).await.expect(200);
    let seen = json!({"version": 1, "digest": runbook["digest"]});
    let approved = bob(world).post(&path, seen).await.expect(200);
    assert_eq!((&approved["approvalStatus"], &approved["approvedVersion"]), (&json!("APPROVED"), &json!(1)));
    let problem = bob(world).post(&path, json!({})).await.expect_problem(400, "wrong-lifecycle");
    assert_eq!(problem["currentStatus"], "APPROVED");
}

async fn delivers_what_its_template_says(world: &World, id: &str) {
    let incident = incident(world, json!({})).await;
    let answered = Reply::Whole(200, &[("content-type", "application/json")], "{\"restarted\":true}".into());
    world.receiver.will([Reply::Status(503), answered]);
    let request = json!({"incidentId": incident, "parameters": {"service": "checkout"}});
    let answer = ann(world).post(&format!("/api/runbooks/{id}/execute"), request).await;
    let location = answer.header("location").to_owned();
    let accepted = answer.expect(202);
    assert_eq!(accepted["execution"]["status"], "PENDING");
    assert_eq!(location, format!("/api/executions/{}", text(&accepted["execution"]["id"])));
    assert_eq!(ann(world).get(&location).await.expect(200)["status"], "PENDING");
    world.drain().await;
    let received = world.receiver.received();
    assert_eq!((received[0].method.as_str(), received[0].uri.path()), ("POST", "/restart"));
    let body: Value = serde_json::from_str(&received[0].body).unwrap();
    assert_eq!(body, json!({"service": "checkout", "force": "false", "why": "Checkout is slow"}));
    shows_what_happened(&ann(world).get(&location).await.expect(200), &incident);
}

fn shows_what_happened(execution: &Value, incident: &str) {
    for (pointer, value) in [
        ("/status", json!("SUCCESS")),
        ("/requestedBy", json!("ann")),
        ("/runbook/version", json!(1)),
        ("/parameters", json!({"service": "checkout", "force": false})),
        ("/responseStatus", json!(200)),
        ("/responseBody", json!("{\"restarted\":true}")),
        ("/incident/id", json!(incident)),
        ("/incident/status", json!("OPEN")),
        ("/incident/priority", json!("HIGH")),
        ("/steps/0/id", json!("webhook")),
        ("/steps/0/status", json!("SUCCEEDED")),
        ("/steps/0/attempts/0/number", json!(1)),
        ("/steps/0/attempts/0/outcome", json!("answered")),
        ("/steps/0/attempts/0/statusCode", json!(503)),
        ("/steps/0/attempts/1/number", json!(2)),
        ("/steps/0/attempts/1/statusCode", json!(200)),
        ("/startedAt", json!("2026-03-01T12:00:00.000Z")),
        ("/trail/0/event", json!("accepted")),
        ("/trail/0/by", json!("ann")),
    ] {
        assert_eq!(execution.pointer(pointer), Some(&value), "{pointer} of {execution:#}");
    }
    let waited = execution["durationMs"].as_u64().unwrap();
    assert!((1_000..2_000).contains(&waited), "the pause before the second attempt: {waited}");
    let last = execution["trail"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["event"], &last["status"]), (&json!("ended"), &json!("SUCCESS")));
}

async fn stays_runnable_while_it_is_edited(world: &World, id: &str) {
    let path = format!("/api/runbooks/{id}");
    let change = with(template(), json!({"name": "Restart gently", "changeNote": "gently"}));
    let edited = ann(world).put(&path, definition(world, change)).await.expect(200);
    for (member, value) in [
        ("version", json!(2)),
        ("approvalStatus", json!("DRAFT")),
        ("approvedVersion", json!(1)),
        ("name", json!("Restart gently")),
    ] {
        assert_eq!(edited[member], value, "{member}");
    }
    let execution = executed(world, id, json!({"parameters": {"service": "a"}})).await;
    let pinned = ann(world).get(&format!("/api/executions/{execution}")).await.expect(200)["runbook"].clone();
    assert_eq!((&pinned["version"], &pinned["name"]), (&json!(1), &json!("Restart a service")));
    world.drain().await;
    let diff = ann(world).get(&format!("{path}/versions/1/diff/2")).await.expect(200);
    let change = json!({"pointer": "/name", "before": "Restart a service", "after": "Restart gently"});
    assert_eq!(diff, json!({"before": 1, "after": 2, "changes": [change]}));
}

async fn goes_back_to_an_old_version(world: &World, id: &str) {
    let path = format!("/api/runbooks/{id}/rollback");
    ann(world).post(&path, json!({"toVersion": 9})).await.expect_problem(404, "not-found");
    let back = ann(world).post(&path, json!({"toVersion": 1})).await.expect(200);
    assert_eq!((&back["version"], &back["approvalStatus"]), (&json!(3), &json!("DRAFT")));
    assert_eq!(back["name"], "Restart a service");
    let versions = ann(world).get(&format!("/api/runbooks/{id}/versions")).await.expect(200);
    let seen: Vec<Value> = versions["items"].as_array().unwrap().iter().map(version_in_short).collect();
    let third = json!([3, "DRAFT", "Rollback to version 1", 1]);
    assert_eq!(seen, [third, json!([2, "DRAFT", "gently", null]), json!([1, "APPROVED", null, null])]);
}

fn version_in_short(version: &Value) -> Value {
    json!([version["version"], version["approvalStatus"], version["changeNote"], version["rolledBackFrom"]])
}

async fn is_taken_out_of_use(world: &World, id: &str) {
    let path = format!("/api/runbooks/{id}/deprecate");
    let deprecated = bob(world).post(&path, json!({"reason": "moved to the new cluster"})).await.expect(200);
    assert!(deprecated.get("approvedVersion").is_none(), "{deprecated}");
    let version = ann(world).get(&format!("/api/runbooks/{id}/versions/1")).await.expect(200);
    assert_eq!(version["approvalStatus"], "DEPRECATED");
    assert_eq!(version["approval"]["by"], "bob");
    assert_eq!(version["deprecation"]["reason"], "moved to the new cluster");
    assert_eq!(version["definition"]["name"], "Restart a service");
    let request = json!({"version": 1, "parameters": {"service": "a"}});
    let answer = ann(world).post(&format!("/api/runbooks/{id}/execute"), request).await;
    assert_eq!(answer.expect_problem(400, "not-approved")["currentStatus"], "DEPRECATED");
    let again = bob(world).post(&path, json!({"version": 1})).await;
    assert_eq!(again.expect_problem(400, "wrong-lifecycle")["currentStatus"], "DEPRECATED");
}

async fn is_deleted_and_leaves_its_history(world: &World, id: &str) {
    let path = format!("/api/runbooks/{id}");
    assert_eq!(ann(world).delete(&path).await.status, 204);
    ann(world).get(&path).await.expect_problem(404, "not-found");
    ann(world).delete(&path).await.expect_problem(404, "not-found");
    let list = ann(world).get("/api/runbooks").await.expect(200);
    assert_eq!(list, json!({"items": []}));
    assert_eq!(
        ann(world).get(&format!("{path}/versions")).await.expect(200)["items"].as_array().unwrap().len(),
        3
    );
    let executions = ann(world).get(&format!("{path}/executions")).await.expect(200);
    assert_eq!(executions["items"].as_array().unwrap().len(), 2);
}
