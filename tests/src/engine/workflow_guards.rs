//! What keeps a workflow from running: kill switches, its own end, and the wrong incident.

use muster_app::Error;
use muster_app::kill_switches::SetKillSwitch;
use muster_app::workflows::RunRequest;
use muster_domain::execution::State;
use rstest::rstest;

use super::workflows::{begun, call, incident, saved, workflow};
use super::*;

async fn calling(world: &World) -> muster_domain::ids::WorkflowId {
    saved(world, workflow(json!([call(world, "call")]), &[("start", "call", None)])).await
}

#[rstest]
#[tokio::test]
async fn inv_g3_a_kill_switch_stops_workflows_too(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let id = calling(&world).await;
    let accepted = begun(&world, &id, None).await;
    let scope = "team:ops".parse().unwrap();
    let engage = SetKillSwitch { engaged: true, reason: "drill".into() };
    world.app.set_kill_switch(&bob(), &scope, &engage).await.unwrap();
    let refused = world.app.run_workflow(&ann(), &id, &RunRequest::default()).await;
    assert!(matches!(refused, Err(Error::KillSwitch { .. })), "{refused:?}");
    world.drain().await;
    assert!(execution(&world, &accepted).await.status().is_terminal());
    assert!(world.receiver.received().is_empty());
}

#[rstest]
#[tokio::test]
async fn a_disabled_workflow_runs_by_hand_and_a_deleted_one_runs_no_further(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = calling(&world).await;
    world.app.switch_workflow(&ann(), &id, muster_app::workflows::Activation::Disabled).await.unwrap();
    let run = begun(&world, &id, None).await;
    world.drain().await;
    check_status(&world, &run, ExecutionStatus::Success).await;
    let run = begun(&world, &id, None).await;
    world.app.delete_workflow(&ann(), &id, None).await.unwrap();
    world.drain().await;
    let state = execution(&world, &run).await.state;
    assert!(
        matches!(&state, State::Failed { error } | State::Cancelled { reason: error } if error.contains("Workflow is deleted")),
        "{state:?}"
    );
    let again = world.app.run_workflow(&ann(), &id, &RunRequest::default()).await;
    assert!(matches!(again, Err(Error::NotFound { .. })), "{again:?}");
    assert_eq!(world.receiver.received().len(), 1);
}

#[rstest]
#[tokio::test]
async fn a_workflow_runs_for_incidents_of_its_own_team_alone(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = calling(&world).await;
    let own = incident(&world, json!({})).await;
    begun(&world, &id, Some(own)).await;
    let new = json!({"title": "Down", "priority": "HIGH", "teamId": "web"});
    let other = world.app.create_incident(&bob(), serde_json::from_value(new).unwrap()).await.unwrap().id;
    let refused = world.app.run_workflow(&bob(), &id, &RunRequest { incident: Some(other) }).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
}
