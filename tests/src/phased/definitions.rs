//! Definitions that change while they run, ask for too much, or read what is not there.

use rstest::rstest;
use serde_json::{Value, json};

use crate::http::phases::{accepted, called, look, read, stored};
use crate::http::{ann, bob, executed, text, with};
use crate::support::client::Client;
use crate::support::world::{Engine, World};

/// Asks a responder before one call.
fn gated(world: &World, path: &str) -> Value {
    let approval = json!({"levels": [{"of": ["team:ops:responder"]}], "expiresInSeconds": 600});
    let asks = json!({"id": "ask", "type": "approval", "approval": approval});
    json!({"name": "Ask and look", "teamId": "ops", "phases": [{"id": "all", "steps": [asks, look(world, path)]}]})
}

async fn digest(world: &World, execution: &str) -> Value {
    let asked = bob(world).get(&format!("/api/executions/{execution}/approvals")).await.expect(200);
    asked["items"][0]["digest"].clone()
}

fn carl(world: &World) -> Client {
    world.client("carl", &["team:ops:responder"])
}

#[rstest]
#[tokio::test]
async fn inv_c4_a_runbook_that_is_edited_while_it_runs_goes_on_as_pinned_and_hands_no_approval_on(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = stored(&world, gated(&world, "old")).await;
    let (path, execute) = (format!("/api/runbooks/{runbook}"), format!("/api/runbooks/{runbook}/execute"));
    let first = executed(&world, &runbook, json!({})).await;
    world.drain().await;
    let seen = digest(&world, &first).await;
    ann(&world).put(&path, gated(&world, "new")).await.expect(200);
    assert_eq!(digest(&world, &first).await, seen, "the run asks about what it is pinned to");
    // Nobody has approved the new version of the runbook.
    let unapproved = bob(&world).post(&execute, json!({"version": 2})).await;
    unapproved.expect_problem(400, "not-approved");
    bob(&world).post(&format!("{path}/approve"), json!({})).await.expect(200);
    let second = executed(&world, &runbook, json!({})).await;
    world.drain().await;
    let gate = |execution: &str| format!("/api/executions/{execution}/steps/ask/approve");
    // What was said of the old version is not said of the new one.
    let body = json!({"digest": seen});
    carl(&world).post(&gate(&second), body.clone()).await.expect_problem(409, "other-digest");
    carl(&world).post(&gate(&first), body).await.expect(200);
    world.drain().await;
    assert_eq!(called(&world), ["old"]);
    let (first, second) = (read(&world, &first).await, read(&world, &second).await);
    assert_eq!((&first["status"], &first["runbook"]["version"]), (&json!("SUCCESS"), &json!(1)));
    assert_eq!((&second["status"], &second["runbook"]["version"]), (&json!("WAITING"), &json!(2)));
}

#[rstest]
#[tokio::test]
async fn inv_e2_a_thousand_steps_are_refused_with_their_place_and_a_mending(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let steps: Vec<Value> =
        (0..1_000).map(|number| json!({"id": format!("s{number}"), "type": "delay", "seconds": 1})).collect();
    let definition = json!({"name": "Long", "teamId": "ops", "phases": [{"id": "all", "steps": steps}]});
    let problem = ann(&world).post("/api/runbooks", definition).await.expect_problem(400, "invalid");
    let fault = problem["errors"].as_array().unwrap().iter().find(|fault| fault["pointer"] == "/phases");
    let message = text(&fault.unwrap_or_else(|| panic!("{problem}"))["message"]);
    assert!(message.contains("has 1000 steps; at most 200"), "{message}");
    assert!(message.contains("Move a part into a runbook of its own"), "{message}");
    assert_eq!(ann(&world).get("/api/runbooks").await.expect(200)["items"], json!([]));
}

#[rstest]
#[tokio::test]
async fn what_reads_the_result_of_a_skipped_step_fails_by_name_and_sends_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let skipped = json!({"when": "params.full == true", "outputs": {"nodes": "body.nodes"}});
    let skipped = with(look(&world, "list"), skipped);
    let payload = json!({"text": "nodes: {{steps.list.outputs.nodes}}"});
    let action = json!({"type": "webhook", "url": world.receiver.url("/tell"), "payload": payload});
    let tells = json!({"id": "tell", "type": "diagnostic", "action": action});
    let definition = json!({
        "name": "Reads nothing", "teamId": "ops",
        "parameters": {"type": "object", "properties": {"full": {"type": "boolean", "default": false}}},
        "phases": [{"id": "all", "steps": [skipped, tells]}],
    });
    let execution = accepted(&world, definition).await;
    world.drain().await;
    let ended = read(&world, &execution).await;
    assert_eq!(ended["status"], "FAILED");
    let error = text(&ended["error"]);
    assert!(error.contains("step tell") && error.contains("steps.list.outputs.nodes"), "{error}");
    assert!(called(&world).is_empty(), "no empty string is sent in its place");
}
