//! The load: clients that each keep one connection and ask again as soon as they are answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The largest answer that is read: the list of all arrivals of a long run.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// One connection to a server, on behalf of one user.
pub(super) struct Client {
    connection: SendRequest<Body>,
    address: SocketAddr,
    authorization: String,
}

/// A request that the load repeats.
#[derive(Debug, Clone)]
pub(super) struct Shot {
    pub(super) path: String,
    pub(super) body: String,
    pub(super) token: String,
}

/// What many of them came to.
pub(super) struct Volley {
    pub(super) times: Vec<Duration>,
    pub(super) elapsed: Duration,
}

impl Client {
    pub(super) async fn connect(address: SocketAddr, token: &str) -> Result<Self, LoadError> {
        let stream = TcpStream::connect(address).await.map_err(LoadError::Connect)?;
        stream.set_nodelay(true).map_err(LoadError::Connect)?;
        let (connection, driver) = handshake(TokioIo::new(stream)).await?;
        // Ends with the connection; what goes wrong with it, the requests tell.
        tokio::spawn(driver);
        Ok(Self { connection, address, authorization: format!("Bearer {token}") })
    }

    pub(super) async fn get(&mut self, path: &str) -> Result<Value, LoadError> {
        self.ask(Method::GET, path, String::new(), StatusCode::OK).await
    }

    /// The answer, which must have the expected status.
    pub(super) async fn post(
        &mut self,
        path: &str,
        body: String,
        status: StatusCode,
    ) -> Result<Value, LoadError> {
        self.ask(Method::POST, path, body, status).await
    }

    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: String,
        expected: StatusCode,
    ) -> Result<Value, LoadError> {
        let (status, bytes) = self.send(method, path, body).await?;
        if status == expected {
            // Metrics are no JSON, and nobody needs them as a value.
            Ok(serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into())))
        } else {
            let body = String::from_utf8_lossy(&bytes).into();
            Err(LoadError::Status { path: path.to_owned(), status, body })
        }
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: String,
    ) -> Result<(StatusCode, Vec<u8>), LoadError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.to_string())
            .header(AUTHORIZATION, &self.authorization)
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(body))?;
        self.connection.ready().await?;
        let response = self.connection.send_request(request).await?;
        let status = response.status();
        let bytes = to_bytes(Body::new(response.into_body()), MOST_BYTES).await.map_err(LoadError::Body)?;
        Ok((status, bytes.to_vec()))
    }
}

/// Sends `count` shots from `clients` connections; each must be accepted.
pub(super) async fn fire(
    address: SocketAddr,
    shot: &Shot,
    clients: usize,
    count: u32,
) -> Result<Volley, LoadError> {
    let next = Arc::new(AtomicU32::new(0));
    let start = Instant::now();
    let mut volleys = JoinSet::new();
    for _ in 0..clients {
        let client = Client::connect(address, &shot.token).await?;
        volleys.spawn(repeat(client, shot.clone(), Arc::clone(&next), count));
    }
    let mut times = Vec::new();
    for volley in volleys.join_all().await {
        times.extend(volley?);
    }
    Ok(Volley { times, elapsed: start.elapsed() })
}

/// What many different requests were answered, in the order of the requests.
pub(super) struct Answers {
    pub(super) answers: Vec<Value>,
    pub(super) volley: Volley,
}

/// Posts each of `bodies` once, from `clients` connections; each must be answered with `status`.
pub(super) async fn post_each(
    address: SocketAddr,
    shot: &Shot,
    bodies: Vec<String>,
    clients: usize,
    status: StatusCode,
) -> Result<Answers, LoadError> {
    let bodies = Arc::new(bodies);
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let mut posting = JoinSet::new();
    for _ in 0..clients {
        let client = Client::connect(address, &shot.token).await?;
        let (bodies, next) = (Arc::clone(&bodies), Arc::clone(&next));
        posting.spawn(post_some(client, shot.path.clone(), bodies, next, status));
    }
    let mut posted = Vec::new();
    for some in posting.join_all().await {
        posted.extend(some?);
    }
    let elapsed = start.elapsed();
    posted.sort_unstable_by_key(|one| one.position);
    let (answers, times) = posted.into_iter().map(|one| (one.answer, one.time)).unzip();
    Ok(Answers { answers, volley: Volley { times, elapsed } })
}

struct Posted {
    position: usize,
    answer: Value,
    time: Duration,
}

async fn post_some(
    mut client: Client,
    path: String,
    bodies: Arc<Vec<String>>,
    next: Arc<AtomicUsize>,
    status: StatusCode,
) -> Result<Vec<Posted>, LoadError> {
    let mut posted = Vec::new();
    loop {
        let position = next.fetch_add(1, Ordering::Relaxed);
        let Some(body) = bodies.get(position) else { return Ok(posted) };
        let start = Instant::now();
        let answer = client.post(&path, body.clone(), status).await?;
        posted.push(Posted { position, answer, time: start.elapsed() });
    }
}

async fn repeat(
    mut client: Client,
    shot: Shot,
    next: Arc<AtomicU32>,
    count: u32,
) -> Result<Vec<Duration>, LoadError> {
    let mut times = Vec::new();
    while next.fetch_add(1, Ordering::Relaxed) < count {
        let start = Instant::now();
        client.post(&shot.path, shot.body.clone(), StatusCode::ACCEPTED).await?;
        times.push(start.elapsed());
    }
    Ok(times)
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("connecting")]
    Connect(#[source] std::io::Error),
    #[error("making a request")]
    Request(#[from] hyper::http::Error),
    #[error("sending a request")]
    Send(#[from] hyper::Error),
    #[error("reading an answer")]
    Body(#[source] axum::Error),
    #[error("{path} answered {status}: {body}")]
    Status { path: String, status: StatusCode, body: String },
}
