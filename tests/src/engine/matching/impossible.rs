//! A start that can never succeed: it is decided once, with the reason, and not tried for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use muster_app::metrics::Counter;
use muster_app::table::{Key, TableError, TableErrorKind};
use muster_domain::workflow::MatchOutcome;
use rstest::rstest;

use super::*;
use crate::support::hooked::{Hook, fault};
use crate::support::world::Engine;

/// The matcher's list names the workflow, and its version is this, or nothing.
async fn listed(world: &World, number: u128, change: Value, version: Option<Value>) -> Workflow {
    let (head, sound) = workflow(number, now(world), change);
    let mut writes = world.app.candidate_writes(None, &head).await.unwrap();
    writes.push(Write::create(head.clone()));
    if let Some(definition) = version {
        let definition = serde_json::from_value(definition).unwrap();
        writes.push(Write::create(WorkflowVersion { definition, ..sound }));
    }
    world.table.commit(writes).await.unwrap();
    head
}

/// One that no save would have let pass: its node is not there.
fn broken() -> Value {
    let graph =
        json!({"nodes": [{"id": "start", "type": "trigger"}], "edges": [{"from": "start", "to": "x"}]});
    json!({"name": "Broken", "trigger": {"type": "incident_created"}, "definition": graph})
}

async fn check(world: &World, incident: &Incident, workflow: &Workflow, reason: &str) {
    let records = decisions(world, incident).await;
    let why = records.iter().find(|why| why.workflow == workflow.id).unwrap();
    let last = why.reasons.last().unwrap();
    assert_eq!((why.outcome, last.name.as_ref(), last.holds), (MatchOutcome::CouldNotStart, "start", false));
    assert!(last.seen.as_ref().is_some_and(|seen| seen.to_string().contains(reason)), "{last:?}");
    assert_eq!(why.execution, None);
    assert!(executions(world, workflow).await.is_empty());
}

#[rstest]
#[tokio::test]
async fn what_can_never_start_is_decided_once_with_its_reason(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let missing = listed(&world, 1, json!({}), None).await;
    let unreadable = listed(&world, 2, json!({}), Some(broken())).await;
    let sound = kept(&world, 3, json!({})).await;
    let (incident, event) = opened(1, now(&world), json!({}));
    let matched = world.app.match_event(&event).await.unwrap();
    assert_eq!((matched.started.len(), matched.impossible), (1, 2));
    check(&world, &incident, &missing, "there is no version 1 of workflow").await;
    check(&world, &incident, &unreadable, "compiling version 1 of workflow").await;
    // What was decided stays, even where another delivery could start it now.
    let (_, version) = workflow(1, now(&world), json!({}));
    world.table.commit(vec![Write::create(version)]).await.unwrap();
    let again = world.app.match_event(&event).await.unwrap();
    assert_eq!((again.started.len(), again.repeated, again.impossible), (0, 3, 0));
    check(&world, &incident, &missing, "there is no version 1 of workflow").await;
    assert_eq!(world.app.metrics().value(Counter::WorkflowsNotStarted), 2);
    assert_eq!(executions(&world, &sound).await.len(), 1);
    let shown = world.client("eve", &["team:ops:viewer"]);
    let page = shown.get(&format!("/api/incidents/{}/decisions", incident.id)).await.expect(200);
    let outcomes = page["items"].as_array().unwrap().iter().filter(|one| one["outcome"] == "COULD_NOT_START");
    assert_eq!(outcomes.count(), 2, "{page}");
}

/// Refuses one commit as no engine could ever do it.
#[derive(Default)]
struct TooLarge(AtomicBool);

impl Hook for TooLarge {
    fn before_commit(&self) -> Result<(), TableError> {
        if self.0.swap(false, Ordering::SeqCst) { Err(fault(TableErrorKind::Invalid)) } else { Ok(()) }
    }
}

#[rstest]
#[tokio::test]
async fn an_execution_that_no_engine_takes_is_decided_too(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let hook = Arc::new(TooLarge::default());
    let world = World::hooked(engine, Arc::clone(&hook)).await;
    let large = kept(&world, 1, json!({})).await;
    let (incident, event) = opened(1, now(&world), json!({}));
    hook.0.store(true, Ordering::SeqCst);
    assert_eq!(world.app.match_event(&event).await.unwrap().impossible, 1);
    check(&world, &incident, &large, "doing what the test broke").await;
    assert_eq!(world.app.match_event(&event).await.unwrap().repeated, 1);
}

/// The cursor goes on: one incident is not judged for ever.
#[rstest]
#[tokio::test]
async fn an_age_trigger_that_can_never_start_looks_at_each_incident_once(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let trigger = json!({"trigger": {"type": "age", "ageThresholdMinutes": 5}});
    let aged = listed(&world, 1, trigger, None).await;
    let (incident, _) = opened(1, now(&world), json!({}));
    world.table.commit(vec![Write::create(incident.clone())]).await.unwrap();
    world.clock.advance(Duration::from_secs(5 * 60));
    for _ in 0..3 {
        let swept = world.app.sweep().await.unwrap();
        assert_eq!((swept.aged, swept.failed), (0, 0));
    }
    check(&world, &incident, &aged, "there is no version 1 of workflow").await;
    assert_eq!(world.app.metrics().value(Counter::WorkflowsNotStarted), 1);
    let cursor = world.table.get(&Key::AgeCursor(aged.id)).await.unwrap();
    assert!(cursor.is_some());
}
