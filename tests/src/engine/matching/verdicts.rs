//! Who is asked, and what is recorded of it (C3, C4).

use std::time::Duration;

use muster_domain::workflow::MatchOutcome;
use rstest::rstest;

use super::*;
use crate::support::counted::CountedTable;
use crate::support::world::{Engine, settings};

/// The outcome for a workflow with `change` and an incident with `of`; `None` if it is not even asked.
async fn check(world: &World, number: u128, change: Value, of: Value, expected: Option<MatchOutcome>) {
    let workflow = kept(world, number, change.clone()).await;
    let (incident, event) = opened(number, now(world), of);
    world.app.match_event(&event).await.unwrap();
    let records = decisions(world, &incident).await;
    let found = records.iter().find(|why| why.workflow == workflow.id).map(|why| why.outcome);
    assert_eq!(found, expected, "{change}");
    let gone = Workflow { deleted_at: Some(now(world)), ..workflow.clone() };
    self::change(world, &workflow, &gone).await;
}

fn when(field: &str, value: &str) -> Value {
    json!({"trigger": {"type": "incident_created", "conditions": [{"field": field, "value": value}]}})
}

#[rstest]
#[tokio::test]
async fn enabled_workflows_of_the_team_and_global_ones_are_asked(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let (yes, no) = (Some(MatchOutcome::Matched), Some(MatchOutcome::NotMatched));
    let checkout = json!({"metadata": {"service": "checkout"}});
    check(&world, 1, json!({}), json!({}), yes).await;
    check(&world, 2, json!({"teamId": null}), json!({}), yes).await;
    check(&world, 3, json!({"teamId": null}), json!({"teamId": null}), yes).await;
    check(&world, 4, json!({"teamId": "web"}), json!({}), None).await;
    check(&world, 5, json!({}), json!({"teamId": "nobody-knows"}), None).await;
    check(&world, 6, json!({}), json!({"teamId": null}), None).await;
    check(&world, 7, json!({"enabled": false}), json!({}), None).await;
    check(&world, 8, json!({"trigger": {"type": "escalation"}}), json!({}), None).await;
    check(&world, 9, json!({"trigger": {"type": "manual"}}), json!({}), None).await;
    check(&world, 10, when("metadata.service", "checkout"), checkout.clone(), yes).await;
    check(&world, 11, when("metadata.service", "search"), checkout.clone(), no).await;
    check(&world, 12, when("metadata.service.name", "checkout"), checkout.clone(), no).await;
    check(&world, 13, when("metadata.nothing", "checkout"), checkout, no).await;
    check(&world, 14, when("priority", "HIGH"), json!({}), yes).await;
}

#[rstest]
#[tokio::test]
async fn decisions_are_read_page_by_page_the_newest_event_first_for_30_days(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    for number in 1..=3 {
        kept(&world, number, when("metadata.service", "checkout")).await;
    }
    let (incident, mut event) = opened(1, now(&world), json!({}));
    world.table.commit(vec![Write::create(incident.clone())]).await.unwrap();
    world.app.match_event(&event).await.unwrap();
    event.seq = 2;
    event.at = event.at.plus(Duration::from_secs(1));
    event.snapshot.metadata = json!({"service": "checkout"}).as_object().cloned().unwrap();
    world.app.match_event(&event).await.unwrap();

    let viewer = world.client("eve", &["team:ops:viewer"]);
    let mut path = format!("/api/incidents/{}/decisions?limit=4", incident.id);
    let mut seen = Vec::new();
    loop {
        let answer = viewer.get(&path).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let page = answer.json();
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        path = format!("/api/incidents/{}/decisions?limit=4&cursor={cursor}", incident.id);
    }
    let outcomes: Vec<&str> = seen.iter().map(|one| one["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["MATCHED", "MATCHED", "MATCHED", "NOT_MATCHED", "NOT_MATCHED", "NOT_MATCHED"]);
    assert!(seen[0]["executionId"].is_string());
    let no = seen[5]["reasons"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(no, json!({"name": "incident.metadata.service", "expected": "checkout", "holds": false}));
    let stranger = world.client("eve", &["team:web:admin"]);
    assert_eq!(stranger.get(&path).await.status, 403);

    world.clock.advance(Duration::from_secs(31 * 24 * 3_600));
    assert_eq!(decisions(&world, &incident).await, []);
}

/// The list of candidates is read again only when it has changed.
#[rstest]
#[tokio::test]
async fn matching_costs_one_read_while_no_workflow_changes(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let inner = World::on(engine).await;
    let counted = CountedTable::over(inner.table.clone());
    let world = World::over(counted.clone(), tempfile::tempdir().unwrap(), settings()).await;
    let workflow = kept(&world, 1, when("priority", "LOW")).await;
    kept(&world, 2, json!({"teamId": "web"})).await;
    kept(&world, 3, when("priority", "LOW")).await;
    counted.take();
    for (number, queries) in [(1, 1), (2, 0), (3, 0)] {
        world.app.match_event(&event(&world, number, json!({}))).await.unwrap();
        let counts = counted.take();
        assert_eq!((counts.reads, counts.queries, counts.commits), (1, queries, 1), "event {number}");
    }
    let after = Workflow { enabled: false, ..workflow.clone() };
    change(&world, &workflow, &after).await;
    let (incident, event) = opened(4, now(&world), json!({}));
    assert_eq!(world.app.match_event(&event).await.unwrap().candidates, 1);
    assert!(decisions(&world, &incident).await.iter().all(|why| why.workflow != workflow.id));
}
