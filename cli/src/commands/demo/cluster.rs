//! The cluster of the second scene: an HTTP API over one node, on a port of its own. It finds no room for pods at first.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::{Json, Router};
use muster_app::clock::SystemClock;
use muster_app::ports::Clock as _;
use muster_domain::time::Time;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::sleep;

/// How long a look at the node takes: enough to see that two are taken at once.
const LOOK_TAKES: Duration = Duration::from_millis(300);

pub(super) struct Cluster {
    pub(super) address: SocketAddr,
    endpoint: Arc<Endpoint>,
}

struct Endpoint {
    /// What callers have to show.
    token: SecretString,
    node: Mutex<Node>,
}

#[derive(Default)]
struct Node {
    cordoned: bool,
    drained: bool,
    room: Room,
    calls: Vec<Call>,
}

/// Whether there is a place for the pods of a drained node.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Room {
    #[default]
    None,
    Enough,
}

/// One call as it was answered.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) attempt: String,
    pub(super) request: String,
    pub(super) answer: StatusCode,
    pub(super) came: Time,
    pub(super) left: Time,
}

impl Cluster {
    pub(super) async fn start(token: SecretString) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let endpoint = Arc::new(Endpoint { token, node: Mutex::default() });
        let router = Router::new().fallback(receive).with_state(Arc::clone(&endpoint));
        // Ends with the process.
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, endpoint })
    }

    pub(super) fn make(&self, room: Room) {
        self.endpoint.node().room = room;
    }

    /// Every call so far, in the order of the answers.
    pub(super) fn calls(&self) -> Vec<Call> {
        self.endpoint.node().calls.clone()
    }

    /// As in `schedulable, with its pods`.
    pub(super) fn standing(&self) -> String {
        let node = self.endpoint.node();
        let pods = if node.drained { "without pods" } else { "with its pods" };
        format!("{}, {pods}", if node.cordoned { "cordoned" } else { "schedulable" })
    }
}

impl Endpoint {
    fn node(&self) -> MutexGuard<'_, Node> {
        self.node.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let given = headers.get("authorization").and_then(|value| value.to_str().ok());
        given.and_then(|value| value.strip_prefix("Bearer ")) == Some(self.token.expose_secret())
    }
}

async fn receive(
    State(endpoint): State<Arc<Endpoint>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> (StatusCode, Json<Value>) {
    let came = SystemClock.now();
    if matches!(uri.path(), "/nodes/n1/pods" | "/nodes/n1/events") {
        sleep(LOOK_TAKES).await;
    }
    let mut node = endpoint.node();
    let (answer, body) = match endpoint.knows(&headers) {
        true => node.answer(&method, uri.path()),
        false => (StatusCode::UNAUTHORIZED, json!({})),
    };
    let attempt = headers.get("muster-attempt-id").and_then(|value| value.to_str().ok());
    node.calls.push(Call {
        attempt: attempt.unwrap_or_default().to_owned(),
        request: format!("{method} {}", uri.path()),
        answer,
        came,
        left: SystemClock.now(),
    });
    (answer, Json(body))
}

impl Node {
    fn answer(&mut self, method: &Method, path: &str) -> (StatusCode, Value) {
        match (method.as_str(), path) {
            ("GET", "/summary") => ok(json!({"memoryPressure": !self.drained})),
            ("GET", "/nodes") => ok(json!({"nodes": [{"name": "n1"}]})),
            ("GET", "/nodes/n1/pods") => ok(json!({"pods": [{"name": "checkout-7", "memoryMiB": 3900}]})),
            ("GET", "/nodes/n1/events") => ok(json!({"count": 4})),
            ("GET", "/pods") => self.pending(),
            ("POST", "/nodes/n1/cordon") => self.set(|node| node.cordoned = true),
            ("POST", "/nodes/n1/uncordon") => self.set(|node| node.cordoned = false),
            ("POST", "/nodes/n1/drain") => self.set(|node| node.drained = true),
            ("POST", "/nodes/n1/undrain") => self.set(|node| node.drained = false),
            _ => (StatusCode::NOT_FOUND, json!({})),
        }
    }

    fn pending(&self) -> (StatusCode, Value) {
        match self.room {
            Room::None => {
                (StatusCode::INTERNAL_SERVER_ERROR, json!({"error": "the scheduler is out of order"}))
            }
            Room::Enough => ok(json!({"pending": 0})),
        }
    }

    fn set(&mut self, change: impl FnOnce(&mut Self)) -> (StatusCode, Value) {
        change(self);
        ok(json!({"cordoned": self.cordoned, "drained": self.drained}))
    }
}

fn ok(body: Value) -> (StatusCode, Value) {
    (StatusCode::OK, body)
}
