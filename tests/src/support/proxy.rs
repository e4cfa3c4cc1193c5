//! An HTTP proxy between a client and a service, whose test decides what becomes of each request.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// A request, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Passing {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// An answer, read to its end.
pub(crate) type Answer = Response<Full<Bytes>>;

/// What stands between. `None` resets the connection without an answer.
#[async_trait::async_trait]
pub(crate) trait Between: Send + Sync + 'static {
    async fn pass(&self, request: Passing) -> Option<Answer>;
}

/// The connection is to be reset.
#[derive(Debug)]
struct NoAnswer;

impl std::fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no answer")
    }
}

impl std::error::Error for NoAnswer {}

/// Serves until the runtime of its test ends.
pub(crate) async fn serve(between: Arc<dyn Between>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(stream, Arc::clone(&between)));
        }
    });
    address
}

async fn connection(stream: TcpStream, between: Arc<dyn Between>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let between = Arc::clone(&between);
        async move { between.pass(read(request).await?).await.ok_or(NoAnswer) }
    });
    // An error here is the reset that was asked for, or a client that has gone.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn read(request: Request<Incoming>) -> Result<Passing, NoAnswer> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| NoAnswer)?.to_bytes();
    Ok(Passing { method: parts.method, uri: parts.uri, headers: parts.headers, body })
}

impl Passing {
    /// As in `DynamoDB_20120810` and `PutItem`; empty if it is no request of AWS's JSON protocol.
    pub(crate) fn operation(&self) -> (&str, &str) {
        let target = self.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        target.and_then(|target| target.split_once('.')).unwrap_or_default()
    }

    /// Sends it on, and brings the answer.
    pub(crate) async fn forward(self, client: &reqwest::Client, to: SocketAddr) -> Option<Answer> {
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let sent = client.request(self.method, format!("http://{to}{path}"));
        let answer = sent.headers(self.headers).body(self.body).send().await.ok()?;
        let mut back = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            // The proxy's own server says how long its answer is.
            if name != "content-length" && name != "transfer-encoding" && name != "connection" {
                back = back.header(name, value);
            }
        }
        back.body(Full::new(answer.bytes().await.ok()?)).ok()
    }
}

/// An answer of AWS's JSON protocol.
pub(crate) fn json_answer(status: u16, body: &serde_json::Value) -> Option<Answer> {
    let answer = Response::builder().status(status).header("content-type", "application/x-amz-json-1.0");
    answer.body(Full::new(Bytes::from(body.to_string()))).ok()
}
