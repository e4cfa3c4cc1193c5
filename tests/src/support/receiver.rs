//! A real receiver of webhooks on loopback, which answers by script and remembers what it was sent.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, Uri};
use tokio::net::TcpListener;

pub(crate) struct Receiver {
    address: SocketAddr,
    memory: Arc<Mutex<Memory>>,
}

/// What the receiver does with one request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Status(u16),
    /// Status, headers and body.
    Whole(u16, &'static [(&'static str, &'static str)], String),
    /// Takes the request and never answers.
    Silence,
}

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

#[derive(Default)]
struct Memory {
    script: VecDeque<Reply>,
    received: Vec<Received>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let memory = Arc::<Mutex<Memory>>::default();
        let router = Router::new().fallback(receive).with_state(Arc::clone(&memory));
        // Ends with the runtime of its test.
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, memory }
    }

    /// As in `127.0.0.1:9999`, for the egress policy.
    pub(crate) fn target(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers the next requests so, in this order, and all after them with 200.
    pub(crate) fn will(&self, replies: impl IntoIterator<Item = Reply>) {
        self.memory.lock().unwrap().script.extend(replies);
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.memory.lock().unwrap().received.clone()
    }

    /// How often each attempt arrived, by its id: more than once is a broken promise.
    pub(crate) fn arrivals(&self) -> BTreeMap<String, usize> {
        let mut arrivals = BTreeMap::new();
        for received in self.received() {
            *arrivals.entry(received.header("muster-attempt-id")).or_default() += 1;
        }
        arrivals
    }
}

impl Received {
    /// The value of a header; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> String {
        let value = self.headers.get(name);
        value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    }
}

async fn receive(
    State(memory): State<Arc<Mutex<Memory>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = String::from_utf8_lossy(&body).into_owned();
    let received = Received { method, uri, headers, body };
    let reply = {
        let mut memory = memory.lock().unwrap();
        memory.received.push(received);
        memory.script.pop_front().unwrap_or(Reply::Status(200))
    };
    match reply {
        Reply::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Reply::Whole(status, headers, body) => whole(status, headers, body),
        Reply::Silence => std::future::pending().await,
    }
}

fn whole(status: u16, headers: &[(&'static str, &'static str)], body: String) -> Response {
    let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(*name, value.parse().unwrap());
    }
    response
}
