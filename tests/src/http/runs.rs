//! Executions of workflows through the API: listed, cancelled, and joined to the runbooks that they start.

use std::time::Duration;

use rstest::rstest;

use super::*;
use crate::support::world::Engine;

/// A workflow of these nodes, one after the other, that a person runs; its path.
async fn by_hand(world: &World, nodes: &[Value]) -> String {
    let start = json!({"type": "trigger", "id": "start"});
    let all: Vec<&Value> = std::iter::once(&start).chain(nodes).collect();
    let edges: Vec<Value> =
        all.windows(2).map(|pair| json!({"from": pair[0]["id"], "to": pair[1]["id"]})).collect();
    let change = json!({"trigger": {"type": "manual"}, "definition": {"nodes": all, "edges": edges}});
    let definition = workflows::definition(world, change);
    let created = bob(world).post("/api/workflows", definition).await.expect(201);
    format!("/api/workflows/{}", text(&created["id"]))
}

async fn run(world: &World, workflow: &str, request: Value) -> String {
    world.clock.advance(Duration::from_secs(1));
    let answer = ann(world).post(&format!("{workflow}/run"), request).await;
    text(&answer.expect(202)["execution"]["id"])
}

fn call(world: &World) -> Value {
    json!({"type": "action", "id": "call", "action": {"type": "webhook", "url": world.receiver.url("/call")}})
}

#[rstest]
#[tokio::test]
async fn executions_of_a_workflow_are_listed_page_by_page_newest_first(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let workflow = by_hand(&world, &[call(&world)]).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.insert(0, run(&world, &workflow, json!({})).await);
    }
    let names = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|item| text(&item["id"])).collect()
    };
    let first = ann(&world).get(&format!("{workflow}/executions?limit=2")).await.expect(200);
    let cursor = text(&first["nextCursor"]);
    let rest = ann(&world).get(&format!("{workflow}/executions?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!([names(&first), names(&rest)].concat(), ids);
    assert_eq!(rest.get("nextCursor"), None);
    assert!(first["items"][0].get("trail").is_none(), "{first}");
}

#[rstest]
#[tokio::test]
async fn an_execution_of_a_workflow_is_cancelled_and_what_has_ended_says_so_in_its_own_words(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let pause = json!({"type": "delay", "id": "pause", "seconds": 100});
    let workflow = by_hand(&world, &[pause, call(&world)]).await;
    let waits = run(&world, &workflow, json!({})).await;
    world.drain_due().await;
    let path = format!("/api/executions/{waits}");
    let cancel =
        async |path: &str| ann(&world).post(&format!("{path}/cancel"), json!({"reason": "enough"})).await;
    let cancelled = cancel(&path).await.expect(200);
    assert_eq!((&cancelled["status"], &cancelled["stop"]["reason"]), (&json!("CANCELLED"), &json!("enough")));
    assert_eq!(cancel(&path).await.expect(200)["status"], "CANCELLED", "done already");
    world.drain().await;
    assert!(world.receiver.received().is_empty());

    let ended = format!("/api/executions/{}", run(&world, &workflow, json!({})).await);
    world.drain().await;
    let problem = cancel(&ended).await.expect_problem(409, "wrong-status");
    assert_eq!(problem["currentStatus"], "COMPLETED");
    assert_eq!(problem["detail"], "the execution cannot be changed so: it is COMPLETED");
    let resolve = json!({"outcome": "happened", "reason": "seen"});
    let problem =
        ann(&world).post(&format!("{ended}/resolve"), resolve).await.expect_problem(409, "wrong-status");
    assert_eq!(problem["currentStatus"], "COMPLETED");

    let runbook = approved(&world, json!({})).await;
    let of_runbook = executed(&world, &runbook, json!({})).await;
    world.drain().await;
    let problem = cancel(&format!("/api/executions/{of_runbook}")).await.expect_problem(409, "wrong-status");
    assert_eq!(problem["currentStatus"], "SUCCESS", "a runbook has other words");
}

#[rstest]
#[tokio::test]
async fn a_workflow_and_the_runbook_it_starts_name_each_other(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let action = json!({"type": "runbook", "runbookId": runbook, "wait": true});
    let workflow = by_hand(&world, &[json!({"type": "action", "id": "restart", "action": action})]).await;
    let incident = incident(&world, json!({})).await;
    let parent = run(&world, &workflow, json!({"incidentId": incident})).await;
    world.drain().await;
    let shown = ann(&world).get(&format!("/api/executions/{parent}")).await.expect(200);
    let child = text(&shown["steps"][0]["executionId"]);
    assert_eq!((&shown["status"], shown.get("workflowExecutionId")), (&json!("COMPLETED"), None));
    let started = ann(&world).get(&format!("/api/executions/{child}")).await.expect(200);
    for (pointer, expected) in [
        ("/workflowExecutionId", json!(parent)),
        ("/runbook/id", json!(runbook)),
        ("/incident/id", json!(incident)),
        ("/status", json!("SUCCESS")),
    ] {
        assert_eq!(started.pointer(pointer), Some(&expected), "{pointer}");
    }
    let of_incident = format!("/api/incidents/{incident}/runbooks/executions");
    let listed = ann(&world).get(&of_incident).await.expect(200);
    let items = listed["items"].as_array().unwrap();
    let found = items.iter().find(|item| item["id"] == json!(child)).unwrap();
    assert_eq!(found["workflowExecutionId"], json!(parent));
}
