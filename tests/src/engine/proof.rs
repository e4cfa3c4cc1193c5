//! What can be proved afterwards, and what must be found nowhere.

use rstest::rstest;
use std::fs;

use muster_app::audit::AuditExport;
use serde_json::json;

use super::*;
use crate::support::receiver::Reply;

async fn export(world: &World, id: &ExecutionId) -> AuditExport {
    world.app.audit_export(&bob(), &id.as_str().parse().unwrap()).await.unwrap()
}

#[rstest]
#[tokio::test]
async fn b7_trigger_and_result_are_in_the_audit_log_and_every_attempt_in_the_trail(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    world.receiver.will([Reply::Status(503)]);
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    world.drain().await;
    let export = export(&world, &id).await;
    let actions: Vec<&str> = export.entries.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["execution.accepted", "execution.succeeded"]);
    let trail = serde_json::to_value(&export.trail).unwrap();
    let events: Vec<&str> =
        trail["entries"].as_array().unwrap().iter().map(|entry| entry["is"].as_str().unwrap()).collect();
    let attempt = ["claimed", "intent", "outcome"];
    let expected = [&["accepted"][..], &attempt, &["waiting"], &attempt, &["ended"]].concat();
    assert_eq!(events, expected);
}

#[rstest]
#[tokio::test]
async fn inv_f2_an_export_that_was_changed_does_not_verify(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    world.drain().await;
    let honest = serde_json::to_value(export(&world, &id).await).unwrap();
    let damages: [(&str, serde_json::Value); 5] = [
        ("/entries/0/actor", json!("mallory")),
        ("/entries/1/action", json!("execution.failed")),
        ("/head/seq", json!(1)),
        ("/trail/entries/1/at", json!(1)),
        ("/trail/head", json!("0".repeat(64))),
    ];
    for (pointer, value) in damages {
        let mut changed = honest.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        let changed: AuditExport = serde_json::from_value(changed).unwrap();
        assert!(changed.verify().is_err(), "{pointer}");
    }
    serde_json::from_value::<AuditExport>(honest).unwrap().verify().unwrap();
}

const CANARY: &str = "canary-7f3d9a51c2";

#[rstest]
#[tokio::test]
async fn inv_f3_a_secret_is_sent_and_found_nowhere_else(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let secrets = world.directory.path().join("secrets");
    fs::write(&secrets, json!({"token": CANARY}).to_string()).unwrap();
    fs::set_permissions(&secrets, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    // A receiver that echoes what it was sent.
    world.receiver.will([Reply::Whole(500, &[], format!("denied: Bearer {CANARY}"))]);
    let auth = json!({"webhookAuth": {"type": "bearer", "token": {"$secret": "token"}}});
    let runbook = approved(&world, auth).await;
    let id = accepted(&world, &runbook).await;
    world.drain().await;
    assert_eq!(world.receiver.received()[0].header("authorization"), format!("Bearer {CANARY}"));
    let shown = serde_json::to_string(&export(&world, &id).await).unwrap()
        + &serde_json::to_string(&execution(&world, &id).await).unwrap();
    assert!(shown.contains("denied"), "the answer itself is kept");
    assert!(!shown.contains(CANARY));
    for file in fs::read_dir(world.directory.path()).unwrap().flatten() {
        let bytes = fs::read(file.path()).unwrap();
        let found = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
        assert_eq!(found, file.path() == secrets, "{}", file.path().display());
    }
}
