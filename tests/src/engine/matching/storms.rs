//! The storm cap (INVARIANTS H2).

use std::time::Duration;

use futures::future::join_all;
use muster_app::metrics::Counter;
use muster_domain::workflow::MatchOutcome;
use rstest::rstest;

use super::*;
use crate::support::world::Engine;

#[rstest]
#[tokio::test]
async fn inv_h2_a_storm_starts_no_more_than_the_cap_and_the_rest_is_recorded(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let workflow = kept(&world, 1, json!({"settings": {"maxStartsPerMinute": 2}})).await;
    let storm: Vec<_> = (1..=6).map(|number| opened(number, now(&world), json!({}))).collect();
    // Each comes twice, and all at once.
    let deliveries = storm.iter().chain(&storm).map(|(_, event)| world.app.match_event(event));
    for matched in join_all(deliveries).await {
        matched.unwrap();
    }
    assert_eq!(executions(&world, &workflow).await.len(), 2);
    let mut outcomes = Vec::new();
    for (incident, _) in &storm {
        outcomes.extend(decisions(&world, incident).await.into_iter().map(|why| why.outcome));
    }
    outcomes.sort();
    let expected = [[MatchOutcome::Matched; 2].as_slice(), &[MatchOutcome::Suppressed; 4]].concat();
    assert_eq!(outcomes, expected);
    assert_eq!(world.app.metrics().value(Counter::WorkflowsSuppressed), 4);

    world.clock.advance(Duration::from_secs(60));
    // What was suppressed stays so; what is new begins a new count.
    for (_, event) in &storm {
        assert_eq!(world.app.match_event(event).await.unwrap().repeated, 1);
    }
    let matched = world.app.match_event(&event(&world, 7, json!({}))).await.unwrap();
    assert_eq!(matched.started.len(), 1);
}
