//! What one call and the connector it runs through know of each other.
//!
//! The HTTP client asks its resolver for a name without saying for which port, and a call that runs out of time does not say how
//! far it got. Both are needed: `localhost:9999` opened must not open `localhost:22`, and a call that never connected may be
//! repeated safely. So a call carries its [`Dial`] in a task-local value, which the resolver and the connector read when
//! they are called. Without one (a connection that no call asked for) they assume the worst: checked, and perhaps sent.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tower::{Layer, Service};

use crate::policy::Guard;

tokio::task_local! {
    static CURRENT: Arc<Dial>;
}

/// The connection of one call.
#[derive(Debug)]
pub(crate) struct Dial {
    guard: Guard,
    began: AtomicBool,
    connected: AtomicBool,
}

impl Dial {
    pub(crate) fn new(guard: Guard) -> Arc<Self> {
        Arc::new(Self { guard, began: AtomicBool::new(false), connected: AtomicBool::new(false) })
    }

    /// Runs `work`, and with it the connector and the resolver, on behalf of this call.
    pub(crate) async fn scope<F: Future>(self: &Arc<Self>, work: F) -> F::Output {
        CURRENT.scope(Arc::clone(self), work).await
    }

    /// Whether the connector is known to have begun and not to have finished, so that no request can have left.
    pub(crate) fn is_still_connecting(&self) -> bool {
        self.began.load(Ordering::SeqCst) && !self.connected.load(Ordering::SeqCst)
    }

    fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }
}

/// Whether the call that runs now has its addresses checked.
pub(crate) fn guard_of_current_call() -> Guard {
    Dial::current().map_or(Guard::Checked, |dial| dial.guard)
}

/// Notes in the current call's [`Dial`] when its connection begins and when it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WatchDial;

impl<S> Layer<S> for WatchDial {
    type Service = Watched<S>;

    fn layer(&self, connector: S) -> Watched<S> {
        Watched { connector }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Watched<S> {
    connector: S,
}

impl<S, R> Service<R> for Watched<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let dial = Dial::current();
        if let Some(dial) = &dial {
            dial.began.store(true, Ordering::SeqCst);
        }
        let connecting = self.connector.call(request);
        Box::pin(async move {
            let connection = connecting.await?;
            if let Some(dial) = dial {
                dial.connected.store(true, Ordering::SeqCst);
            }
            Ok(connection)
        })
    }
}
