//! The loop guard (C5): what a workflow causes carries its chain.

use muster_app::metrics::Counter;
use muster_domain::workflow::MatchOutcome;
use rstest::rstest;

use super::*;
use crate::support::world::Engine;

/// The event that an execution would cause by opening another incident.
fn caused(world: &World, by: &Execution, number: u128) -> (Incident, IncidentEvent) {
    let (incident, event) = opened(number, now(world), json!({}));
    (incident, IncidentEvent { chain: by.chain.clone(), ..event })
}

#[rstest]
#[tokio::test]
async fn a_workflow_that_triggers_itself_runs_once(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let workflow = kept(&world, 1, json!({})).await;
    world.app.match_event(&event(&world, 1, json!({}))).await.unwrap();
    let first = executions(&world, &workflow).await.remove(0);
    let (incident, again) = caused(&world, &first, 2);
    let matched = world.app.match_event(&again).await.unwrap();
    assert_eq!((matched.started.len(), matched.refused), (0, 1));
    let [why] = decisions(&world, &incident).await.try_into().unwrap();
    assert_eq!(why.outcome, MatchOutcome::RefusedByLoopGuard);
    assert_eq!(world.app.metrics().value(Counter::WorkflowsRefused), 1);
    assert_eq!(executions(&world, &workflow).await.len(), 1);
}

/// Each of four starts whatever an incident is opened; each opens another. The chain never grows beyond three.
#[rstest]
#[tokio::test]
async fn workflows_that_trigger_each_other_stop_at_depth_3(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let mut workflows = Vec::new();
    for number in 1..=4 {
        workflows.push(kept(&world, number, json!({"settings": {"maxStartsPerMinute": 100}})).await);
    }
    let mut waiting = vec![event(&world, 1, json!({}))];
    let (mut number, mut started, mut last) = (1, 0, None);
    while let Some(event) = waiting.pop() {
        let matched = world.app.match_event(&event).await.unwrap();
        started += matched.started.len();
        for id in matched.started {
            number += 1;
            let execution = world.app.execution(&bob(), &id).await.unwrap();
            assert!(execution.chain.len() <= 3, "{:?}", execution.chain);
            let (incident, event) = caused(&world, &execution, number);
            last = (execution.chain.len() == 3).then_some(incident).or(last);
            waiting.push(event);
        }
    }
    assert_eq!(started, 4 + 4 * 3 + 4 * 3 * 2, "no chain holds a workflow twice or is longer than three");
    let records = decisions(&world, &last.unwrap()).await;
    assert_eq!(records.len(), 4);
    for why in records {
        assert_eq!(why.outcome, MatchOutcome::RefusedByLoopGuard);
        assert!(
            why.reasons.iter().any(|reason| reason.name == "depth" && !reason.holds),
            "{:?}",
            why.reasons
        );
    }
}

/// A starts B by what it causes, B would start A: the chain holds both, so that neither starts again.
#[rstest]
#[tokio::test]
async fn two_workflows_that_trigger_each_other_stop_and_it_is_recorded(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let on = |service: &str| {
        let conditions = json!([{"field": "metadata.service", "value": service}]);
        json!({"trigger": {"type": "incident_created", "conditions": conditions}})
    };
    let pair = [kept(&world, 1, on("one")).await, kept(&world, 2, on("two")).await];
    let mut chain = Vec::new();
    let mut outcomes = Vec::new();
    for (number, service) in (1..).zip(["one", "two", "one", "two"]) {
        let (incident, event) = opened(number, now(&world), json!({"metadata": {"service": service}}));
        let matched = world.app.match_event(&IncidentEvent { chain: chain.clone(), ..event }).await.unwrap();
        let records = decisions(&world, &incident).await;
        let of_it = records.iter().find(|why| why.workflow == pair[usize::from(service == "two")].id);
        outcomes.push(of_it.unwrap().outcome);
        if let Some(id) = matched.started.first() {
            chain = world.app.execution(&bob(), id).await.unwrap().chain;
        }
    }
    let (yes, no) = (MatchOutcome::Matched, MatchOutcome::RefusedByLoopGuard);
    assert_eq!(outcomes, [yes, yes, no, no]);
    assert_eq!(chain, pair.clone().map(|workflow| workflow.id));
    for workflow in &pair {
        assert_eq!(executions(&world, workflow).await.len(), 1);
    }
}
