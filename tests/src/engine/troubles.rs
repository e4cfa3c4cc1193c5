//! A crash loses no word of a runbook's trouble, and nobody hears of one as if it were two.

use std::collections::BTreeSet;
use std::sync::Arc;

use muster_domain::notification::RecipientState;
use rstest::rstest;

use super::crash_points::{Breaking, CrashPoint, survive};
use super::notifications::{owed, set_up};
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

/// The process stops at its n-th write: how often the one message arrived.
async fn run_with(engine: Engine, at: CrashPoint, nth: usize) -> usize {
    let hook = Breaking::at(at);
    let world = World::hooked(engine, Arc::clone(&hook)).await;
    set_up(&world, json!({"notifier": null})).await;
    let run = failing(&world).await;
    hook.after(nth);
    survive(&world).await;
    // What is left may be due later than one look of the sweeper.
    world.drain().await;
    check_status(&world, &run, ExecutionStatus::Failed).await;
    let [notification] = owed(&world, &run).await.try_into().unwrap();
    let recipient = &notification.recipients()[0];
    let context = format!("{at:?} at write {nth}: {recipient:?}");
    assert!(matches!(recipient.state, RecipientState::Delivered { .. }), "{context}");
    let received = world.receiver.received().into_iter();
    let arrived: Vec<String> =
        received.filter(|one| one.uri.path() == "/teams").map(|one| one.header("idempotency-key")).collect();
    assert!(arrived.len() <= recipient.attempts as usize, "{context}");
    assert_eq!(arrived.iter().collect::<BTreeSet<_>>().len(), 1, "{context}");
    check_promises(&world, &run).await;
    arrived.len()
}

#[rstest]
#[tokio::test]
async fn inv_a6_a_crash_before_or_after_any_write_loses_no_word_of_a_trouble(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    for at in [CrashPoint::Before, CrashPoint::After] {
        for nth in 0..WRITES {
            let arrived = run_with(engine, at, nth).await;
            assert!(arrived >= 1, "{at:?} at write {nth}");
        }
    }
}
