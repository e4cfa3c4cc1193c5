//! A person runs a runbook on an incident.

use rstest::rstest;

use super::*;
use crate::support::world::Engine;

const NOBODY: &str = "inc_01J9ZZZZZZZZZZZZZZZZZZZZZZ";
const NOTHING: &str = "rb_01J9ZZZZZZZZZZZZZZZZZZZZZZ";

fn path(incident: &str, runbook: &str) -> String {
    format!("/api/incidents/{incident}/runbooks/{runbook}/execute")
}

fn strict() -> Value {
    let service = json!({"type": "string"});
    json!({"parameters": {"type": "object", "properties": {"service": service}, "required": ["service"]}})
}

fn responder(world: &World) -> Client {
    world.client("rita", &["team:ops:responder"])
}

#[rstest]
#[tokio::test]
async fn a_runbook_runs_on_an_incident_and_both_say_so(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let (incident, runbook) = (incident(&world, json!({})).await, approved(&world, strict()).await);
    let keyed = responder(&world).with("idempotency-key", "once");
    let request = json!({"parameters": {"service": "checkout"}});
    let answer = keyed.post(&path(&incident, &runbook), request.clone()).await;
    let location = answer.header("location").to_owned();
    let execution = answer.expect(201)["execution"].clone();
    let id = text(&execution["id"]);
    let expected = json!({
        "id": id, "runbookId": runbook, "runbookName": "Restart a service", "status": "PENDING", "triggeredBy": "manual",
    });
    assert_eq!(execution, expected);
    assert_eq!(location, format!("/api/executions/{id}"));
    let again = keyed.post(&path(&incident, &runbook), request).await.expect(201);
    assert_eq!(again["execution"], execution);
    world.drain().await;
    shows_in_the_list_of_the_incident(&world, &incident, &id).await;
    is_audited(&world, &incident, &runbook, &id).await;
}

async fn shows_in_the_list_of_the_incident(world: &World, incident: &str, id: &str) {
    let list =
        responder(world).get(&format!("/api/incidents/{incident}/runbooks/executions")).await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    for (pointer, expected) in [
        ("/items/0/id", json!(id)),
        ("/items/0/status", json!("SUCCESS")),
        ("/items/0/runbook/name", json!("Restart a service")),
        ("/items/0/requestedBy", json!("rita")),
        ("/items/0/parameters", json!({"service": "checkout"})),
        ("/items/0/incident/id", json!(incident)),
    ] {
        assert_eq!(list.pointer(pointer), Some(&expected), "{pointer}");
    }
}

async fn is_audited(world: &World, incident: &str, runbook: &str, id: &str) {
    let export = bob(world).get(&format!("/api/audit/{id}")).await.expect(200);
    let entries = export["entries"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["action"] == "runbook.manual_trigger").unwrap();
    assert_eq!(entry["actor"], "rita");
    assert_eq!(entry["detail"], json!({"incident": incident, "runbook": runbook}));
}

#[rstest]
#[tokio::test]
async fn what_cannot_run_on_an_incident_is_refused_with_its_status(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let (ours, theirs) =
        (incident(&world, json!({})).await, incident(&world, json!({"teamId": "web"})).await);
    let good = approved(&world, strict()).await;
    let foreign = approved(&world, json!({"teamId": "web"})).await;
    let global = approved(&world, json!({"teamId": null})).await;
    let draft = draft(&world, json!({})).await;
    let (fits, none) = (json!({"parameters": {"service": "a"}}), json!({}));
    for (incident, runbook, body, status, kind) in [
        (NOBODY, NOTHING, &none, 404, "not-found"),
        (&theirs, NOTHING, &none, 403, "forbidden"),
        (&ours, NOTHING, &none, 404, "not-found"),
        (&ours, &draft, &none, 400, "not-approved"),
        (&ours, &foreign, &none, 403, "forbidden"),
        (&ours, &good, &none, 400, "invalid"),
        (&theirs, &good, &fits, 403, "forbidden"),
    ] {
        let answer = responder(&world).post(&path(incident, runbook), body.clone()).await;
        answer.expect_problem(status, kind);
    }
    let viewer = world.client("vic", &["team:ops:viewer"]);
    viewer.post(&path(&ours, &good), fits.clone()).await.expect_problem(403, "forbidden");
    // A platform admin may respond for every team, and still not mix them.
    bob(&world).post(&path(&theirs, &good), fits).await.expect_problem(403, "forbidden");
    let problem = responder(&world).post(&path(&ours, &good), json!({"parameters": {"service": 7}})).await;
    assert_eq!(problem.expect_problem(400, "invalid")["errors"][0]["pointer"], "/parameters/service");
    responder(&world).post(&path(&ours, &global), none).await.expect(201);
    assert_eq!(world.queue.len(), 3, "two incidents and one execution");
}

#[rstest]
#[tokio::test]
async fn inv_g3_a_kill_switch_stops_what_a_person_starts_on_an_incident(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let (incident, runbook) = (incident(&world, json!({})).await, approved(&world, json!({})).await);
    let stop = json!({"engaged": true, "reason": "freeze"});
    bob(&world).put("/api/kill-switches/team:ops", stop).await.expect(200);
    responder(&world).post(&path(&incident, &runbook), json!({})).await.expect_problem(409, "kill-switch");
}
