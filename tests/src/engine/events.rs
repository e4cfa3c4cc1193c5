//! Events of incidents: committed with the change, delivered once, whatever the queue and the bus do meanwhile.

use std::time::Duration;

use muster_app::Error;
use muster_app::job::Job;
use muster_app::paging::Paging;
use muster_app::ports::BusErrorKind;
use muster_domain::ids::IncidentId;
use muster_domain::incident::{IncidentEvent, IncidentPatch, IncidentStatus};
use rstest::rstest;
use serde_json::json;

use super::{ann, bob};
use crate::support::world::{Engine, World};

/// Longer than any grace of these tests.
const LATER: Duration = Duration::from_secs(60);

async fn opened(world: &World) -> IncidentId {
    let new = json!({"title": "Checkout is slow", "priority": "HIGH", "teamId": "ops"});
    world.app.create_incident(&ann(), serde_json::from_value(new).unwrap()).await.unwrap().id
}

async fn resolved(world: &World, id: &IncidentId) {
    let patch = IncidentPatch { status: Some(IncidentStatus::Resolved), ..IncidentPatch::default() };
    world.app.change_incident(&ann(), id, patch, None).await.unwrap();
}

/// Newest first.
async fn events(world: &World, id: &IncidentId) -> Vec<IncidentEvent> {
    let paging = Paging { limit: 100, cursor: None };
    world.app.events_of_incident(&bob(), id, &paging).await.unwrap().items
}

async fn owed(world: &World, id: &IncidentId) -> Vec<u64> {
    let owed = events(world, id).await.into_iter().filter(|event| event.due_at.is_some());
    owed.map(|event| event.seq).collect()
}

#[rstest]
#[tokio::test]
async fn an_event_is_stored_with_its_change_and_delivered_once(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = opened(&world).await;
    resolved(&world, &id).await;
    assert_eq!(owed(&world, &id).await, [2, 1]);
    world.drain().await;
    assert_eq!(owed(&world, &id).await, [] as [u64; 0]);
    assert_eq!(world.bus.names(), ["Incident Created 1", "Incident State Changed 2"]);
    let stored: Vec<IncidentEvent> = events(&world, &id).await.into_iter().rev().collect();
    assert_eq!(world.bus.taken(), stored);
}

#[rstest]
#[tokio::test]
async fn a_delivery_that_is_repeated_publishes_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = opened(&world).await;
    let job = Job::Deliver { incident: id.clone(), seq: 1 };
    for _ in 0..3 {
        world.handle(&job).await.unwrap();
    }
    world.drain().await;
    assert_eq!(world.bus.names(), ["Incident Created 1"]);
    let unknown = Job::Deliver { incident: id, seq: 7 };
    world.handle(&unknown).await.unwrap();
    assert_eq!(world.bus.names().len(), 1);
}

#[rstest]
#[tokio::test]
async fn inv_a2_a_lost_nudge_for_an_event_is_repaired_by_the_sweeper(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = opened(&world).await;
    world.queue.lose_all();
    let early = world.app.sweep().await.unwrap();
    assert_eq!((early.due, early.nudged), (0, 0), "a nudge has its time to arrive");
    world.clock.advance(LATER);
    let swept = world.app.sweep().await.unwrap();
    assert_eq!((swept.due, swept.nudged, swept.failed), (1, 1, 0));
    assert_eq!(world.app.sweep().await.unwrap().due, 0, "the first sweep moved it on");
    world.drain().await;
    assert_eq!(world.bus.names(), ["Incident Created 1"]);
    assert_eq!(owed(&world, &id).await, [] as [u64; 0]);
    world.clock.advance(LATER);
    assert_eq!(world.app.sweep().await.unwrap().due, 0);
}

#[rstest]
#[tokio::test]
async fn a_restart_delivers_what_is_owed_at_once(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let id = opened(&world).await;
    world.queue.lose_all();
    world.app.recover_after_restart().await.unwrap();
    world.drain_due().await;
    assert_eq!(world.bus.names(), ["Incident Created 1"]);
    assert_eq!(owed(&world, &id).await, [] as [u64; 0]);
}

#[rstest]
#[case(BusErrorKind::Unavailable)]
#[case(BusErrorKind::Refused)]
#[tokio::test]
async fn nothing_is_lost_and_nothing_doubled_while_the_bus_is_down(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
    #[case] kind: BusErrorKind,
) {
    let world = World::on(engine).await;
    world.bus.goes_down(kind);
    let id = opened(&world).await;
    resolved(&world, &id).await;
    for _ in 0..60 {
        world.clock.advance(LATER);
        assert_eq!(world.app.sweep().await.unwrap().nudged, 2);
        for job in world.queue.take_due() {
            let error = world.handle(&job).await.unwrap_err();
            assert!(matches!(error, Error::Bus(_)), "{error:?}");
            assert_eq!(error.retryable(), kind == BusErrorKind::Unavailable);
        }
        assert_eq!(owed(&world, &id).await, [2, 1]);
    }
    world.bus.comes_back();
    world.clock.advance(LATER);
    world.app.sweep().await.unwrap();
    world.drain().await;
    let mut names = world.bus.names();
    names.sort();
    assert_eq!(names, ["Incident Created 1", "Incident State Changed 2"]);
    assert_eq!(owed(&world, &id).await, [] as [u64; 0]);
}

#[rstest]
#[tokio::test]
async fn a_job_that_is_given_up_leaves_its_event_owed(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = opened(&world).await;
    world.queue.lose_all();
    world.app.give_up(&Job::Deliver { incident: id.clone(), seq: 1 }, "it failed too often").await.unwrap();
    assert_eq!(owed(&world, &id).await, [1]);
    world.clock.advance(LATER);
    world.app.sweep().await.unwrap();
    world.drain().await;
    assert_eq!(world.bus.names(), ["Incident Created 1"]);
}

#[rstest]
#[tokio::test]
async fn the_audit_log_has_every_change_of_an_incident(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = opened(&world).await;
    resolved(&world, &id).await;
    world
        .app
        .escalate_incident(&ann(), &id, serde_json::from_value(json!({"reason": "again"})).unwrap(), None)
        .await
        .unwrap();
    let export = world.app.audit_export(&bob(), &id.as_str().parse().unwrap()).await.unwrap();
    export.verify().unwrap();
    let actions: Vec<&str> = export.entries.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["incident.created", "incident.changed", "incident.escalated"]);
    assert_eq!(export.entries[1].detail["change"]["status"], json!({"from": "OPEN", "to": "RESOLVED"}));
    assert_eq!(export.entries[2].detail["change"]["reason"], "again");
    assert_eq!(export.entries[2].actor, Some("ann".parse().unwrap()));
}
