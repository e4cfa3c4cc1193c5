//! A crash loses no word of a runbook's trouble, and nobody hears of one as if it were two.

use rstest::rstest;

use super::crash_points::CrashPoint;
use super::notifications::told_through_a_crash;
use super::*;
use crate::http;
use crate::support::receiver::Reply;

/// How many writes a failing run and what it owes make after the start, and one more.
const WRITES: usize = 5;

/// A run that is about to fail, of which team ops wants to hear.
async fn failing(world: &World) -> ExecutionId {
    let look = json!({"type": "webhook", "url": world.receiver.url("/look")});
    let phases = json!([{"id": "begin", "steps": [{"id": "look", "type": "diagnostic", "action": look}]}]);
    let escalation = json!([{"on": ["failed"], "to": ["team:ops:admin"]}]);
    let definition = json!({"name": "Look", "teamId": "ops", "phases": phases, "escalation": escalation});
    let created = http::ann(world).post("/api/runbooks", definition).await.expect(201);
    let runbook = http::text(&created["id"]);
    http::bob(world).post(&format!("/api/runbooks/{runbook}/approve"), json!({})).await.expect(200);
    world.receiver.will_at("/look", [404; 9].map(Reply::Status));
    http::executed(world, &runbook, json!({})).await.parse().unwrap()
}

#[rstest]
#[tokio::test]
async fn inv_a6_a_crash_before_or_after_any_write_loses_no_word_of_a_trouble(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    for at in [CrashPoint::Before, CrashPoint::After] {
        for nth in 0..WRITES {
            let arrived = told_through_a_crash(engine, (at, nth), failing).await;
            assert!(arrived >= 1, "{at:?} at write {nth}");
        }
    }
}
