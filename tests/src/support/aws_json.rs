//! A service of AWS's JSON protocol on loopback, enough of one for the real SDK.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What a stand-in answers.
pub(crate) trait Service: Send + Sync + 'static {
    /// `operation` is as in `SendMessage`.
    fn answer(&self, operation: &str, request: &Value) -> Result<Value, Refused>;
}

/// A service's error, as in `ResourceNotFoundException`.
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) kind: &'static str,
}

/// Serves until the runtime of its test ends.
pub(crate) async fn serve(service: Arc<dyn Service>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(answer).with_state(service);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn answer(State(service): State<Arc<dyn Service>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers["x-amz-target"].to_str().unwrap();
    let (_, operation) = target.split_once('.').unwrap();
    let request: Value = serde_json::from_slice(&body).unwrap();
    let (status, reply) = match service.answer(operation, &request) {
        Ok(reply) => (StatusCode::OK, reply),
        Err(refused) => (refused.status, json!({"__type": refused.kind, "message": "told by a test"})),
    };
    (status, [(CONTENT_TYPE, headers[CONTENT_TYPE].clone())], reply.to_string()).into_response()
}
