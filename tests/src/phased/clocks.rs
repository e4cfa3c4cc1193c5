//! Clocks that jump by an hour, forwards and backwards, while something waits for a moment: nothing is lost, early by the clock, or
//! done twice.

use std::time::Duration;

use muster_app::job::Job;
use rstest::rstest;
use serde_json::{Value, json};

use super::hanging::Hanging;
use crate::http::phases::{accepted, act, ask, because, called, look, read};
use crate::http::{bob, text};
use crate::support::world::{Engine, World};

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_secs(60);

fn waits(world: &World) -> Value {
    let delay = json!({"id": "settle", "type": "delay", "seconds": 60});
    let phases = json!([{"id": "all", "steps": [delay, look(world, "last")]}]);
    json!({"name": "Wait and look", "teamId": "ops", "limits": {"maxDurationSeconds": 86_400}, "phases": phases})
}

/// Delivers the run's job now, as a worker or a sweeper that looks at the wrong moment would.
async fn looks(world: &World, execution: &str) {
    world.handle(&Job::Run { execution: execution.parse().unwrap() }).await.unwrap();
}

async fn status(world: &World, execution: &str) -> String {
    text(&read(world, execution).await["status"])
}

#[rstest]
#[tokio::test]
async fn inv_g4_a_delay_ends_once_when_the_clock_jumps_ahead(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let execution = accepted(&world, waits(&world)).await;
    world.drain_due().await;
    world.clock.advance(HOUR);
    looks(&world, &execution).await;
    world.app.sweep().await.unwrap();
    world.drain().await;
    assert_eq!((status(&world, &execution).await.as_str(), called(&world).len()), ("SUCCESS", 1));
}

#[rstest]
#[tokio::test]
async fn inv_g4_a_delay_ends_at_its_moment_and_not_before_when_the_clock_jumps_back(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let execution = accepted(&world, waits(&world)).await;
    world.drain_due().await;
    world.clock.set_back(HOUR);
    world.clock.advance(MINUTE);
    looks(&world, &execution).await;
    assert_eq!((status(&world, &execution).await.as_str(), called(&world).len()), ("WAITING", 0));
    world.queue.lose_all();
    world.clock.advance(HOUR + MINUTE);
    world.app.sweep().await.unwrap();
    world.drain().await;
    assert_eq!((status(&world, &execution).await.as_str(), called(&world).len()), ("SUCCESS", 1));
}

/// Asks a responder, within ten minutes, before one call.
fn gated(world: &World) -> Value {
    let approval = json!({"levels": [{"of": ["team:ops:responder"]}], "expiresInSeconds": 600});
    let asks = json!({"id": "ask", "type": "approval", "approval": approval});
    json!({"name": "Ask and look", "teamId": "ops", "phases": [{"id": "all", "steps": [asks, look(world, "last")]}]})
}

/// The status that carl's approval is answered with.
async fn approves(world: &World, execution: &str) -> u16 {
    let asked = bob(world).get(&format!("/api/executions/{execution}/approvals")).await.expect(200);
    let body = json!({"digest": asked["items"][0]["digest"]});
    let carl = world.client("carl", &["team:ops:responder"]);
    carl.post(&format!("/api/executions/{execution}/steps/ask/approve"), body).await.status
}

#[rstest]
#[tokio::test]
async fn inv_c5_an_approval_is_over_when_the_clock_jumps_past_its_end(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let execution = accepted(&world, gated(&world)).await;
    world.drain().await;
    world.clock.advance(HOUR);
    assert_eq!(approves(&world, &execution).await, 409);
    world.app.sweep().await.unwrap();
    world.drain().await;
    assert_eq!((status(&world, &execution).await.as_str(), called(&world).len()), ("FAILED", 0));
    // The clock is corrected: what is over stays over.
    world.clock.set_back(HOUR);
    assert_eq!(approves(&world, &execution).await, 409);
    looks(&world, &execution).await;
    assert_eq!((status(&world, &execution).await.as_str(), called(&world).len()), ("FAILED", 0));
}

#[rstest]
#[tokio::test]
async fn inv_c5_an_approval_stays_open_until_its_moment_when_the_clock_jumps_back(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let (answered, left) = (accepted(&world, gated(&world)).await, accepted(&world, gated(&world)).await);
    world.drain().await;
    world.clock.set_back(HOUR);
    assert_eq!(approves(&world, &answered).await, 200);
    world.drain().await;
    assert_eq!((status(&world, &answered).await.as_str(), called(&world).len()), ("SUCCESS", 1));
    looks(&world, &left).await;
    assert_eq!(status(&world, &left).await, "WAITING");
    world.clock.advance(HOUR + Duration::from_secs(660));
    world.app.sweep().await.unwrap();
    world.drain().await;
    assert_eq!((status(&world, &left).await.as_str(), called(&world).len()), ("FAILED", 1));
}

/// One call that hangs at first.
async fn in_flight(engine: Engine) -> (Hanging, String) {
    let hanging = Hanging::on(engine, &["/cordon"]).await;
    let phases = json!([{"id": "act", "steps": [act(&hanging.world, "cordon")]}]);
    let definition =
        json!({"name": "Act", "teamId": "ops", "limits": {"maxDurationSeconds": 86_400}, "phases": phases});
    let execution = accepted(&hanging.world, definition).await;
    hanging.passes(Duration::from_secs(5)).await;
    assert_eq!(called(&hanging.world), ["cordon"]);
    (hanging, execution)
}

/// Every attempt arrived once at most, under one key.
fn sent_once_each(world: &World) {
    assert!(world.receiver.arrivals().values().all(|times| *times == 1), "inv_b1");
    let received = world.receiver.received();
    assert!(
        received.iter().all(|call| call.header("idempotency-key") == received[0].header("idempotency-key"))
    );
}

#[rstest]
#[tokio::test]
async fn inv_g2_a_lease_that_the_clock_jumps_past_is_taken_over_and_the_old_worker_changes_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let (hanging, execution) = in_flight(engine).await;
    hanging.jumps(HOUR).await;
    // The old worker still waits for its answer.
    hanging.delivers(Job::Run { execution: execution.parse().unwrap() }).await;
    let taken_over = read(&hanging.world, &execution).await;
    assert_eq!(taken_over["steps"][0]["attempts"][0]["outcome"], "unknown", "{taken_over}");
    hanging.passes(Duration::from_secs(120)).await;
    sent_once_each(&hanging.world);
    let ended = read(&hanging.world, &execution).await;
    assert_eq!(ended["status"], "FAILED", "no attempt was ever answered");
    assert_eq!(called(&hanging.world).len(), 3, "the retries that the step has, and no more");
}

#[rstest]
#[tokio::test]
async fn inv_g1_a_lease_holds_until_its_moment_when_the_clock_jumps_back_and_is_taken_over_then(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let (hanging, execution) = in_flight(engine).await;
    let world = &hanging.world;
    hanging.kill_workers().await;
    world.clock.set_back(HOUR);
    for _ in 0..3 {
        hanging.passes(MINUTE).await;
        world.app.sweep().await.unwrap();
        hanging.delivers(Job::Run { execution: execution.parse().unwrap() }).await;
    }
    assert_eq!(called(world).len(), 1, "by the clock the lease is held");
    hanging.passes(HOUR).await;
    world.app.sweep().await.unwrap();
    hanging.passes(Duration::from_secs(120)).await;
    sent_once_each(world);
    assert_eq!((status(world, &execution).await.as_str(), called(world).len()), ("FAILED", 3));
}

#[rstest]
#[tokio::test]
async fn the_time_of_a_run_that_is_paused_does_not_run_whichever_way_the_clock_jumps(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    for ahead in [true, false] {
        let world = World::on(engine).await;
        let mut definition = waits(&world);
        definition["limits"]["maxDurationSeconds"] = json!(300);
        let execution = accepted(&world, definition).await;
        world.drain_due().await;
        ask(&world, &execution, "pause", because()).await;
        if ahead {
            world.clock.advance(HOUR)
        } else {
            world.clock.set_back(HOUR)
        }
        looks(&world, &execution).await;
        let paused = read(&world, &execution).await;
        assert_eq!((&paused["status"], &paused["pause"]["latencyMs"]), (&json!("PAUSED"), &json!(0)));
        ask(&world, &execution, "resume", json!({})).await;
        world.drain().await;
        assert_eq!((status(&world, &execution).await.as_str(), called(&world).len()), ("SUCCESS", 1));
    }
}
