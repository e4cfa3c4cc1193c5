//! What events are matched against, and the events.

use muster_domain::ids::IncidentId;
use muster_domain::incident::{
    Actor, Cause, Incident, IncidentEvent, IncidentEventKind, NewIncident, Opening,
};
use muster_domain::incident::{IncidentFacts, IncidentStatus};
use muster_domain::time::Time;
use muster_domain::workflow::WorkflowDefinition;
use serde_json::{Value, json};

use super::BenchError;

/// The service of which no workflow knows.
pub(super) const UNKNOWN: &str = "nobody-knows";

/// The service that workflow `number` is for.
pub(super) fn service(number: usize) -> String {
    format!("service-{number}")
}

/// A workflow that calls `hook` when `trigger` holds for an incident of its own service.
pub(super) fn workflow(team: &str, number: usize, trigger: &Value, hook: &str) -> Value {
    let mut trigger = trigger.clone();
    if let Some(members) = trigger.as_object_mut() {
        let conditions = json!([{"field": "metadata.service", "value": service(number)}]);
        members.insert("conditions".to_owned(), conditions);
    }
    json!({
        "name": format!("Restart service {number} of team {team}"),
        "teamId": team,
        "trigger": trigger,
        "definition": {
            "nodes": [
                {"id": "start", "type": "trigger"},
                {"id": "call", "type": "action", "action": {"type": "webhook", "url": hook}},
            ],
            "edges": [{"from": "start", "to": "call"}],
        },
        "settings": {"maxStartsPerMinute": 1_000},
    })
}

/// A workflow as matching sees it.
pub(super) fn definition(number: usize, trigger: &Value) -> Result<WorkflowDefinition, BenchError> {
    let definition = workflow("bench", number, trigger, "http://localhost/");
    serde_json::from_value(definition).map_err(BenchError::Workload)
}

/// The request that opens an incident.
pub(super) fn incident(service: &str) -> Value {
    json!({
        "title": "5xx rate above 2 % for five minutes",
        "priority": "HIGH",
        "teamId": "bench",
        "metadata": {"service": service, "environment": "production", "region": "eu-central-1"},
    })
}

/// That somebody acknowledged the incident, which then was about `service`.
pub(super) fn acknowledged(id: IncidentId, service: &str, at: Time) -> Result<IncidentEvent, BenchError> {
    let new: NewIncident = serde_json::from_value(incident(service)).map_err(BenchError::Workload)?;
    let user: muster_domain::ids::UserId = "ann".parse()?;
    let cause = Cause::first(Actor::Person { user: user.clone() }, "bench");
    let (incident, opened) = Incident::open(new, Opening { id, created_by: user, source: None }, &cause, at);
    let kind =
        IncidentEventKind::StateChanged { from: IncidentStatus::Open, to: IncidentStatus::Acknowledged };
    let snapshot = IncidentFacts { status: IncidentStatus::Acknowledged, ..IncidentFacts::from(&incident) };
    Ok(IncidentEvent { seq: 2, kind, snapshot, due_at: None, ..opened })
}
