//! What a simple execution and an event cost on DynamoDB and SQS, as the engine's `ReturnConsumedCapacity` says.
//!
//! `cargo test -p muster-tests cost -- --nocapture` prints the figures.

mod matching;

use std::sync::Arc;

use muster_store::dynamo::{CapacityMeter, Consumed, DynamoTable};
use serde_json::json;

use crate::http::{ann, approved, bob, incident, text, with};
use crate::support::dynamo::Dynamo;
use crate::support::world::{World, settings};

/// How a person asks for an execution.
#[derive(Debug, Clone, Copy)]
enum Form {
    Plain,
    ForAnIncident,
    WithAnIdempotencyKey,
}

/// The most that a simple execution may cost: units with every index, and SQS requests (send, receive, delete).
struct Most {
    write_units: f64,
    /// In a process that has not compiled the version yet.
    read_units: f64,
    /// In one that has.
    read_units_in_memory: f64,
}

const MOST_SQS_REQUESTS: usize = 3;
/// To accept it and to end it.
const TRANSACTIONS: u64 = 2;

struct Metered {
    world: World,
    meter: Arc<CapacityMeter>,
}

impl Metered {
    async fn start() -> Self {
        let dynamo = Dynamo::start().await;
        let meter = Arc::new(CapacityMeter::default());
        let table = DynamoTable::new(dynamo.client().clone(), dynamo.table()).with_meter(Arc::clone(&meter));
        let world = World::over(Arc::new(table), tempfile::tempdir().unwrap(), settings()).await;
        Self { world, meter }
    }

    /// An execution from its request to its success; which of them is that, so that no two have one key.
    async fn executed(&self, form: Form, runbook: &str, incident: &str, which: &str) -> Consumed {
        let (before, sent) = (self.meter.consumed(), self.world.queue.len());
        let parameters = json!({"parameters": {"service": "checkout"}});
        let (client, request) = match form {
            Form::Plain => (bob(&self.world), parameters),
            Form::ForAnIncident => (bob(&self.world), with(parameters, json!({"incidentId": incident}))),
            Form::WithAnIdempotencyKey => (bob(&self.world).with("idempotency-key", which), parameters),
        };
        let answer = client.post(&format!("/api/runbooks/{runbook}/execute"), request).await.expect(202);
        let messages = self.world.queue.len() - sent;
        self.world.drain().await;
        let consumed = since(before, self.meter.consumed());
        let id = text(&answer["execution"]["id"]);
        let ended = ann(&self.world).get(&format!("/api/executions/{id}")).await.expect(200);
        assert_eq!(ended["status"], "SUCCESS");
        assert!(messages * 3 <= MOST_SQS_REQUESTS, "{messages} messages");
        consumed
    }
}

fn since(before: Consumed, after: Consumed) -> Consumed {
    Consumed {
        read_units: after.read_units - before.read_units,
        write_units: after.write_units - before.write_units,
        reads: after.reads - before.reads,
        writes: after.writes - before.writes,
        transactions: after.transactions - before.transactions,
    }
}

async fn check(form: Form, most: Most) {
    let metered = Metered::start().await;
    let runbook = approved(&metered.world, json!({"parameters": {"type": "object"}})).await;
    let incident = incident(&metered.world, json!({})).await;
    metered.world.drain().await;
    let first = metered.executed(form, &runbook, &incident, "first").await;
    let another = metered.executed(form, &runbook, &incident, "another").await;
    println!(
        "{}",
        json!({
            "figure": "dynamodb units of a simple execution", "form": format!("{form:?}"),
            "writeUnits": first.write_units, "readUnits": first.read_units,
            "readUnitsWithTheVersionInMemory": another.read_units, "transactions": first.transactions,
            "mostSqsRequests": MOST_SQS_REQUESTS,
        })
    );
    assert!(first.write_units > 6.0, "the meter counts: {}", first.write_units);
    for (what, spent, most) in [
        ("write", first.write_units, most.write_units),
        ("write", another.write_units, most.write_units),
        ("read", first.read_units, most.read_units),
        ("read", another.read_units, most.read_units_in_memory),
    ] {
        assert!(spent <= most, "{form:?}: {spent} {what} units, and at most {most} are expected");
    }
    assert_eq!((first.transactions, another.transactions), (TRANSACTIONS, TRANSACTIONS));
}

#[tokio::test]
async fn a_simple_execution_costs_at_most_14_write_and_11_read_units_and_3_queue_requests() {
    check(Form::Plain, Most { write_units: 14.0, read_units: 11.0, read_units_in_memory: 10.0 }).await;
}

#[tokio::test]
async fn one_for_an_incident_reads_it_twice_and_stands_in_its_list() {
    check(Form::ForAnIncident, Most { write_units: 15.0, read_units: 13.0, read_units_in_memory: 12.0 })
        .await;
}

#[tokio::test]
async fn one_with_an_idempotency_key_looks_for_its_record_and_writes_it() {
    let most = Most { write_units: 16.0, read_units: 12.0, read_units_in_memory: 11.0 };
    check(Form::WithAnIdempotencyKey, most).await;
}
