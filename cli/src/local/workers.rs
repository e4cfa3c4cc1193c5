//! The workers of local mode: a job in hand is a task, so hundreds wait for their receivers on a few threads.

use std::sync::Arc;
use std::time::Duration;

use muster_app::error::chain;
use muster_app::job::Job;
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
        let span = span_of(delivery.job());
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
        match timeout(SHIFT + OVERTIME, self.app.handle(delivery.job(), &shift)).await {
            Ok(Ok(())) => delivery.done(),
            Ok(Err(error)) => failed(delivery, &error),
            Err(_) => tracing::error!("a job hung past its shift and was dropped"),
        }
    }

    /// The dead-letter queue of local mode: ends what the job was for without another call.
    async fn give_up(&self, delivery: Delivery) {
        let reason = format!("its job failed {} times; the log says why", delivery.failures());
        match self.app.give_up(delivery.job(), &reason).await {
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

/// What every record about a job says of it.
fn span_of(job: &Job) -> tracing::Span {
    match job {
        Job::Run { execution } => tracing::info_span!("job", execution_id = %execution),
        Job::Deliver { incident, seq } => tracing::info_span!("job", incident_id = %incident, seq),
        Job::Notify { execution, number } | Job::Tell { execution, number, .. } => {
            tracing::info_span!("job", execution_id = %execution, notification = number)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicU32, Ordering};

    use async_trait::async_trait;
    use muster_app::ports::{Call, Queue as _, QueueStats, Table};
    use muster_app::table::{
        CommitError, Key, Page, PageRequest, Query, Stored, TableError, TableErrorKind, Write,
    };
    use muster_app::{SelfApproval, Settings};
    use muster_domain::ids::ExecutionId;
    use muster_domain::outcome::Outcome;
    use muster_domain::time::Time;

    use super::*;

    /// A table that has no executions, once it has done something else often enough.
    struct Trouble {
        reads: AtomicU32,
        times: u32,
        what: What,
    }

    #[derive(Clone, Copy)]
    enum What {
        Panics,
        Fails(TableErrorKind),
    }

    #[async_trait]
    impl Table for Trouble {
        async fn get(&self, _: &Key) -> Result<Option<Stored>, TableError> {
            match self.what {
                _ if self.reads.fetch_add(1, Ordering::SeqCst) >= self.times => Ok(None),
                What::Panics => panic!("a defect"),
                What::Fails(kind) => Err(TableError { doing: "reading".into(), kind, source: None }),
            }
        }

        async fn batch_get(&self, _: &[Key]) -> Result<BTreeMap<Key, Stored>, TableError> {
            unreachable!("no execution is found")
        }

        async fn query(&self, _: &Query, _: &PageRequest) -> Result<Page, TableError> {
            unreachable!("nobody lists")
        }

        async fn commit(&self, _: Vec<Write>) -> Result<(), CommitError> {
            unreachable!("no execution is found")
        }
    }

    struct NoWayOut;

    #[async_trait]
    impl Egress for NoWayOut {
        async fn send(&self, _: Call<'_>) -> Outcome {
            unreachable!("no execution is found")
        }
    }

    /// How often the table was read, and the queue at the end, for `jobs` jobs and a table in trouble for `times` reads.
    async fn work(jobs: u32, times: u32, what: What) -> (u32, QueueStats) {
        let table = Arc::new(Trouble { reads: AtomicU32::new(0), times, what });
        let queue = LocalQueue::new(10);
        let settings = Settings { self_approval: SelfApproval::Refused, nudge_grace: Duration::ZERO };
        let app = App::new(Arc::clone(&table) as _, Arc::clone(&queue) as _, Arc::new(SystemClock), settings);
        for number in 0..jobs {
            let execution = ExecutionId::new(Time::EPOCH, number.into());
            queue.send(Job::Run { execution }, None, Duration::ZERO).await.unwrap();
        }
        let workers = Workers {
            app: Arc::new(app),
            queue: Arc::clone(&queue),
            egress: Arc::new(NoWayOut),
            holder: "test".into(),
        };
        let stop = CancellationToken::new();
        let working = tokio::spawn(workers.run(1, stop.clone()));
        while !is_empty(queue.stats().await.unwrap()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stop.cancel();
        working.await.unwrap();
        (table.reads.load(Ordering::SeqCst), queue.stats().await.unwrap())
    }

    fn is_empty(stats: QueueStats) -> bool {
        stats.waiting + stats.active + stats.delayed == 0
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_panics_comes_back_and_harms_no_other() {
        let (reads, stats) = work(3, 1, What::Panics).await;
        assert_eq!((reads, stats.failed), (4, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_keeps_failing_is_given_up_after_five_more_tries() {
        let (reads, stats) = work(1, MOST_FAILURES, What::Fails(TableErrorKind::Corrupt)).await;
        // The last read is the one that ends the execution.
        assert_eq!((reads, stats.failed), (MOST_FAILURES + 1, 1));
        let (_, stats) = work(1, MOST_FAILURES - 1, What::Fails(TableErrorKind::Corrupt)).await;
        assert_eq!(stats.failed, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn inv_a1_a_job_that_cannot_be_stored_now_is_never_given_up() {
        for kind in [TableErrorKind::Full, TableErrorKind::Unavailable] {
            let (reads, stats) = work(1, 5 * MOST_FAILURES, What::Fails(kind)).await;
            assert_eq!((reads, stats.failed), (5 * MOST_FAILURES + 1, 0));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_cannot_be_given_up_yet_is_given_up_later() {
        let (reads, stats) = work(1, 2 * MOST_FAILURES, What::Fails(TableErrorKind::Corrupt)).await;
        assert_eq!((reads, stats.failed), (2 * MOST_FAILURES + 1, 1));
    }
}
