//! A server that gives the answers it was told to, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::Value;
use tokio::net::TcpListener;

/// One answer: its status, its headers, and a body that is JSON unless the headers say otherwise.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// One request as it came.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Method, path with query, and body.
    pub(super) line: String,
    pub(super) headers: HeaderMap,
}

#[derive(Debug)]
pub(super) struct Stub {
    pub(super) url: String,
    state: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<Asked>>,
}

impl Answer {
    pub(super) fn ok(body: &Value) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.to_string() }
    }

    pub(super) fn problem(status: u16, body: &Value) -> Self {
        Self { status, ..Self::ok(body) }.with("content-type", "application/problem+json")
    }

    pub(super) fn plain(status: u16, body: &str) -> Self {
        Self { status, headers: Vec::new(), body: body.to_owned() }.with("content-type", "text/html")
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Stub {
    /// Gives the answers in their order, and the last one from then on.
    pub(super) async fn with(answers: impl IntoIterator<Item = Answer>) -> Self {
        let state = Arc::new(Shared::default());
        state.answers.lock().unwrap().extend(answers);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, state }
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap().clone()
    }

    /// The requests without their headers.
    pub(super) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn answer(State(state): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let line = format!("{} {} {}", head.method, head.uri, String::from_utf8_lossy(&body));
    let asked = Asked { line: line.trim_end().to_owned(), headers: head.headers };
    state.asked.lock().unwrap().push(asked);
    let mut answers = state.answers.lock().unwrap();
    let next = answers.pop_front().expect("the test gives an answer");
    if answers.is_empty() {
        answers.push_back(next.clone());
    }
    let mut response = Response::new(Body::from(next.body));
    *response.status_mut() = StatusCode::from_u16(next.status).unwrap();
    for (name, value) in next.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}
