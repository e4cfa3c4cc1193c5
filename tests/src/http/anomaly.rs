//! A run that behaves unlike the runbook's history is told, or stops, as the runbook says.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use muster_app::ports::{Call, Egress};
use muster_domain::outcome::Outcome;
use muster_domain::request::RequestUrl;
use rstest::rstest;

use super::phases::{act, called, look, read, stored};
use super::*;
use crate::support::clock::ManualClock;
use crate::support::receiver::Reply;
use crate::support::world::Engine;

const HOUR: Duration = Duration::from_secs(3_600);

/// The way out, on which calls of one path take a while.
struct Slow {
    inner: Arc<dyn Egress>,
    clock: Arc<ManualClock>,
    path: &'static str,
    takes: Duration,
}

#[async_trait]
impl Egress for Slow {
    async fn send(&self, call: Call<'_>) -> Outcome {
        if matches!(&call.request.url, RequestUrl::Text(url) if url.ends_with(self.path)) {
            self.clock.advance(self.takes);
        }
        self.inner.send(call).await
    }
}

impl World {
    /// From now on.
    fn slows(&mut self, path: &'static str, takes: Duration) {
        let (inner, clock) = (Arc::clone(&self.egress), Arc::clone(&self.clock));
        self.egress = Arc::new(Slow { inner, clock, path, takes });
    }
}

fn runbook(world: &World, anomaly: &str) -> Value {
    json!({
        "name": "Look and act", "teamId": "ops", "rollback": {"onFailure": true}, "limits": {"anomaly": anomaly},
        "phases": [
            {"id": "look", "name": "Look", "steps": [look(world, "first")]},
            {"id": "act", "name": "Act", "steps": [act(world, "cordon"), act(world, "drain")]},
        ],
    })
}

/// A run that has come to rest, a second after the one before.
async fn run(world: &World, runbook: &str) -> Value {
    world.clock.advance(Duration::from_secs(1));
    let execution = executed(world, runbook, json!({})).await;
    world.drain().await;
    read(world, &execution).await
}

fn anomalies(execution: &Value) -> Vec<String> {
    let trail = execution["trail"].as_array().unwrap().iter();
    trail.filter(|entry| entry["event"] == "anomaly").map(|entry| text(&entry["because"])).collect()
}

/// A runbook that ran so often, each time at once.
async fn proven(world: &World, anomaly: &str, runs: usize) -> String {
    let runbook = stored(world, runbook(world, anomaly)).await;
    for _ in 0..runs {
        assert_eq!(run(world, &runbook).await["status"], "SUCCESS");
    }
    runbook
}

const UNUSUAL: &str =
    "step cordon took 5.0 s, and usually takes 0.0 s: more than 1.0 s is unusual by its last 10 successes";

#[rstest]
#[tokio::test]
async fn a_step_that_takes_unusually_long_stops_the_run_and_what_was_done_is_taken_back(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let mut world = World::on(engine).await;
    let runbook = proven(&world, "stop", 10).await;
    let before = called(&world).len();
    world.slows("/cordon", Duration::from_secs(5));
    let stopped = run(&world, &runbook).await;
    assert_eq!((&stopped["status"], &stopped["reason"]), (&json!("ROLLED_BACK"), &json!(UNUSUAL)));
    assert_eq!(anomalies(&stopped), [UNUSUAL]);
    assert_eq!(called(&world)[before..], ["first", "cordon", "uncordon"], "nothing more begins");
}

#[rstest]
#[tokio::test]
async fn where_it_is_only_flagged_the_run_goes_on(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let mut world = World::on(engine).await;
    let runbook = proven(&world, "flag", 10).await;
    world.slows("/cordon", Duration::from_secs(5));
    let flagged = run(&world, &runbook).await;
    assert_eq!((&flagged["status"], anomalies(&flagged)), (&json!("SUCCESS"), vec![UNUSUAL.to_owned()]));
}

#[rstest]
#[case::too_few_runs("stop", 9)]
#[case::nobody_asked("off", 10)]
#[tokio::test]
async fn without_a_history_or_unasked_nothing_is_unusual(#[case] anomaly: &str, #[case] runs: usize) {
    let mut world = World::sqlite().await;
    let runbook = proven(&world, anomaly, runs).await;
    world.slows("/cordon", Duration::from_secs(5));
    let ended = run(&world, &runbook).await;
    assert_eq!((&ended["status"], anomalies(&ended).len()), (&json!("SUCCESS"), 0));
}

#[rstest]
#[tokio::test]
async fn a_runbook_that_suddenly_fails_does_not_begin_until_a_day_has_passed(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = proven(&world, "stop", 5).await;
    world.clock.advance(25 * HOUR);
    for _ in 0..8 {
        world.receiver.will_at("/first", [Reply::Status(404)]);
        assert_eq!(run(&world, &runbook).await["status"], "FAILED");
    }
    let before = called(&world).len();
    for _ in 0..2 {
        let stopped = run(&world, &runbook).await;
        let why = "8 of the last 8 runs within 24 h failed, and of the 5 before them 0 did";
        assert_eq!((&stopped["status"], &stopped["error"]), (&json!("FAILED"), &json!(why)));
        assert_eq!(anomalies(&stopped), [why]);
    }
    assert_eq!(called(&world).len(), before, "nothing begins");
    world.clock.advance(25 * HOUR);
    assert_eq!(run(&world, &runbook).await["status"], "SUCCESS");
}
