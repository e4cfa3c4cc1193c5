//! Jobs of runs that have ended, delivered again from the dead letters.

use std::time::Duration;

use muster_app::job::Job;
use rstest::rstest;
use serde_json::json;

use crate::http::ann;
use crate::http::phases::{accepted, because, called, read, runbook};
use crate::support::receiver::Reply;
use crate::support::world::{Engine, World};

/// A run that has come to this end.
async fn ended(world: &World, status: &str) -> String {
    let execution = accepted(world, runbook(world)).await;
    match status {
        "ROLLED_BACK" => world.receiver.will_at("/drain", [Reply::Status(404)]),
        "FAILED" => world.receiver.will_at("/first", [Reply::Status(404)]),
        "CANCELLED" => {
            let path = format!("/api/executions/{execution}/cancel");
            ann(world).post(&path, because()).await.expect(200);
        }
        _ => {}
    }
    world.drain().await;
    assert_eq!(read(world, &execution).await["status"], status);
    execution
}

#[rstest]
#[tokio::test]
async fn inv_g5_a_redrive_of_a_finished_run_of_any_age_sends_nothing_and_changes_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    for status in ["SUCCESS", "FAILED", "CANCELLED", "ROLLED_BACK"] {
        let world = World::on(engine).await;
        let execution = ended(&world, status).await;
        let (shown, calls) = (read(&world, &execution).await, called(&world));
        let job = Job::Run { execution: execution.parse().unwrap() };
        for age in [0, 3_600, 14 * 86_400] {
            world.clock.advance(Duration::from_secs(age));
            world.handle(&job).await.unwrap();
            world.app.give_up(&job, "too many receipts").await.unwrap();
            world.app.sweep().await.unwrap();
            world.drain().await;
        }
        assert_eq!(read(&world, &execution).await, shown, "inv_b7: {status}");
        assert_eq!(called(&world), calls, "inv_g5: {status}");
        assert_eq!(shown.get("stop").is_some(), status == "CANCELLED", "{}", json!(shown));
    }
}
