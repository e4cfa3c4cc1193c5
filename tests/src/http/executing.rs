//! Starting, steering and reading executions.

use super::*;
use crate::support::receiver::Reply;
use crate::support::world::Engine;
use rstest::rstest;

fn schema() -> Value {
    json!({
        "parameters": {
            "type": "object",
            "properties": {"service": {"type": "string"}, "count": {"type": "integer", "maximum": 3, "default": 1}},
            "required": ["service"],
            "additionalProperties": false,
        },
        "payloadTemplate": {"service": "{{params.service}}"},
    })
}

async fn execute(world: &World, runbook: &str, request: Value) -> crate::support::client::Answer {
    ann(world).post(&format!("/api/runbooks/{runbook}/execute"), request).await
}

#[rstest]
#[tokio::test]
async fn parameters_that_do_not_fit_are_refused_with_each_place_and_nothing_is_queued(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = approved(&world, schema()).await;
    let bad = json!({"parameters": {"service": 7, "count": 9, "x": 1}});
    let problem = execute(&world, &id, bad).await.expect_problem(400, "invalid");
    let errors = problem["errors"].as_array().unwrap();
    let places: std::collections::BTreeSet<String> =
        errors.iter().map(|error| text(&error["pointer"])).collect();
    for place in ["/parameters/service", "/parameters/count"] {
        assert!(places.contains(place), "{place}: {problem}");
    }
    assert!(errors.len() >= 3, "{problem}");
    execute(&world, &id, json!({})).await.expect_problem(400, "invalid");
    execute(&world, &id, json!({"parameters": []})).await.expect_problem(400, "invalid");
    assert_eq!(world.queue.len(), 0);
}

#[rstest]
#[tokio::test]
async fn what_an_execution_names_must_be_there(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let id = approved(&world, json!({})).await;
    let no_incident = json!({"incidentId": "inc_01ARZ3NDEKTSV4RRFFQ69G5FAV"});
    execute(&world, &id, no_incident).await.expect_problem(404, "not-found");
    execute(&world, &id, json!({"version": 9})).await.expect_problem(404, "not-found");
    execute(&world, &id, json!({"version": 0})).await.expect_problem(404, "not-found");
    execute(&world, &id, json!({"incidentId": "x"})).await.expect_problem(400, "invalid");
    let of_web = incident(&world, json!({"teamId": "web"})).await;
    execute(&world, &id, json!({"incidentId": of_web})).await.expect_problem(403, "forbidden");
}

#[rstest]
#[tokio::test]
async fn a_dry_run_shows_the_request_and_sends_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let auth = json!({"webhookAuth": {"type": "bearer", "token": {"$secret": "ops/token"}}});
    let id = approved(&world, with(schema(), auth)).await;
    let request = json!({"dryRun": true, "parameters": {"service": "checkout"}});
    let shown = execute(&world, &id, request).await.expect(200);
    let step = &shown["dryRun"]["steps"][0];
    assert_eq!(step["step"], "webhook");
    assert_eq!(step["request"]["method"], "POST");
    assert_eq!(step["request"]["url"], world.receiver.url("/restart"));
    assert_eq!(step["request"]["contentType"], "application/json");
    assert_eq!(step["request"]["body"], "{\"service\":\"checkout\"}");
    assert_eq!(step["request"]["auth"], json!({"type": "bearer", "token": {"$secret": "ops/token"}}));
    world.drain().await;
    assert!(world.receiver.received().is_empty());
    let executions = ann(&world).get(&format!("/api/runbooks/{id}/executions")).await.expect(200);
    assert_eq!(executions, json!({"items": []}));
}

#[rstest]
#[tokio::test]
async fn a_pending_execution_is_cancelled_at_once_and_what_has_ended_is_not(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = approved(&world, json!({})).await;
    let execution = executed(&world, &id, json!({})).await;
    let path = format!("/api/executions/{execution}/cancel");
    let cancelled = ann(&world).post(&path, json!({"reason": "wrong service"})).await.expect(200);
    assert_eq!((&cancelled["status"], &cancelled["reason"]), (&json!("CANCELLED"), &json!("wrong service")));
    world.drain().await;
    assert!(world.receiver.received().is_empty());
    let done = executed(&world, &id, json!({})).await;
    world.drain().await;
    let late = ann(&world).post(&format!("/api/executions/{done}/cancel"), json!({})).await;
    assert_eq!(late.expect_problem(409, "wrong-status")["currentStatus"], "SUCCESS");
}

#[rstest]
#[tokio::test]
async fn a_person_resolves_an_outcome_that_nobody_can_know(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = approved(&world, json!({"idempotent": false})).await;
    world.receiver.will([Reply::Status(500)]);
    let execution = executed(&world, &id, json!({})).await;
    world.drain().await;
    let path = format!("/api/executions/{execution}");
    let waiting = ann(&world).get(&path).await.expect(200);
    assert_eq!(
        (&waiting["status"], &waiting["steps"][0]["status"]),
        (&json!("NEEDS_REVIEW"), &json!("NEEDS_REVIEW"))
    );
    assert!(text(&waiting["reason"]).contains("not idempotent"), "{waiting}");
    let resolve = format!("{path}/resolve");
    let maybe = json!({"outcome": "maybe", "reason": "?"});
    let problem = ann(&world).post(&resolve, maybe).await.expect_problem(400, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/outcome");
    ann(&world)
        .post(&resolve, json!({"outcome": "resend", "reason": " "}))
        .await
        .expect_problem(400, "invalid");
    let again = json!({"outcome": "resend", "reason": "its log has nothing"});
    ann(&world).post(&resolve, again.clone()).await.expect(200);
    world.drain().await;
    let done = ann(&world).get(&path).await.expect(200);
    assert_eq!(done["status"], "SUCCESS");
    assert_eq!(done["steps"][0]["attempts"][0]["resolution"], "resend");
    ann(&world).post(&resolve, again).await.expect_problem(409, "wrong-status");
}

#[rstest]
#[tokio::test]
async fn what_was_sent_and_answered_is_shown_whole(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let payload = json!({"payloadTemplate": {"long": "x".repeat(3_000)}});
    let id = approved(&world, payload).await;
    let long = "é".repeat(2_000);
    world.receiver.will([Reply::Whole(200, &[], long.clone())]);
    let execution = executed(&world, &id, json!({})).await;
    world.drain().await;
    let path = format!("/api/executions/{execution}");
    let shown = ann(&world).get(&path).await.expect(200);
    assert_eq!(shown["steps"][0]["attempts"][0]["truncated"], true);
    assert!(text(&shown["responseBody"]).len() <= 1_024);
    let request = ann(&world).get(&format!("{path}/steps/webhook/request")).await.expect(200);
    assert_eq!(request["body"], world.receiver.received()[0].body);
    let response = ann(&world).get(&format!("{path}/steps/webhook/attempts/1/response")).await.expect(200);
    assert_eq!(response, json!({"statusCode": 200, "body": long}));
    for missing in
        ["steps/other/request", "steps/webhook/attempts/0/response", "steps/webhook/attempts/2/response"]
    {
        ann(&world).get(&format!("{path}/{missing}")).await.expect_problem(404, "not-found");
    }
}

#[rstest]
#[tokio::test]
async fn what_was_small_is_shown_from_the_execution_itself(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = approved(&world, json!({})).await;
    world.receiver.will([Reply::Whole(200, &[], "done".into())]);
    let execution = executed(&world, &id, json!({})).await;
    let steps = format!("/api/executions/{execution}/steps/webhook");
    ann(&world).get(&format!("{steps}/request")).await.expect_problem(404, "not-found");
    world.drain().await;
    assert_eq!(ann(&world).get(&format!("{steps}/request")).await.expect(200)["body"], "{}");
    let response = ann(&world).get(&format!("{steps}/attempts/1/response")).await.expect(200);
    assert_eq!(response, json!({"statusCode": 200, "body": "done"}));
}

#[rstest]
#[tokio::test]
async fn inv_g3_an_engaged_kill_switch_refuses_executions_in_its_scope(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = approved(&world, json!({})).await;
    for scope in ["global", "team:ops", &format!("runbook:{id}")] {
        let path = format!("/api/kill-switches/{scope}");
        let before = ann(&world).get(&path).await.expect(200);
        assert_eq!(before, json!({"scope": scope, "engaged": false}));
        let engaged = bob(&world).put(&path, json!({"engaged": true, "reason": "storm"})).await.expect(200);
        assert_eq!((&engaged["setBy"], &engaged["reason"]), (&json!("bob"), &json!("storm")));
        let problem = execute(&world, &id, json!({})).await.expect_problem(409, "kill-switch");
        assert_eq!(problem["scope"], scope);
        bob(&world).put(&path, json!({"engaged": false, "reason": "over"})).await.expect(200);
        execute(&world, &id, json!({})).await.expect(202);
    }
    let stranger = world.client("eve", &["team:web:admin"]);
    stranger.get(&format!("/api/kill-switches/runbook:{id}")).await.expect_problem(403, "forbidden");
    let unknown = "/api/kill-switches/runbook:rb_01ARZ3NDEKTSV4RRFFQ69G5FAV";
    bob(&world).put(unknown, json!({"engaged": true, "reason": "x"})).await.expect_problem(404, "not-found");
    let elsewhere = json!({"engaged": true, "reason": "storm"});
    bob(&world).put("/api/kill-switches/team:web", elsewhere).await.expect(200);
    execute(&world, &id, json!({})).await.expect(202);
}

#[rstest]
#[tokio::test]
async fn the_queue_is_counted(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let id = approved(&world, json!({})).await;
    executed(&world, &id, json!({})).await;
    let stats = ann(&world).get("/api/queue/stats").await.expect(200);
    assert_eq!(stats, json!({"waiting": 1, "active": 0, "delayed": 0, "failed": 0}));
}
