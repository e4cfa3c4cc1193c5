//! How a server ends: asked once it lets the calls in hand end, asked twice it does not.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::server::Server;
use super::{ann, approved_runbook, data_dir, ended, eventually, execute};

/// A receiver that answers a call when the test lets it.
struct Gate {
    address: SocketAddr,
    doors: Arc<Doors>,
}

struct Doors {
    arrived: Semaphore,
    opened: Semaphore,
}

impl Gate {
    async fn closed() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let doors = Arc::new(Doors { arrived: Semaphore::new(0), opened: Semaphore::new(0) });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&doors));
        // Ends with the runtime of its test.
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, doors }
    }

    /// Waits for the next call to arrive.
    async fn call(&self) {
        self.doors.arrived.acquire().await.unwrap().forget();
    }

    /// Lets one call be answered.
    fn open(&self) {
        self.doors.opened.add_permits(1);
    }
}

async fn pass(State(doors): State<Arc<Doors>>) {
    doors.arrived.add_permits(1);
    doors.opened.acquire().await.unwrap().forget();
}

#[tokio::test]
async fn asked_to_end_it_takes_nothing_more_and_lets_the_call_in_hand_end() {
    let (_parent, data) = data_dir();
    let gate = Gate::closed().await;
    let target = gate.address.to_string();
    let mut server = Server::start(&data, &["--allow-egress", &target]).await;
    let path = approved_runbook(&server, &format!("http://{target}/")).await;
    let execution = execute(&server, &path).await;
    gate.call().await;
    let ann = ann(&server);

    server.terminate();
    eventually("new requests to be refused", async || ann.try_post(&path, json!({})).await.err()).await;
    assert!(server.lives(), "it left its call behind");
    gate.open();
    assert!(server.ended().await.success(), "{}", server.errors());

    let again = Server::start(&data, &["--allow-egress", &target]).await;
    let execution = ended(&again, &execution).await;
    assert_eq!(execution["status"], "SUCCESS");
    assert_eq!(execution["steps"][0]["attempts"].as_array().unwrap().len(), 1, "{execution}");
}

#[tokio::test]
async fn asked_twice_it_ends_at_once_and_the_next_start_goes_on() {
    let (_parent, data) = data_dir();
    let gate = Gate::closed().await;
    let target = gate.address.to_string();
    let mut server = Server::start(&data, &["--allow-egress", &target]).await;
    let path = approved_runbook(&server, &format!("http://{target}/")).await;
    let execution = execute(&server, &path).await;
    gate.call().await;

    server.terminate();
    eventually("the first signal to be heard", async || server.errors().contains("Stopping").then_some(()))
        .await;
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(1), "{}", server.errors());

    gate.open();
    gate.open();
    let again = Server::start(&data, &["--allow-egress", &target]).await;
    let execution = ended(&again, &execution).await;
    assert_eq!(execution["status"], "SUCCESS");
    let attempts = &execution["steps"][0]["attempts"];
    assert_eq!(attempts[0]["outcome"], "unknown", "{attempts}");
    assert_eq!(attempts[1]["statusCode"], 200, "{attempts}");
}
