//! Age triggers (C10): once, while the incident is open, and not long after the moment has passed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use muster_app::table::{AgeCursor, Key, Order, PageRequest, Query, Versioned};
use muster_domain::incident::IncidentStatus;
use muster_domain::workflow::MatchOutcome;
use rstest::rstest;

use super::parts::FailsAfter;
use super::*;
use crate::support::world::Engine;

const MINUTE: Duration = Duration::from_secs(60);

fn aged(minutes: u32) -> Value {
    json!({"trigger": {"type": "age", "ageThresholdMinutes": minutes}})
}

async fn open(world: &World, number: u128, change: Value) -> Incident {
    let (incident, _) = opened(number, now(world), change);
    world.table.commit(vec![Write::create(incident.clone())]).await.unwrap();
    incident
}

async fn check(world: &World, aged: u64, misfired: u64) {
    let swept = world.app.sweep().await.unwrap();
    assert_eq!((swept.aged, swept.misfired, swept.failed), (aged, misfired, 0));
}

#[rstest]
#[tokio::test]
async fn inv_g4_an_age_trigger_is_never_early_and_fires_once(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let of_team = kept(&world, 1, aged(30)).await;
    let with_global = json!({"teamId": null, "trigger": aged(45)["trigger"]});
    let global = kept(&world, 2, with_global).await;
    check(&world, 0, 0).await;
    let incident = open(&world, 1, json!({})).await;
    open(&world, 2, json!({"teamId": "web"})).await;
    world.clock.advance(30 * MINUTE - Duration::from_millis(1));
    check(&world, 0, 0).await;
    world.clock.advance(Duration::from_millis(1));
    check(&world, 1, 0).await;
    for _ in 0..3 {
        check(&world, 0, 0).await;
        world.clock.advance(MINUTE);
    }
    world.clock.advance(12 * MINUTE);
    check(&world, 2, 0).await;
    check(&world, 0, 0).await;
    let started = executions(&world, &of_team).await;
    let [execution] = started.as_slice() else { panic!("one execution, not {}", started.len()) };
    assert_eq!(execution.requested_by.as_str(), "muster|schedule");
    assert_eq!(execution.incident, Some(incident.id.clone()));
    assert_eq!(execution.chain, std::slice::from_ref(&of_team.id));
    assert_eq!(executions(&world, &global).await.len(), 2);
    let outcomes: Vec<MatchOutcome> =
        decisions(&world, &incident).await.iter().map(|why| why.outcome).collect();
    assert_eq!(outcomes, [MatchOutcome::Matched, MatchOutcome::Matched]);
}

#[rstest]
#[tokio::test]
async fn an_incident_that_was_resolved_in_time_starts_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let workflow = kept(&world, 1, aged(30)).await;
    check(&world, 0, 0).await;
    for (number, status) in (1..).zip(IncidentStatus::ALL) {
        let (incident, _) = opened(number, now(&world), json!({}));
        world.table.commit(vec![Write::create(Incident { status, ..incident })]).await.unwrap();
    }
    world.clock.advance(30 * MINUTE);
    check(&world, 2, 0).await;
    assert_eq!(executions(&world, &workflow).await.len(), 2, "of OPEN and ACKNOWLEDGED");
}

#[rstest]
#[tokio::test]
async fn inv_g4_what_came_of_age_in_an_outage_is_skipped_and_recorded(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let mut trigger = aged(30);
    trigger["settings"] = json!({"misfireMinutes": 20});
    kept(&world, 1, trigger).await;
    check(&world, 0, 0).await;
    let missed = open(&world, 1, json!({})).await;
    world.clock.advance(MINUTE);
    let just_in_time = open(&world, 2, json!({})).await;
    world.clock.advance(50 * MINUTE);
    check(&world, 1, 1).await;
    check(&world, 0, 0).await;
    for (incident, outcome) in [(missed, MatchOutcome::Misfired), (just_in_time, MatchOutcome::Matched)] {
        let [why] = decisions(&world, &incident).await.try_into().unwrap();
        assert_eq!(why.outcome, outcome, "{:?}", why.reasons);
    }
}

#[rstest]
#[tokio::test]
async fn a_workflow_created_or_enabled_later_sees_what_is_already_old_enough(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    open(&world, 1, json!({})).await;
    world.clock.advance(300 * MINUTE);
    let workflow = kept(&world, 1, aged(30)).await;
    check(&world, 1, 0).await;
    let off = Workflow { enabled: false, updated_at: now(&world), ..workflow.clone() };
    change(&world, &workflow, &off).await;
    open(&world, 2, json!({})).await;
    world.clock.advance(300 * MINUTE);
    check(&world, 0, 0).await;
    let on = Workflow { enabled: true, updated_at: now(&world), ..off.clone() };
    change(&world, &off, &on).await;
    check(&world, 1, 0).await;
    // With another threshold: what was judged is not judged again.
    let other =
        Workflow { trigger: serde_json::from_value(aged(10)["trigger"].clone()).unwrap(), ..on.clone() };
    change(&world, &on, &other).await;
    check(&world, 0, 0).await;
    assert_eq!(executions(&world, &workflow).await.len(), 2);
}

#[rstest]
#[tokio::test]
async fn conditions_hold_for_age_triggers_and_two_sweepers_start_nothing_twice(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let conditions = json!([{"field": "priority", "value": "CRITICAL"}]);
    let trigger = json!({"type": "age", "ageThresholdMinutes": 5, "conditions": conditions});
    let workflow = kept(&world, 1, json!({"trigger": trigger})).await;
    for number in 1..=3 {
        open(&world, number, json!({"priority": "CRITICAL"})).await;
    }
    let low = open(&world, 4, json!({"priority": "LOW"})).await;
    world.clock.advance(5 * MINUTE);
    let (one, two) = futures::join!(world.app.sweep(), world.app.sweep());
    assert_eq!(one.unwrap().aged + two.unwrap().aged, 3);
    assert_eq!(executions(&world, &workflow).await.len(), 3);
    let [why] = decisions(&world, &low).await.try_into().unwrap();
    assert_eq!(why.outcome, MatchOutcome::NotMatched);
}

/// More than one tick looks at: the next goes on, also where many were opened in one millisecond.
#[tokio::test]
async fn a_long_list_is_judged_over_several_ticks() {
    let world = World::sqlite().await;
    let mut settings = aged(5);
    settings["settings"] = json!({"maxStartsPerMinute": 1_000});
    kept(&world, 1, settings).await;
    let all: Vec<Write> = (0..1_300_u32)
        .map(|number| {
            let at = now(&world).plus(Duration::from_millis(u64::from(number / 130)));
            Write::create(opened(u128::from(number), at, json!({})).0)
        })
        .collect();
    for some in all.chunks(100) {
        world.table.commit(some.to_vec()).await.unwrap();
    }
    world.clock.advance(6 * MINUTE);
    let mut started = 0;
    for _ in 0..4 {
        started += world.app.sweep().await.unwrap().aged;
        world.clock.advance(MINUTE);
    }
    assert_eq!(started, 1_300);
    check(&world, 0, 0).await;
}

/// What a sweeper has judged before it is ended, the next one does not judge again.
#[tokio::test]
async fn inv_g4_a_sweep_that_is_ended_in_a_long_list_goes_on_where_it_stood() {
    let hook = Arc::new(FailsAfter(AtomicUsize::new(0)));
    let world = World::hooked(Engine::Sqlite, Arc::clone(&hook)).await;
    let mut settings = aged(5);
    settings["settings"] = json!({"maxStartsPerMinute": 1_000});
    let workflow = kept(&world, 1, settings).await;
    let start = now(&world);
    for number in 0..250_u32 {
        let at = start.plus(Duration::from_millis(u64::from(number)));
        world.table.commit(vec![Write::create(opened(u128::from(number), at, json!({})).0)]).await.unwrap();
    }
    world.clock.advance(6 * MINUTE);
    // Two pages with their cursors, and a part of the third.
    hook.0.store(220, Ordering::SeqCst);
    let _ = world.app.sweep().await;
    let cursor = world.table.get(&Key::AgeCursor(workflow.id.clone())).await.unwrap().unwrap();
    let cursor: Versioned<AgeCursor> = cursor.typed().unwrap();
    assert_eq!(cursor.value.opened_until, start.plus(Duration::from_millis(198)));
    let before = executions_of(&world, &workflow).await;
    assert!((200..250).contains(&before), "{before}");
    world.app.sweep().await.unwrap();
    assert_eq!(executions_of(&world, &workflow).await, 250);
}

async fn executions_of(world: &World, workflow: &Workflow) -> usize {
    let query = Query::ExecutionsOfWorkflow { workflow: workflow.id.clone() };
    let (mut count, mut after) = (0, None);
    loop {
        let request = PageRequest { limit: 100, order: Order::Ascending, after };
        let page = world.table.query(&query, &request).await.unwrap();
        count += page.records.len();
        after = page.next;
        if after.is_none() {
            return count;
        }
    }
}
