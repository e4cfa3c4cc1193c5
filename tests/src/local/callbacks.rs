//! A receiver that calls back over the network, with a key that outlives the server's process.

use serde_json::json;

use super::person::Person;
use super::server::Server;
use super::{ann, data_dir, ended, eventually, execute};
use crate::support::receiver::Receiver;

#[tokio::test]
async fn inv_f3_a_token_counts_after_a_restart_and_is_in_no_log_and_no_file() {
    let (_parent, data) = data_dir();
    let receiver = Receiver::start().await;
    let opened = receiver.target();
    let arguments = ["--allow-egress", opened.as_str(), "--public-url", "https://muster.example/"];
    let server = Server::start(&data, &arguments).await;
    let call = json!({"type": "webhook", "url": receiver.url("/drain")});
    let step =
        json!({"id": "drain", "type": "diagnostic", "action": call, "callback": {"timeoutSeconds": 600}});
    let phases = json!([{"id": "act", "name": "Act", "steps": [step]}]);
    let definition = json!({"name": "Drain", "teamId": "ops", "phases": phases});
    let runbook = ann(&server).post("/api/runbooks", definition).await.expect(201);
    let runbook = format!("/api/runbooks/{}", runbook["id"].as_str().unwrap());
    let bob = Person::of(&server, "bob", &["platform-admin"]);
    bob.post(&format!("{runbook}/approve"), json!({})).await.expect(200);
    let execution = execute(&server, &format!("{runbook}/execute")).await;
    eventually("the execution to wait", async || {
        let seen = ann(&server).get(&execution).await.expect(200);
        (seen["waitingOn"] == "callback").then_some(())
    })
    .await;
    let call = receiver.received().pop().unwrap();
    let path = format!("{execution}/steps/drain/callback");
    assert_eq!(call.header("muster-callback-url"), format!("https://muster.example{path}"));
    let token = call.header("muster-callback-token");
    let wrong = Person::with_token(&server, &format!("{token}A"));
    wrong.post(&path, json!({"status": "failed"})).await.expect(401);
    let before = server.errors();
    server.kill();
    let server = Server::start(&data, &arguments).await;
    let right = Person::with_token(&server, &token);
    right.post(&path, json!({"status": "succeeded"})).await.expect(200);
    assert_eq!(ended(&server, &execution).await["status"], "SUCCESS");
    assert!(!(before + &server.errors()).contains(&token), "the log");
    for file in std::fs::read_dir(&data).unwrap().flatten() {
        let bytes = std::fs::read(file.path()).unwrap();
        assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()), "{:?}", file.path());
    }
}
