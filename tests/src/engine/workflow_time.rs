//! How long an action may take (C7).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use muster_app::ports::{Call, Egress};
use muster_domain::outcome::Outcome;
use rstest::rstest;

use super::workflows::{begun, call, saved, workflow};
use super::*;

/// A way out that answers at once and notes how long it might have taken.
#[derive(Default)]
struct Timed(Mutex<Vec<Duration>>);

#[async_trait]
impl Egress for Timed {
    async fn send(&self, call: Call<'_>) -> Outcome {
        self.0.lock().unwrap().push(call.timeout);
        Outcome::Answered { status: 200, retry_after_ms: None, body: String::new(), truncated: false }
    }
}

/// A minute in all, of which some is spent before the call.
async fn check(engine: Engine, spent: u64, timeout: Option<u64>, expected: Duration) {
    let mut world = World::on(engine).await;
    let timed = Arc::<Timed>::default();
    world.egress = Arc::clone(&timed) as Arc<dyn Egress>;
    let mut node = call(&world, "call");
    node["action"]["timeoutSeconds"] = json!(timeout);
    let nodes = json!([{"type": "delay", "id": "pause", "seconds": spent}, node]);
    let mut definition = workflow(nodes, &[("start", "pause", None), ("pause", "call", None)]);
    definition["settings"] = json!({"timeout": "1min"});
    let id = saved(&world, definition).await;
    let run = begun(&world, &id, None).await;
    world.drain().await;
    check_status(&world, &run, ExecutionStatus::Success).await;
    assert_eq!(*timed.0.lock().unwrap(), [expected], "after {spent} s");
}

#[rstest]
#[tokio::test]
async fn an_action_gets_what_it_asks_for_and_four_fifths_of_what_is_left_at_most(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let seconds = Duration::from_secs;
    check(engine, 1, None, seconds(20)).await;
    check(engine, 1, Some(3), seconds(3)).await;
    check(engine, 35, None, seconds(20)).await;
    check(engine, 40, None, seconds(16)).await;
    check(engine, 50, None, seconds(8)).await;
    check(engine, 50, Some(3), seconds(3)).await;
    check(engine, 59, None, Duration::from_millis(800)).await;
}
