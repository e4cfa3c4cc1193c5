//! The HTTP server of local mode: bounded connections, headers and requests that cannot dawdle, and a quiet end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// The most connections at once; further ones wait in the system's backlog.
const MOST_CONNECTIONS: usize = 1_024;
/// From the connection, or the answer before, to the last header.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// From the last header to the answer: a body that trickles in must not hold a connection for ever.
const REQUEST_TIME: Duration = Duration::from_secs(30);
/// The most bytes of a request's line and headers.
const MOST_HEADER_BYTES: usize = 16 * 1024;
/// The pause after the system had no resources for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers until `stop`, then lets the requests in hand end. New connections are refused from then on.
pub(crate) async fn run(listener: TcpListener, router: Router, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    while let Some(accepted) = stop.run_until_cancelled(accept(&listener, &slots)).await {
        let Some((stream, slot)) = accepted else { continue };
        let connection = connect(stream, router.clone());
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = &error as &dyn std::error::Error, "a connection ended early");
            }
            drop(slot);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => {
            // Answers are small and whole: waiting to fill a packet would only delay them. It is a wish, not a need.
            let _ = stream.set_nodelay(true);
            Some((stream, slot))
        }
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot accept a connection");
            sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

fn connect(stream: TcpStream, router: Router) -> impl GracefulConnection<Error = hyper::Error> + Send {
    let service = service_fn(move |request| answer(router.clone(), request));
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_header_size(MOST_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service)
}

async fn answer(router: Router, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    match timeout(REQUEST_TIME, router.oneshot(request.map(Body::new))).await {
        Ok(answer) => answer,
        Err(_) => Ok(timed_out()),
    }
}

fn timed_out() -> Response<Body> {
    let problem = r#"{"type":"about:blank","title":"Request Timeout","status":408,"detail":"the request took too long"}"#;
    let mut response = Response::new(Body::from(problem));
    *response.status_mut() = StatusCode::REQUEST_TIMEOUT;
    let media_type = axum::http::HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(axum::http::header::CONTENT_TYPE, media_type);
    response
}
