//! The workers of local mode: a job in hand is a task, so hundreds wait for their receivers on a few threads.

use std::sync::Arc;
use std::time::Duration;

use muster_app::error::chain;
use muster_app::ports::{Clock, Egress};
use muster_app::worker::Shift;
use muster_app::{App, Error};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::queue::{Delivery, LocalQueue};
use muster_app::clock::SystemClock;

/// How long one job may take; the leases it takes end then.
const SHIFT: Duration = Duration::from_secs(30);

/// What a job may take beyond its shift to store an outcome. One that still hangs then is dropped, as by a crash.
const OVERTIME: Duration = Duration::from_secs(5);

/// A job that fails this often is given up: first delivery and five more.
const MOST_FAILURES: u32 = 6;

/// What the workers need.
#[derive(Clone)]
pub(crate) struct Workers {
    pub(crate) app: Arc<App>,
    pub(crate) queue: Arc<LocalQueue>,
    pub(crate) egress: Arc<dyn Egress>,
    /// Names this process in leases and trails.
    pub(crate) holder: Arc<str>,
}

impl Workers {
    /// Has up to `at_once` jobs in hand until `stop`, then waits for those it has.
    pub(crate) async fn run(self, at_once: usize, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(at_once));
        let tasks = TaskTracker::new();
        let pool = tokio_util::task::LocalPoolHandle::new(2);
        while let Some(Some((delivery, slot))) = stop.run_until_cancelled(self.take(&slots)).await {
            let workers = self.clone();
            let token = tasks.token();
            pool.spawn_pinned(move || async move {
                workers.work(delivery).await;
                drop((slot, token));
            });
        }
        tasks.close();
        tasks.wait().await;
    }

    /// A free slot first: a job that nobody can work on is better off in the queue.
    async fn take(&self, slots: &Arc<Semaphore>) -> Option<(Delivery, OwnedSemaphorePermit)> {
        let slot = Arc::clone(slots).acquire_owned().await.ok()?;
        Some((self.queue.next().await, slot))
    }

    async fn work(&self, delivery: Delivery) {
        let span = tracing::info_span!("job", execution_id = %delivery.execution());
        if delivery.failures() >= MOST_FAILURES {
            self.give_up(delivery).instrument(span).await;
        } else {
            self.handle(delivery).instrument(span).await;
        }
    }

    async fn handle(&self, delivery: Delivery) {
        let shift = Shift {
            egress: self.egress.as_ref(),
            holder: &self.holder,
            deadline: SystemClock.now().plus(SHIFT),
        };
        let job = delivery.job();
        match timeout(SHIFT + OVERTIME, self.app.handle(&job, &shift)).await {
            Ok(Ok(())) => delivery.done(),
            Ok(Err(error)) => failed(delivery, &error),
            Err(_) => tracing::error!("a job hung past its shift and was dropped"),
        }
    }

    /// The dead-letter queue of local mode: ends the execution without another call.
    async fn give_up(&self, delivery: Delivery) {
        let reason = format!("its job failed {} times; the log says why", delivery.failures());
        match self.app.finalise(delivery.execution(), &reason).await {
            Ok(()) => {
                tracing::error!(reason, "gave a job up");
                delivery.give_up();
            }
            Err(error) => {
                tracing::error!(error = chain(&error), "cannot give a job up yet");
                delivery.postpone();
            }
        }
    }
}

/// A job is not condemned for what it cannot help: while the disk is full, nothing could be stored of it anyway.
fn failed(delivery: Delivery, error: &Error) {
    if error.retryable() {
        tracing::warn!(error = chain(error), "a job has to wait");
        delivery.postpone();
    } else {
        tracing::error!(error = chain(error), failures = delivery.failures() + 1, "a job failed");
    }
}
