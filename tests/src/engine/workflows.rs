//! Saving workflows: what stands in the table afterwards. The rest of this file is what the tests of running them share.

use muster_app::table::{Key, Order, PageRequest, Query, Table};
use muster_app::workflows::{Activation, RunRequest};
use muster_domain::execution::{Execution, StepState};
use muster_domain::ids::{IncidentId, TeamId, WorkflowId};
use muster_domain::workflow::{TriggerKind, Workflow};
use rstest::rstest;

use super::*;

/// A workflow of team `ops` that a person starts; every edge is `from`, `to`, and the branch if it leaves a condition.
pub(super) fn workflow(nodes: Value, edges: &[(&str, &str, Option<&str>)]) -> Value {
    let edges: Vec<Value> = edges
        .iter()
        .map(|(from, to, when)| match when {
            Some(when) => json!({"from": from, "to": to, "when": when}),
            None => json!({"from": from, "to": to}),
        })
        .collect();
    let mut all = vec![json!({"type": "trigger", "id": "start"})];
    all.extend(nodes.as_array().unwrap().iter().cloned());
    json!({
        "name": "Restart on alarm",
        "teamId": "ops",
        "trigger": {"type": "manual"},
        "definition": {"nodes": all, "edges": edges},
    })
}

/// A node that calls the world's receiver at `/<id>`.
pub(super) fn call(world: &World, id: &str) -> Value {
    json!({"type": "action", "id": id, "action": {"type": "webhook", "url": world.receiver.url(&format!("/{id}"))}})
}

/// A node that executes a runbook.
pub(super) fn executes(id: &str, runbook: &RunbookId, change: Value) -> Value {
    let mut action = json!({"type": "runbook", "runbookId": runbook});
    for (name, value) in change.as_object().unwrap() {
        action[name] = value.clone();
    }
    json!({"type": "action", "id": id, "action": action})
}

pub(super) async fn saved(world: &World, definition: Value) -> WorkflowId {
    let definition = serde_json::from_value(definition).unwrap();
    world.app.create_workflow(&ann(), definition).await.unwrap().workflow.id
}

/// An execution that a person started and no worker has claimed.
pub(super) async fn begun(world: &World, id: &WorkflowId, incident: Option<IncidentId>) -> ExecutionId {
    world.app.run_workflow(&ann(), id, &RunRequest { incident }).await.unwrap()
}

pub(super) async fn incident(world: &World, metadata: Value) -> IncidentId {
    let new = json!({"title": "Down", "priority": "HIGH", "teamId": "ops", "metadata": metadata});
    world.app.create_incident(&ann(), serde_json::from_value(new).unwrap()).await.unwrap().id
}

/// What became of every step that was decided, in one line.
pub(super) fn story(execution: &Execution) -> String {
    let state = |state: &StepState| match state {
        StepState::Sending => "sending",
        StepState::Waiting { .. } => "waiting",
        StepState::Delayed { .. } => "delayed",
        StepState::AwaitsChild { .. } => "awaits",
        StepState::AwaitsApproval { .. } => "asks",
        StepState::Void => "void",
        StepState::AwaitsCallback { .. } => "called",
        StepState::Armed => "armed",
        StepState::Succeeded => "done",
        StepState::Skipped { .. } => "skipped",
        StepState::Failed { .. } => "failed",
        StepState::NeedsReview { .. } => "review",
    };
    let steps = execution.steps.iter().map(|(id, run)| format!("{id} {}", state(&run.state)));
    steps.collect::<Vec<_>>().join(", ")
}

/// What the matcher would find, and the generation of its list.
async fn listed(table: &dyn Table, kind: TriggerKind) -> (Vec<Workflow>, u64) {
    let team: Option<TeamId> = Some("ops".parse().unwrap());
    let page = PageRequest { limit: 100, order: Order::Ascending, after: None };
    let records = table.query(&Query::Candidates { team: team.clone(), kind }, &page).await.unwrap().records;
    let candidates = records.into_iter().map(|stored| match stored.record {
        muster_app::table::Record::Candidate(candidate) => candidate.0,
        other => panic!("no candidate: {other:?}"),
    });
    let generation = table.get(&Key::Candidates(team)).await.unwrap();
    (candidates.collect(), generation.map_or(0, |stored| stored.version))
}

#[rstest]
#[tokio::test]
async fn the_matchers_list_is_in_step_with_every_save(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let table = world.table.as_ref();
    let mut definition = workflow(json!([call(&world, "call")]), &[("start", "call", None)]);
    definition["trigger"] = json!({"type": "incident_created"});
    let id = saved(&world, definition.clone()).await;
    let (found, generation) = listed(table, TriggerKind::IncidentCreated).await;
    let head = world.app.workflow(&ann(), &id).await.unwrap().workflow;
    assert_eq!((found, generation), (vec![head], 1));

    let update = async |definition: &Value| {
        let definition = serde_json::from_value(definition.clone()).unwrap();
        world.app.update_workflow(&ann(), &id, definition, None, None).await.unwrap()
    };
    let same = update(&definition).await;
    assert_eq!((same.version.version, listed(table, TriggerKind::IncidentCreated).await.1), (1, 1));
    definition["trigger"] = json!({"type": "escalation"});
    let changed = update(&definition).await;
    assert!(
        listed(table, TriggerKind::IncidentCreated).await.0.is_empty(),
        "it left the list of its old kind"
    );
    assert_eq!(listed(table, TriggerKind::Escalation).await, (vec![changed.workflow], 2));

    let off = world.app.switch_workflow(&ann(), &id, Activation::Disabled).await.unwrap();
    assert_eq!((off.version.version, off.version.definition.enabled), (3, false));
    assert_eq!(listed(table, TriggerKind::Escalation).await, (Vec::new(), 3));
    definition["enabled"] = json!(false);
    definition["name"] = json!("Other");
    update(&definition).await;
    assert_eq!(listed(table, TriggerKind::Escalation).await, (Vec::new(), 3), "nothing in it changed");
    let on = world.app.switch_workflow(&ann(), &id, Activation::Enabled).await.unwrap();
    assert_eq!(listed(table, TriggerKind::Escalation).await, (vec![on.workflow], 4));

    world.app.delete_workflow(&ann(), &id, None).await.unwrap();
    assert_eq!(listed(table, TriggerKind::Escalation).await, (Vec::new(), 5));
    let export = world.app.audit_export(&bob(), &id.as_str().parse().unwrap()).await.unwrap();
    export.verify().unwrap();
    let actions: Vec<&str> = export.entries.iter().map(|entry| entry.action.as_str()).collect();
    let (made, changed, gone) = ("workflow.created", "workflow.updated", "workflow.deleted");
    assert_eq!(actions, [made, changed, changed, changed, changed, gone]);
}
