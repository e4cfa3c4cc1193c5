//! What is decided of one event is stored together: in few commits, each decision once, and read page by page (C4, B6).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use muster_app::table::{Order, PageRequest, Query, TableError, TableErrorKind};
use muster_domain::workflow::{MatchOutcome, WhyPart};
use rstest::rstest;

use super::*;
use crate::support::counted::CountedTable;
use crate::support::hooked::{Hook, fault};
use crate::support::world::{Engine, settings};

/// More than one commit starts.
const MANY: u128 = 20;

/// A trigger that asks for much and is not met.
fn demanding(number: u128) -> Value {
    let value = |position: u32| format!("{number}-{position}-{}", "x".repeat(150));
    let conditions: Vec<Value> = (0..20)
        .map(|position| json!({"field": format!("metadata.m{position}"), "value": value(position)}))
        .collect();
    json!({"trigger": {"type": "incident_created", "conditions": conditions}})
}

async fn parts(world: &World, event: &IncidentEvent) -> Vec<WhyPart> {
    let (incident, at) = (event.incident.clone(), event.at);
    let query = Query::DecisionsOfEvent { incident, at, event: event.idempotency_key() };
    let page = PageRequest { limit: 100, order: Order::Ascending, after: None };
    let page = world.table.query(&query, &page).await.unwrap();
    page.records.into_iter().map(|stored| stored.typed().unwrap().value).collect()
}

/// Every decision about an incident, in pages of `limit` as a client reads them.
async fn listed(world: &World, incident: &Incident, limit: usize) -> Vec<Value> {
    let _ = world.table.commit(vec![Write::create(incident.clone())]).await;
    let viewer = world.client("eve", &["team:ops:viewer"]);
    let start = format!("/api/incidents/{}/decisions?limit={limit}", incident.id);
    let (mut path, mut items) = (start.clone(), Vec::new());
    loop {
        let answer = viewer.get(&path).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let page = answer.json();
        let some = page["items"].as_array().unwrap();
        let next = page["nextCursor"].as_str();
        assert!(some.len() == limit || next.is_none(), "only the last page is short: {}", some.len());
        items.extend(some.iter().cloned());
        let Some(next) = next else { return items };
        path = format!("{start}&cursor={next}");
    }
}

fn workflows_of(items: &[Value]) -> BTreeSet<String> {
    items.iter().map(|item| item["workflowId"].as_str().unwrap().to_owned()).collect()
}

#[rstest]
#[tokio::test]
async fn what_one_event_starts_and_what_it_does_not_is_one_commit(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let inner = World::on(engine).await;
    let counted = CountedTable::over(inner.table.clone());
    let world = World::over(counted.clone(), tempfile::tempdir().unwrap(), settings()).await;
    kept(&world, 1, json!({})).await;
    for number in 2..=9 {
        kept(&world, number, demanding(number)).await;
    }
    world.app.match_event(&event(&world, 1, json!({}))).await.unwrap();
    counted.take();
    let event = event(&world, 2, json!({}));
    assert_eq!(world.app.match_event(&event).await.unwrap().started.len(), 1);
    let counts = counted.take();
    assert_eq!((counts.reads, counts.queries, counts.commits), (2, 0, 1));
    assert_eq!(parts(&world, &event).await.len(), 1);
}

#[rstest]
#[tokio::test]
async fn inv_b6_a_repeat_adds_what_is_missing_and_changes_nothing_that_was_decided(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    kept(&world, 1, json!({})).await;
    kept(&world, 2, demanding(2)).await;
    let (incident, event) = opened(1, now(&world), json!({}));
    world.app.match_event(&event).await.unwrap();
    let first = parts(&world, &event).await;
    world.clock.advance(std::time::Duration::from_secs(60));
    let later = kept(&world, 3, json!({})).await;
    for (started, repeated) in [(1, 1), (0, 2)] {
        let matched = world.app.match_event(&event).await.unwrap();
        assert_eq!((matched.started.len(), matched.repeated), (started, repeated));
    }
    let both = parts(&world, &event).await;
    assert_eq!((both.len(), &both[..1]), (2, first.as_slice()));
    assert_eq!(both[1].workflows().collect::<Vec<_>>(), [&later.id]);
    assert_eq!(both[1].expires_at, both[0].expires_at, "all of an event expires together");
    assert_eq!(listed(&world, &incident, 2).await.len(), 3);
}

#[rstest]
#[tokio::test]
async fn what_does_not_fit_into_one_part_is_split_and_listed_once_in_pages_of_any_size(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    for number in 1..=MANY {
        kept(&world, number, demanding(number)).await;
    }
    let (incident, mut event) = opened(1, now(&world), json!({}));
    world.app.match_event(&event).await.unwrap();
    assert!(parts(&world, &event).await.len() > 1);
    event.seq = 2;
    event.at = event.at.plus(std::time::Duration::from_secs(1));
    world.app.match_event(&event).await.unwrap();
    let all = 2 * MANY as usize;
    let whole = listed(&world, &incident, 100).await;
    assert_eq!((whole.len(), workflows_of(&whole).len()), (all, MANY as usize));
    assert!(whole.iter().all(|one| one["reasons"].as_array().unwrap().len() == 23));
    let (newer, older) = whole.split_at(MANY as usize);
    assert!(newer.iter().all(|one| one["event"] != older[0]["event"]), "the newest event first");
    for limit in [1, 3, 7, 20, 39, 40, 41] {
        assert_eq!(listed(&world, &incident, limit).await, whole, "in pages of {limit}");
    }
}

#[rstest]
#[tokio::test]
async fn inv_b6_more_than_one_commit_holds_starts_once_however_often_and_at_once(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    for number in 1..=MANY {
        kept(&world, number, json!({})).await;
    }
    let (incident, event) = opened(1, now(&world), json!({}));
    let (mut started, mut repeated) = (0, 0);
    for matched in join_all((0..3).map(|_| world.app.match_event(&event))).await {
        let matched = matched.unwrap();
        started += matched.started.len();
        repeated += matched.repeated;
    }
    assert_eq!((started, repeated), (MANY as usize, 2 * MANY as u64));
    let records = decisions(&world, &incident).await;
    let named: BTreeSet<_> = records.iter().map(|why| (&why.workflow, &why.execution)).collect();
    assert_eq!((records.len(), named.len()), (MANY as usize, MANY as usize));
    for why in &records {
        assert_eq!(why.outcome, MatchOutcome::Matched);
        let execution = world.app.execution(&bob(), why.execution.as_ref().unwrap()).await.unwrap();
        assert_eq!(execution.cause, Some(event.idempotency_key()));
    }
}

/// Fails one commit: the one that comes after as many others.
pub(super) struct FailsAfter(pub(super) AtomicUsize);

impl Hook for FailsAfter {
    fn before_commit(&self) -> Result<(), TableError> {
        match self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
            Ok(1) => Err(fault(TableErrorKind::Unavailable)),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// What was stored is true, what was not is made up for by the next delivery.
#[rstest]
#[tokio::test]
async fn inv_b6_an_end_between_two_parts_loses_no_decision_and_claims_no_start(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let hook = Arc::new(FailsAfter(AtomicUsize::new(0)));
    let world = World::hooked(engine, Arc::clone(&hook)).await;
    for number in 1..=MANY {
        kept(&world, number, json!({})).await;
    }
    let (incident, event) = opened(1, now(&world), json!({}));
    hook.0.store(2, Ordering::SeqCst);
    assert!(world.app.match_event(&event).await.unwrap_err().retryable());
    let before = decisions(&world, &incident).await;
    assert!((1..MANY as usize).contains(&before.len()), "{}", before.len());
    for why in &before {
        world.app.execution(&bob(), why.execution.as_ref().unwrap()).await.unwrap();
    }
    let matched = world.app.match_event(&event).await.unwrap();
    assert_eq!(
        (matched.started.len(), matched.repeated),
        (MANY as usize - before.len(), before.len() as u64)
    );
    assert_eq!(decisions(&world, &incident).await.len(), MANY as usize);
}
