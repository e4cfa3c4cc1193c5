//! What a simple execution and an event cost on DynamoDB and SQS, as the engine's `ReturnConsumedCapacity` says.
//!
//! `cargo test -p muster-tests cost -- --nocapture` prints the figures.

mod matching;

use std::sync::Arc;

use muster_domain::execution::ExecutionStatus;
use muster_store::dynamo::{CapacityMeter, Consumed, DynamoTable};
use serde_json::json;

use crate::engine::{accepted, approved, check_status};
use crate::support::dynamo::Dynamo;
use crate::support::world::{World, settings};

/// The most that a simple execution may cost: write units with every index, and SQS requests (send, receive, delete).
const MOST_WRITE_UNITS: f64 = 16.0;
const MOST_SQS_REQUESTS: usize = 3;

fn since(before: Consumed, after: Consumed) -> Consumed {
    Consumed {
        read_units: after.read_units - before.read_units,
        write_units: after.write_units - before.write_units,
        reads: after.reads - before.reads,
        writes: after.writes - before.writes,
        transactions: after.transactions - before.transactions,
    }
}

#[tokio::test]
async fn a_simple_execution_costs_at_most_16_write_units_and_3_queue_requests() {
    let dynamo = Dynamo::start().await;
    let meter = Arc::new(CapacityMeter::default());
    let table = DynamoTable::new(dynamo.client().clone(), dynamo.table()).with_meter(Arc::clone(&meter));
    let world = World::over(Arc::new(table), tempfile::tempdir().unwrap(), settings()).await;
    let runbook = approved(&world, json!({"parameters": {"type": "object"}})).await;
    let start = meter.consumed();
    let id = accepted(&world, &runbook).await;
    let sent = world.queue.len();
    let after_accept = meter.consumed();
    world.drain().await;
    check_status(&world, &id, ExecutionStatus::Success).await;
    let accept = since(start, after_accept);
    let run = since(after_accept, meter.consumed());
    let before_another = meter.consumed();
    accepted(&world, &runbook).await;
    world.drain().await;
    let another = since(before_another, meter.consumed());
    println!(
        "{}",
        json!({
            "figure": "dynamodb units of a simple execution",
            "acceptWriteUnits": accept.write_units,
            "runWriteUnits": run.write_units,
            "readUnits": accept.read_units + run.read_units,
            "readUnitsWithTheVersionInMemory": another.read_units,
            "transactions": accept.transactions + run.transactions,
            "sqsRequests": sent * 3,
        })
    );
    let total = accept.write_units + run.write_units;
    assert!(total > 6.0, "the meter counts: {total}");
    assert!(total <= MOST_WRITE_UNITS, "{total} write units");
    assert!(sent * 3 <= MOST_SQS_REQUESTS, "{sent} messages");
}
