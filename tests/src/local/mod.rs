//! The `muster` command as a process: what only a real start, a real kill and a real clock can show. These tests wait for
//! what happens, by looking often, and never for time to pass.

mod callbacks;
mod commands;
mod crash;
mod demo;
mod drain;
mod events;
mod guard;
pub(crate) mod person;
mod portable;
pub(crate) mod server;
mod tokens;

use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use self::person::Person;
use self::server::Server;

/// The longest that anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(10);

/// The first answer of `look`, which is asked again and again.
pub(crate) async fn eventually<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    within(PATIENCE, what, look).await
}

/// The same, for as long as `patience`.
pub(crate) async fn within<T>(patience: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < patience, "waited {patience:?} for {what}");
        tokio::time::sleep(LOOK).await;
    }
}

/// A directory for data, which does not exist yet. Goes with the first of the two.
pub(crate) fn data_dir() -> (TempDir, std::path::PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("data");
    (parent, data)
}

/// Ann, who writes runbooks of team `ops` and executes them.
pub(crate) fn ann(server: &Server) -> Person {
    Person::of(server, "ann", &["team:ops:admin"])
}

/// The path that executes a new, approved runbook whose webhook is `url`.
pub(crate) async fn approved_runbook(server: &Server, url: &str) -> String {
    let definition = json!({"name": "Restart a service", "teamId": "ops", "webhookUrl": url});
    let runbook = ann(server).post("/api/runbooks", definition).await.expect(201);
    let path = format!("/api/runbooks/{}", runbook["id"].as_str().unwrap());
    let bob = Person::of(server, "bob", &["platform-admin"]);
    bob.post(&format!("{path}/approve"), json!({})).await.expect(200);
    format!("{path}/execute")
}

/// The path of an execution that was just asked for.
pub(crate) async fn execute(server: &Server, path: &str) -> String {
    let accepted = ann(server).post(path, json!({})).await.expect(202);
    format!("/api/executions/{}", accepted["execution"]["id"].as_str().unwrap())
}

/// The execution once it has come to an end that only a person changes, if any.
pub(crate) async fn ended(server: &Server, path: &str) -> serde_json::Value {
    let ann = ann(server);
    eventually("the execution to end", async || {
        let seen = ann.get(path).await.expect(200);
        let ended = !["PENDING", "RUNNING", "WAITING"].contains(&seen["status"].as_str().unwrap());
        ended.then_some(seen)
    })
    .await
}
