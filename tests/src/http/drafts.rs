//! A DRAFT is planned by those who write and approve it, and runs for nobody.

use rstest::rstest;

use super::*;
use crate::support::world::Engine;

/// A runbook whose newest version nobody has approved.
async fn draft(world: &World) -> String {
    let call = |path: &str| json!({"type": "webhook", "url": world.receiver.url(path)});
    let definition = json!({
        "name": "Draft", "teamId": "ops",
        "phases": [{"id": "act", "steps": [
            {"id": "drain", "type": "remediation", "action": call("/drain"), "undo": call("/undrain")},
        ]}],
    });
    text(&ann(world).post("/api/runbooks", definition).await.expect(201)["id"])
}

#[rstest]
#[tokio::test]
async fn a_draft_is_planned_by_those_who_write_and_approve_it(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let path = format!("/api/runbooks/{}/execute", draft(&world).await);
    let plan = || json!({"dryRun": true, "version": 1});
    for author_or_approver in [ann(&world), bob(&world)] {
        let planned = author_or_approver.post(&path, plan()).await.expect(200);
        let drain =
            &planned["dryRun"]["steps"].as_array().unwrap().iter().find(|step| step["step"] == "drain");
        let drain = drain.unwrap();
        assert_eq!(drain["request"]["url"], world.receiver.url("/drain"));
        assert_eq!(drain["undo"]["url"], world.receiver.url("/undrain"));
        assert!(planned["dryRun"]["risk"]["score"].is_u64(), "{planned}");
    }
    let responder = world.client("fay", &["team:ops:responder"]);
    responder.post(&path, plan()).await.expect_problem(400, "not-approved");
    world.client("eve", &["team:web:admin"]).post(&path, plan()).await.expect_problem(403, "forbidden");
    world.drain().await;
    assert!(world.receiver.received().is_empty());
}

#[rstest]
#[tokio::test]
async fn inv_c2_a_draft_runs_for_nobody_and_is_no_plan_of_the_runbook(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = draft(&world).await;
    let path = format!("/api/runbooks/{runbook}/execute");
    for refused in [json!({"version": 1}), json!({}), json!({"dryRun": true})] {
        ann(&world).post(&path, refused.clone()).await.expect_problem(400, "not-approved");
    }
    ann(&world).post(&path, json!({"dryRun": true, "version": 2})).await.expect_problem(404, "not-found");
    bob(&world).post(&format!("/api/runbooks/{runbook}/approve"), json!({})).await.expect(200);
    bob(&world).post(&format!("/api/runbooks/{runbook}/deprecate"), json!({})).await.expect(200);
    let late = ann(&world).post(&path, json!({"dryRun": true, "version": 1})).await;
    late.expect_problem(400, "not-approved");
}
