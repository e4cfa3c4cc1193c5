//! What an event costs on DynamoDB: by the workflows that are asked, and whether one of them starts.

use std::ops::Range;

use muster_app::ports::Clock as _;
use muster_domain::ids::IncidentId;
use muster_domain::incident::{Actor, Cause, Incident, IncidentEvent, NewIncident, Opening};
use muster_store::dynamo::Consumed;
use serde_json::json;

use super::{Metered, since};
use crate::engine::matching::{keep, workflow};

/// The most that one event may cost.
struct Most {
    requests: (u64, u64, u64),
    read_units: f64,
    write_units: f64,
}

impl Metered {
    /// Each waits for another service of the team, or of another team.
    async fn keep(&self, team: &str, workflows: Range<u128>) {
        for number in workflows {
            let conditions = json!([{"field": "metadata.service", "value": format!("service-{number}")}]);
            let trigger = json!({"type": "incident_created", "conditions": conditions});
            let new = workflow(number, self.world.clock.now(), json!({"teamId": team, "trigger": trigger}));
            keep(&self.world.app, self.world.table.as_ref(), new).await;
        }
    }

    fn event(&self, number: u128, service: &str) -> IncidentEvent {
        let new =
            json!({"title": "Down", "priority": "HIGH", "teamId": "ops", "metadata": {"service": service}});
        let new: NewIncident = serde_json::from_value(new).unwrap();
        let now = self.world.clock.now();
        let user: muster_domain::ids::UserId = "ann".parse().unwrap();
        let opening = Opening { id: IncidentId::new(now, number), created_by: user.clone(), source: None };
        Incident::open(new, opening, &Cause::first(Actor::Person { user }, "c-1"), now).1
    }

    async fn matched(&self, number: u128, service: &str, starts: usize) -> Consumed {
        let before = self.meter.consumed();
        let matched = self.world.app.match_event(&self.event(number, service)).await.unwrap();
        assert_eq!(matched.started.len(), starts);
        since(before, self.meter.consumed())
    }
}

/// Costs of the second event, when the lists and the version are in memory, as they are for nearly every event.
async fn check(candidates: u128, starts: usize, most: Most) {
    let metered = Metered::start().await;
    metered.keep("ops", 0..candidates).await;
    metered.keep("web", 1_000..1_020).await;
    let service = if starts == 0 { "nobody-knows" } else { "service-0" };
    let first = metered.matched(1, service, starts).await;
    let sent = metered.world.queue.len();
    let cost = metered.matched(2, service, starts).await;
    let messages = metered.world.queue.len() - sent;
    println!(
        "{}",
        json!({
            "figure": "dynamodb cost of an event", "candidates": candidates.to_string(), "starts": starts,
            "reads": cost.reads, "readUnits": cost.read_units, "writes": cost.writes,
            "transactions": cost.transactions, "writeUnits": cost.write_units, "sqsRequests": messages * 3,
            "readsOfTheFirst": first.reads, "readUnitsOfTheFirst": first.read_units,
        })
    );
    assert_eq!((cost.reads, cost.writes, cost.transactions), most.requests, "{candidates} candidates");
    assert!(cost.read_units <= most.read_units, "{} read units", cost.read_units);
    assert!(cost.write_units <= most.write_units, "{} write units", cost.write_units);
    assert_eq!(messages, starts, "one message for each start");
}

#[tokio::test]
async fn an_event_that_starts_nothing_costs_one_read_and_one_write() {
    check(0, 0, Most { requests: (1, 0, 0), read_units: 2.0, write_units: 0.0 }).await;
    check(10, 0, Most { requests: (1, 1, 0), read_units: 2.0, write_units: 1.0 }).await;
    check(100, 0, Most { requests: (1, 1, 0), read_units: 2.0, write_units: 2.0 }).await;
}

#[tokio::test]
async fn an_event_that_starts_a_workflow_costs_two_reads_and_one_transaction() {
    check(1, 1, Most { requests: (2, 0, 1), read_units: 4.0, write_units: 12.0 }).await;
    check(10, 1, Most { requests: (2, 0, 1), read_units: 4.0, write_units: 12.0 }).await;
    check(100, 1, Most { requests: (2, 0, 1), read_units: 4.0, write_units: 14.0 }).await;
}
