//! The API through its router: every request passes all of it, down to a real table. The client holds every answer against
//! the OpenAPI document.

mod accounts;
mod anomaly;
mod applicability;
mod audit;
mod callbacks;
mod drafts;
mod editing;
mod executing;
mod freezes;
mod giving_up;
mod hooks;
mod idempotency;
mod incidents;
mod life;
mod limits;
mod lists;
mod manual;
mod matrix;
mod noise;
pub(crate) mod phases;
mod refusals;
mod routers;
mod runs;
mod teams;
mod triggers;
mod troubles;
mod workflows;
mod yaml;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::world::World;

/// Writes runbooks of team `ops`, and executes them.
pub(crate) fn ann(world: &World) -> Client {
    world.client("ann", &["team:ops:admin"])
}

/// Approves them.
pub(crate) fn bob(world: &World) -> Client {
    world.client("bob", &["platform-admin"])
}

/// The definition most tests create: one webhook of team `ops` to the world's receiver, with `change` merged into it.
pub(crate) fn definition(world: &World, change: Value) -> Value {
    let definition =
        json!({"name": "Restart a service", "teamId": "ops", "webhookUrl": world.receiver.url("/restart")});
    with(definition, change)
}

/// An object with the members of another; `null` takes one away.
pub(crate) fn with(mut object: Value, change: Value) -> Value {
    let members = object.as_object_mut().unwrap();
    for (name, value) in change.as_object().into_iter().flatten() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    object
}

/// The id of a new runbook, a DRAFT.
pub(crate) async fn draft(world: &World, change: Value) -> String {
    let created =
        world.client("ann", &["platform-admin"]).post("/api/runbooks", definition(world, change)).await;
    text(&created.expect(201)["id"])
}

/// The id of a new runbook whose first version is APPROVED.
pub(crate) async fn approved(world: &World, change: Value) -> String {
    let id = draft(world, change).await;
    bob(world).post(&format!("/api/runbooks/{id}/approve"), json!({})).await.expect(200);
    id
}

/// The id of a new incident.
pub(crate) async fn incident(world: &World, change: Value) -> String {
    let new = with(json!({"title": "Checkout is slow", "priority": "HIGH", "teamId": "ops"}), change);
    text(&bob(world).post("/api/incidents", new).await.expect(201)["id"])
}

/// The id of a new execution, not yet run.
pub(crate) async fn executed(world: &World, runbook: &str, request: Value) -> String {
    let answer = bob(world).post(&format!("/api/runbooks/{runbook}/execute"), request).await;
    text(&answer.expect(202)["execution"]["id"])
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
