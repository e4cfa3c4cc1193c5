//! What events and ages start, on both engines: once, within bounds, and with a record of why.

mod age;
mod age_cost;
mod impossible;
mod loops;
mod once;
mod parts;
mod received;
mod storms;
mod verdicts;

use muster_app::App;
use muster_app::paging::Paging;
use muster_app::ports::Clock as _;
use muster_app::table::{Table, Write};
use muster_domain::audit::ChainHead;
use muster_domain::execution::Execution;
use muster_domain::ids::{IncidentId, WorkflowId};
use muster_domain::incident::{Actor, Cause, Incident, IncidentEvent, NewIncident, Opening};
use muster_domain::time::Time;
use muster_domain::workflow::{WhyRecord, Workflow, WorkflowDefinition, WorkflowVersion};
use serde_json::{Value, json};

use super::bob;
use crate::support::world::World;

/// A workflow of team `ops` that starts when an incident is created and then waits, with `change` merged into it.
pub(crate) fn workflow(number: u128, at: Time, change: Value) -> (Workflow, WorkflowVersion) {
    let mut definition = json!({
        "name": format!("Workflow {number}"),
        "teamId": "ops",
        "trigger": {"type": "incident_created"},
        "definition": {
            "nodes": [{"id": "start", "type": "trigger"}, {"id": "wait", "type": "delay", "seconds": 30}],
            "edges": [{"from": "start", "to": "wait"}],
        },
    });
    for (name, value) in change.as_object().into_iter().flatten() {
        definition[name] = value.clone();
    }
    let definition: WorkflowDefinition = serde_json::from_value(definition).unwrap();
    let id = WorkflowId::new(at, number);
    let author: muster_domain::ids::UserId = "ann".parse().unwrap();
    let head = Workflow {
        id: id.clone(),
        team: definition.team_id.clone(),
        name: definition.name.clone(),
        enabled: definition.enabled,
        version: 1,
        trigger: definition.trigger.clone(),
        settings: definition.settings,
        created_by: author.clone(),
        created_at: at,
        updated_at: at,
        deleted_at: None,
        audit: ChainHead::default(),
    };
    let version = WorkflowVersion {
        workflow: id,
        version: 1,
        digest: definition.digest(),
        definition,
        author,
        created_at: at,
        change_note: None,
        rolled_back_from: None,
    };
    (head, version)
}

/// Stores a new workflow as its use case would.
pub(crate) async fn keep(
    app: &App,
    table: &dyn Table,
    (head, version): (Workflow, WorkflowVersion),
) -> Workflow {
    let mut writes = app.candidate_writes(None, &head).await.unwrap();
    writes.extend([Write::create(head.clone()), Write::create(version)]);
    table.commit(writes).await.unwrap();
    head
}

async fn kept(world: &World, number: u128, change: Value) -> Workflow {
    let new = workflow(number, world.clock.now(), change);
    keep(&world.app, world.table.as_ref(), new).await
}

/// Stores a changed head: the candidates follow.
async fn change(world: &World, before: &Workflow, after: &Workflow) {
    world.table.commit(world.app.candidate_writes(Some(before), after).await.unwrap()).await.unwrap();
}

fn now(world: &World) -> Time {
    world.clock.now()
}

/// An incident of team `ops` as it is opened at `at`, with `change` merged into it, and its event.
fn opened(number: u128, at: Time, change: Value) -> (Incident, IncidentEvent) {
    let mut new = json!({"title": "Down", "priority": "HIGH", "teamId": "ops"});
    for (name, value) in change.as_object().into_iter().flatten() {
        new[name] = value.clone();
    }
    let new: NewIncident = serde_json::from_value(new).unwrap();
    let user = || "ann".parse().unwrap();
    let opening = Opening { id: IncidentId::new(at, number), created_by: user(), source: None };
    let cause = Cause::first(Actor::Person { user: user() }, "c-1");
    let (incident, mut event) = Incident::open(new, opening, &cause, at);
    event.due_at = None;
    (incident, event)
}

/// The event of a new incident.
fn event(world: &World, number: u128, change: Value) -> IncidentEvent {
    opened(number, now(world), change).1
}

async fn executions(world: &World, workflow: &Workflow) -> Vec<Execution> {
    let query = muster_app::table::Query::ExecutionsOfWorkflow { workflow: workflow.id.clone() };
    let page = muster_app::table::PageRequest {
        limit: 100,
        order: muster_app::table::Order::Ascending,
        after: None,
    };
    let page = world.table.query(&query, &page).await.unwrap();
    page.records.into_iter().map(|stored| stored.typed().unwrap().value).collect()
}

/// What was decided about an incident; stores the incident if nobody has.
async fn decisions(world: &World, incident: &Incident) -> Vec<WhyRecord> {
    // A repeat finds it there.
    let _ = world.table.commit(vec![Write::create(incident.clone())]).await;
    let paging = Paging { limit: 100, cursor: None };
    world.app.decisions_of_incident(&bob(), &incident.id, &paging).await.unwrap().items
}
