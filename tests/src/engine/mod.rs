//! The engine through its use cases: delivery, retries, recovery, guards, proof. Real table, real way out, a clock of ours.

mod bodies;
mod crash_points;
mod delivery;
mod events;
mod guards;
mod hostile_events;
pub(crate) mod matching;
pub(crate) mod notifications;
mod outage;
mod proof;
mod recovery;
mod reordered_reports;
mod review;
mod steering;
mod troubles;
mod workflow_crashes;
mod workflow_guards;
mod workflow_runs;
mod workflow_time;
mod workflows;

use muster_app::Caller;
use muster_app::executions::{ExecuteRequest, Executed};
use muster_domain::execution::{Execution, ExecutionStatus};
use muster_domain::ids::{ExecutionId, RunbookId};
use muster_domain::policy::Principal;
use serde_json::{Value, json};

use crate::support::world::{Engine, World};

/// A caller with these groups.
pub(crate) fn caller(user: &str, groups: &[&str]) -> Caller {
    let principal = Principal::from_groups(user.parse().unwrap(), groups.iter().copied());
    Caller { principal, idempotency: None, correlation_id: None }
}

/// Writes runbooks of team `ops`.
pub(crate) fn ann() -> Caller {
    caller("ann", &["team:ops:admin"])
}

/// Approves them.
pub(crate) fn bob() -> Caller {
    caller("bob", &["platform-admin"])
}

/// The definition most tests run: one webhook to the world's receiver, with `change` merged into it.
pub(crate) fn definition(world: &World, change: Value) -> Value {
    let mut definition = json!({
        "name": "Restart a service",
        "teamId": "ops",
        "webhookUrl": world.receiver.url("/restart"),
        "payloadTemplate": {"service": "{{default params.service \"web\"}}", "why": "{{incident.title}}"},
    });
    for (name, value) in change.as_object().into_iter().flatten() {
        definition[name] = value.clone();
    }
    definition
}

/// A runbook that ann wrote and bob approved.
pub(crate) async fn approved(world: &World, change: Value) -> RunbookId {
    let definition = serde_json::from_value(definition(world, change)).unwrap();
    let created = world.app.create_runbook(&ann(), definition).await.unwrap();
    let id = created.runbook.id;
    world.app.approve_runbook(&bob(), &id, None, None).await.unwrap();
    id
}

/// An execution that was accepted and not yet run.
pub(crate) async fn accepted(world: &World, runbook: &RunbookId) -> ExecutionId {
    let request = ExecuteRequest {
        incident_id: None,
        parameters: json!({"service": "checkout"}).as_object().cloned().unwrap(),
        version: None,
        dry_run: false,
    };
    match world.app.execute_runbook(&ann(), runbook, &request).await.unwrap() {
        Executed::Accepted(accepted) => accepted.id,
        Executed::DryRun(steps) => panic!("a dry run: {steps:?}"),
    }
}

pub(crate) async fn execution(world: &World, id: &ExecutionId) -> Execution {
    world.app.execution(&bob(), id).await.unwrap()
}

pub(crate) async fn check_status(world: &World, id: &ExecutionId, expected: ExecutionStatus) {
    let execution = execution(world, id).await;
    assert_eq!(execution.status(), expected, "{:?}", execution.state);
}

/// The error of an execution that failed.
pub(crate) async fn failure(world: &World, id: &ExecutionId) -> String {
    let state = execution(world, id).await.state;
    match state {
        muster_domain::execution::State::Failed { error } => error,
        other => panic!("not failed: {other:?}"),
    }
}

/// What every history must leave behind: a trail and a chain that verify, and no attempt that arrived twice.
pub(crate) async fn check_promises(world: &World, id: &ExecutionId) {
    let export = world.app.audit_export(&bob(), &id.as_str().parse().unwrap()).await.unwrap();
    export.verify().unwrap();
    for (attempt, times) in world.receiver.arrivals() {
        assert_eq!(times, 1, "inv_b1: attempt {attempt} arrived {times} times");
    }
}
