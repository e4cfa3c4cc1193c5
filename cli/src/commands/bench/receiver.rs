//! The receiver of the benchmark, in a process of its own: answers at once, and remembers when what arrived.

use std::io::{self, Write as _};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use tokio::net::TcpListener;

/// Microseconds since the Unix epoch of every arrival, with the id of what arrived.
pub(super) type Arrivals = Vec<(String, u64)>;

/// The path that webhooks call, and the path that tells what did.
pub(super) const HOOK: &str = "/hook";
pub(super) const ARRIVALS: &str = "/arrivals";

#[derive(Default)]
struct Memory(Mutex<Arrivals>);

/// Says on standard output where it listens, and answers until it is ended.
pub(crate) async fn run() -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    writeln!(io::stdout(), "{}", listener.local_addr()?)?;
    let router = Router::new()
        .route(HOOK, post(receive))
        .route(ARRIVALS, get(arrivals))
        .with_state(Arc::<Memory>::default());
    axum::serve(listener, router).await
}

async fn receive(State(memory): State<Arc<Memory>>, headers: HeaderMap) -> StatusCode {
    let id = headers.get("webhook-id").and_then(|value| value.to_str().ok()).unwrap_or_default();
    memory.locked().push((id.to_owned(), micros_now()));
    StatusCode::OK
}

async fn arrivals(State(memory): State<Arc<Memory>>) -> Json<Arrivals> {
    Json(memory.locked().clone())
}

impl Memory {
    fn locked(&self) -> std::sync::MutexGuard<'_, Arrivals> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The clock that all processes of this machine share.
pub(super) fn micros_now() -> u64 {
    let since_epoch = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX)
}
