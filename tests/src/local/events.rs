//! The events of incidents go through the bus of the process itself, and outlive a kill.

use serde_json::{Value, json};

use super::server::Server;
use super::{ann, data_dir, eventually};

#[tokio::test]
async fn inv_a6_events_are_delivered_by_the_process_that_made_them_or_by_the_next() {
    let (_parent, data) = data_dir();
    let server = Server::start(&data, &[]).await;
    let new = json!({"title": "Checkout is slow", "priority": "HIGH", "teamId": "ops"});
    let mut incidents = Vec::new();
    for _ in 0..20 {
        let opened = ann(&server).post("/api/incidents", new.clone()).await.expect(201);
        incidents.push(opened["id"].as_str().unwrap().to_owned());
    }
    all_delivered(&server, &incidents[..1]).await;
    server.kill();
    let server = Server::start(&data, &[]).await;
    all_delivered(&server, &incidents).await;
}

async fn all_delivered(server: &Server, incidents: &[String]) {
    for incident in incidents {
        let path = format!("/api/incidents/{incident}/events");
        eventually("an event to be delivered", async || {
            let events: Value = ann(server).get(&path).await.expect(200);
            (events["items"][0]["delivery"] == "DELIVERED").then_some(())
        })
        .await;
    }
}
