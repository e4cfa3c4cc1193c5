//! A real receiver of webhooks on loopback, which answers by script and remembers what it was sent.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

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
    /// Answers with the status, but after this long.
    Late(Duration, u16),
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
    /// By path, before the script above.
    scripts: BTreeMap<String, VecDeque<Reply>>,
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

    /// One that all tests of the process share, on a thread and a runtime of its own: it outlives each test's runtime. Who calls
    /// `address` is brought to where it listens, if that is not the same.
    pub(crate) fn start_for_all_tests(address: SocketAddr, listens: SocketAddr) -> Self {
        let listener = std::net::TcpListener::bind(listens).unwrap();
        listener.set_nonblocking(true).unwrap();
        let memory = Arc::<Mutex<Memory>>::default();
        let router = Router::new().fallback(receive).with_state(Arc::clone(&memory));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                axum::serve(TcpListener::from_std(listener).unwrap(), router).await.unwrap();
            });
        });
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

    /// Answers the next requests of this path so, and all after them with 200.
    pub(crate) fn will_at(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        self.memory.lock().unwrap().scripts.entry(path.to_owned()).or_default().extend(replies);
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.memory.lock().unwrap().received.clone()
    }

    /// How many calls there were of paths like this.
    pub(crate) fn count(&self, like: impl Fn(&str) -> bool) -> usize {
        self.memory.lock().unwrap().received.iter().filter(|received| like(received.uri.path())).count()
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

impl Memory {
    fn reply(&mut self, received: Received) -> Reply {
        let own = self.scripts.get_mut(received.uri.path()).and_then(VecDeque::pop_front);
        self.received.push(received);
        own.or_else(|| self.script.pop_front()).unwrap_or(Reply::Status(200))
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
    let reply = memory.lock().unwrap().reply(Received { method, uri, headers, body });
    match reply {
        Reply::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Reply::Whole(status, headers, body) => whole(status, headers, body),
        Reply::Late(after, status) => {
            tokio::time::sleep(after).await;
            StatusCode::from_u16(status).unwrap().into_response()
        }
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
