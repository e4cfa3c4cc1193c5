//! Steps side by side, and people who step in while some of them have ended.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::hanging::Hanging;
use crate::http::phases::{accepted, ask, because, called, look, read};
use crate::http::with;
use crate::support::world::{Engine, World};

/// Three steps side by side, two at once; the first is answered late, and one step comes after them.
fn runbook(world: &World) -> Value {
    let slow = with(
        look(world, "slow"),
        json!({"timeoutSeconds": 20, "onFailure": "continue", "retry": {"maxAttempts": 1}}),
    );
    let steps = json!([slow, look(world, "quick"), look(world, "next")]);
    let group =
        json!({"parallel": {"id": "sides", "concurrency": 2, "onFailure": "continue", "steps": steps}});
    let phases = json!([{"id": "look", "steps": [group, look(world, "last")]}]);
    json!({"name": "Side by side", "teamId": "ops", "phases": phases})
}

#[rstest]
#[tokio::test]
async fn inv_g3_a_pause_while_a_parallel_step_ends_lets_it_end_and_begins_no_other(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let hanging = Hanging::on(engine, &["/slow", "/quick"]).await;
    let world = &hanging.world;
    let quick = json!({"timeoutSeconds": 5, "onFailure": "continue", "retry": {"maxAttempts": 1}});
    let mut definition = runbook(world);
    let steps = definition.pointer_mut("/phases/0/steps/0/parallel/steps").unwrap();
    steps[1] = with(steps[1].clone(), quick);
    let execution = accepted(world, definition).await;
    hanging.passes(Duration::from_secs(2)).await;
    let paused = ask(world, &execution, "pause", because()).await;
    assert_eq!((&paused["status"], paused["pause"].get("quiescedAt")), (&json!("RUNNING"), None));
    // `quick` ends, which would make room for `next`; `slow` is still in flight.
    hanging.passes(Duration::from_secs(4)).await;
    let between = read(world, &execution).await;
    assert_eq!((&between["status"], between["pause"].get("quiescedAt")), (&json!("RUNNING"), None));
    hanging.passes(Duration::from_secs(60)).await;
    let quiet = read(world, &execution).await;
    assert_eq!((&quiet["status"], &quiet["pause"]["latencyMs"]), (&json!("PAUSED"), &json!(18_000)));
    assert_eq!(called(world).len(), 2, "inv_g3: {:?}", called(world));
    ask(world, &execution, "resume", json!({})).await;
    hanging.passes(Duration::from_secs(60)).await;
    assert_eq!(called(world)[2..], ["next", "last"]);
    assert_eq!(read(world, &execution).await["status"], "SUCCESS");
}
