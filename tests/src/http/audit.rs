//! The audit log over the API: what it shows, and that what it gives proves itself.

use crate::support::world::Engine;
use muster_app::audit::AuditExport;
use rstest::rstest;

use super::*;

fn auditor(world: &World) -> Client {
    world.client("aud", &["auditor"])
}

async fn export(world: &World, resource: &str) -> AuditExport {
    let answer = auditor(world).get(&format!("/api/audit/{resource}")).await;
    serde_json::from_value(answer.expect(200)).unwrap()
}

fn actions(export: &AuditExport) -> Vec<&str> {
    export.entries.iter().map(|entry| entry.action.as_str()).collect()
}

#[rstest]
#[tokio::test]
async fn inv_f2_every_export_verifies_as_it_is_given(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let incident = incident(&world, json!({})).await;
    let execution = executed(&world, &runbook, json!({"incidentId": incident})).await;
    world.drain().await;
    bob(&world)
        .put("/api/kill-switches/team:ops", json!({"engaged": false, "reason": "drill"}))
        .await
        .expect(200);
    for (resource, expected) in [
        (runbook.as_str(), vec!["runbook.created", "runbook.approved"]),
        (&execution, vec!["execution.accepted", "execution.succeeded"]),
        (&incident, vec!["incident.created"]),
        ("control:team:ops", vec!["kill_switch.released"]),
    ] {
        let export = export(&world, resource).await;
        assert_eq!(export.verify(), Ok(()), "{resource}");
        assert_eq!(actions(&export), expected);
        assert_eq!(export.trail.is_some(), resource == execution);
    }
}

#[rstest]
#[tokio::test]
async fn inv_f2_an_export_that_was_changed_does_not_verify(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let mut export = export(&world, &runbook).await;
    export.entries[1].actor = Some("eve".parse().unwrap());
    assert!(export.verify().is_err());
}

#[rstest]
#[tokio::test]
async fn a_day_lists_what_a_team_did_newest_first(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    draft(&world, json!({"teamId": "web"})).await;
    draft(&world, json!({"teamId": null})).await;
    let list = async |query: &str| {
        let page = auditor(&world).get(&format!("/api/audit?{query}")).await.expect(200);
        page["items"].as_array().unwrap().clone()
    };
    let ops = list("teamId=ops&day=2026-03-01").await;
    let seen: Vec<_> = ops.iter().map(|entry| (text(&entry["action"]), text(&entry["resource"]))).collect();
    let expected = ["runbook.approved", "runbook.created"].map(|action| (action.to_owned(), runbook.clone()));
    assert_eq!(seen, expected);
    assert_eq!(ops[0]["actor"], "bob");
    assert_eq!(list("day=2026-03-01").await.len(), 1);
    assert_eq!(list("teamId=ops&day=2026-03-02").await.len(), 0);
}
