//! One event starts at most one execution of a workflow, whatever happens to it on its way (INVARIANTS B6).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use muster_app::metrics::Counter;
use muster_app::table::{TableError, TableErrorKind};
use muster_domain::execution::Pinned;
use rstest::rstest;

use super::*;
use crate::engine::check_promises;
use crate::support::hooked::{Hook, fault};
use crate::support::world::Engine;

#[rstest]
#[tokio::test]
async fn inv_b6_duplicates_reordering_and_replay_start_nothing_twice(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let one = kept(&world, 1, json!({})).await;
    let two = kept(&world, 2, json!({"teamId": null})).await;
    let events = [event(&world, 1, json!({})), event(&world, 2, json!({}))];
    let at_once = [&events[1], &events[0], &events[0], &events[1]].map(|event| world.app.match_event(event));
    for matched in join_all(at_once).await {
        matched.unwrap();
    }
    world.clock.advance(Duration::from_secs(3_600));
    assert_eq!(world.app.match_event(&events[0]).await.unwrap().repeated, 2);
    // The records have expired; the executions have not.
    world.clock.advance(Duration::from_secs(40 * 24 * 3_600));
    assert_eq!(world.app.match_event(&events[1]).await.unwrap().repeated, 2);
    for workflow in [&one, &two] {
        let started = executions(&world, workflow).await;
        assert_eq!(started.len(), 2, "{}", workflow.name);
        for execution in &started {
            check_promises(&world, &execution.id).await;
        }
    }
}

#[rstest]
#[tokio::test]
async fn an_execution_says_what_started_it(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let workflow = kept(&world, 1, json!({"teamId": null})).await;
    let event = event(&world, 1, json!({}));
    let matched = world.app.match_event(&event).await.unwrap();
    let started = executions(&world, &workflow).await;
    let [execution] = started.as_slice() else { panic!("one execution, not {}", started.len()) };
    assert_eq!(matched.started, std::slice::from_ref(&execution.id));
    assert_eq!(execution.requested_by.as_str(), "muster|events");
    assert_eq!(execution.cause, Some(event.idempotency_key()));
    assert_eq!(execution.chain, std::slice::from_ref(&workflow.id));
    assert_eq!(execution.incident, Some(event.incident.clone()));
    assert_eq!(execution.team, event.snapshot.team_id);
    assert!(matches!(&execution.pinned, Pinned::Workflow(pin) if pin.id == workflow.id && pin.version == 1));
    assert_eq!(world.queue.len(), 1, "the worker is nudged");
}

/// What was decided first stays, though the workflow was changed before the event came again.
#[rstest]
#[tokio::test]
async fn a_late_duplicate_is_not_judged_anew(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let never = json!({"trigger": {"type": "incident_created", "conditions": [{"field": "priority", "value": "LOW"}]}});
    let before = kept(&world, 1, never).await;
    let event = event(&world, 1, json!({}));
    assert!(world.app.match_event(&event).await.unwrap().started.is_empty());
    let after = Workflow {
        trigger: serde_json::from_value(json!({"type": "incident_created"})).unwrap(),
        ..before.clone()
    };
    change(&world, &before, &after).await;
    let matched = world.app.match_event(&event).await.unwrap();
    assert_eq!((matched.started.len(), matched.repeated), (0, 1));
    let fresh = super::event(&world, 2, json!({}));
    assert_eq!(
        world.app.match_event(&fresh).await.unwrap().started.len(),
        1,
        "the change counts for new events"
    );
}

/// Fails the commits up to a number, before or after they take effect.
#[derive(Default)]
struct Away {
    before: AtomicUsize,
    after: AtomicUsize,
}

fn take(count: &AtomicUsize) -> Result<(), TableError> {
    let left = count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    left.map_or(Ok(()), |_| Err(fault(TableErrorKind::Unavailable)))
}

impl Hook for Away {
    fn before_commit(&self) -> Result<(), TableError> {
        take(&self.before)
    }

    fn after_commit(&self) -> Result<(), TableError> {
        take(&self.after)
    }
}

#[rstest]
#[tokio::test]
async fn inv_b6_a_start_that_failed_is_made_up_for_and_one_whose_answer_was_lost_is_not(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let hook = Arc::new(Away::default());
    let world = World::hooked(engine, Arc::clone(&hook)).await;
    let workflows = [kept(&world, 1, json!({})).await, kept(&world, 2, json!({})).await];
    for (number, broken) in [(1, &hook.before), (2, &hook.after)] {
        let event = event(&world, number, json!({}));
        broken.store(1, Ordering::SeqCst);
        let error = world.app.match_event(&event).await.unwrap_err();
        assert!(error.retryable(), "{error}");
        world.app.match_event(&event).await.unwrap();
        assert_eq!(world.app.match_event(&event).await.unwrap().repeated, 2);
    }
    for workflow in &workflows {
        assert_eq!(executions(&world, workflow).await.len(), 2, "{}", workflow.name);
    }
}

#[rstest]
#[tokio::test]
async fn a_workflow_that_cannot_be_started_harms_no_other(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    // Its version is missing, which no other delivery would mend.
    let (broken, _) = workflow(1, now(&world), json!({}));
    world.table.commit(world.app.candidate_writes(None, &broken).await.unwrap()).await.unwrap();
    let sound = kept(&world, 2, json!({})).await;
    let matched = world.app.match_event(&event(&world, 1, json!({}))).await.unwrap();
    assert_eq!(matched.started.len(), 1);
    assert_eq!(executions(&world, &sound).await.len(), 1);
    assert_eq!(world.app.metrics().value(Counter::WorkflowsNotStarted), 1);
}
