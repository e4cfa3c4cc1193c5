//! Receivers that take every call and never answer: a call ends when its time is up, on the test's clock.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::LocalBoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use muster_app::job::Job;
use muster_app::ports::{Call, Clock as _, Egress};
use muster_app::table::{CommitError, Key, Page, PageRequest, Query, Stored, Table, TableError, Write};
use muster_app::worker::Shift;
use muster_domain::outcome::Outcome;
use muster_domain::time::Time;
use tokio::sync::Notify;

use crate::support::clock::ManualClock;
use crate::support::receiver::Reply;
use crate::support::world::{Engine, SHIFT, World, settings};

/// The clock of the machine ends no call: tests move one of their own.
const NEVER: Duration = Duration::from_hours(1);
/// More than any run sends to one path.
const MOST_CALLS: usize = 10_000;
/// A worker that has nothing to wait for but a hanging call is idle after so many turns of the scheduler.
const IDLE_TURNS: usize = 4;

/// A world whose workers run beside the test, and whose receiver is silent at some paths.
pub(super) struct Hanging {
    pub(super) world: World,
    egress: Arc<HangingEgress>,
    table: Arc<BusyTable>,
    workers: RefCell<FuturesUnordered<LocalBoxFuture<'static, ()>>>,
}

impl Hanging {
    /// Everything that arrives at these paths is kept waiting.
    pub(super) async fn on(engine: Engine, silent: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let table = Arc::new(BusyTable { inner: engine.table(&directory).await, busy: AtomicUsize::new(0) });
        let world = World::over(Arc::clone(&table) as Arc<dyn Table>, directory, settings()).await;
        for path in silent {
            world.receiver.will_at(path, std::iter::repeat_n(Reply::Silence, MOST_CALLS));
        }
        let egress = Arc::new(HangingEgress {
            inner: Arc::clone(&world.egress),
            clock: Arc::clone(&world.clock),
            moved: Notify::new(),
            silent: silent.iter().map(|path| (*path).to_owned()).collect(),
            sent: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
            hanging: Mutex::default(),
        });
        Self { world, egress, table, workers: RefCell::default() }
    }

    pub(super) fn now(&self) -> Time {
        self.world.clock.now()
    }

    /// The attempts that are in flight.
    pub(super) fn in_flight(&self) -> Vec<String> {
        self.egress.hanging.lock().unwrap().keys().cloned().collect()
    }

    /// How long it takes until the next of them has ended; a second, should there be none.
    pub(super) fn until_next_end(&self) -> Duration {
        self.egress.next_end().map_or(Duration::from_secs(1), |end| end.since(self.now()))
    }

    /// How many calls have arrived at paths that do not begin so.
    pub(super) fn arrived_but(&self, prefix: &str) -> usize {
        self.world.receiver.count(|path| !path.starts_with(prefix))
    }

    /// Time goes by; what is due is done when it is due.
    pub(super) async fn passes(&self, span: Duration) {
        let end = self.now().plus(span);
        self.egress.moved.notify_waiters();
        loop {
            self.work().await;
            let next = [self.world.queue.next_due(), self.egress.next_end()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.world.clock.move_to(next);
            self.egress.moved.notify_waiters();
        }
        self.world.clock.move_to(end);
        self.egress.moved.notify_waiters();
        self.work().await;
    }

    /// Every worker dies at once, whatever it was about to do.
    pub(super) async fn kill_workers(&self) {
        self.settle().await;
        *self.workers.borrow_mut() = FuturesUnordered::new();
        self.egress.hanging.lock().unwrap().clear();
        self.world.queue.lose_all();
    }

    /// The clock jumps while everybody waits; nobody looks at it yet.
    pub(super) async fn jumps(&self, span: Duration) {
        self.settle().await;
        self.world.clock.advance(span);
    }

    /// Hands out a job beside those that are due.
    pub(super) async fn delivers(&self, job: Job) {
        self.begin(job);
        self.idles(|| self.table.is_busy()).await;
    }

    /// Hands out every job that is due, until all workers are idle.
    async fn work(&self) {
        loop {
            self.settle().await;
            let jobs = self.world.queue.take_due();
            if jobs.is_empty() {
                return;
            }
            for job in jobs {
                self.begin(job);
            }
        }
    }

    fn begin(&self, job: Job) {
        let (app, egress) = (Arc::clone(&self.world.app), Arc::clone(&self.egress));
        let deadline = self.now().plus(SHIFT);
        let worker = async move {
            let shift = Shift { egress: egress.as_ref(), holder: "worker-1", deadline };
            app.handle(&job, &shift).await.unwrap();
        };
        self.workers.borrow().push(worker.boxed_local());
    }

    /// Until nothing happens any more before the clock moves on.
    async fn settle(&self) {
        self.idles(|| self.table.is_busy() || self.egress.is_on_the_way(&self.world)).await;
    }

    /// Lets the workers go on until they have been idle for long. Each test has one thread: who can go on does so in its turn.
    async fn idles(&self, is_busy: impl Fn() -> bool) {
        let mut idle = 0;
        while idle < IDLE_TURNS {
            poll_fn(|context| {
                while let Poll::Ready(Some(())) = self.workers.borrow_mut().poll_next_unpin(context) {}
                Poll::Ready(())
            })
            .await;
            tokio::task::yield_now().await;
            idle = if is_busy() { 0 } else { idle + 1 };
        }
    }
}

/// The real way out, but that a call's time is up by the test's clock.
struct HangingEgress {
    inner: Arc<dyn Egress>,
    clock: Arc<ManualClock>,
    moved: Notify,
    silent: BTreeSet<String>,
    sent: AtomicUsize,
    answered: AtomicUsize,
    /// Attempts in flight, and when their time is up.
    hanging: Mutex<BTreeMap<String, Time>>,
}

impl HangingEgress {
    fn next_end(&self) -> Option<Time> {
        self.hanging.lock().unwrap().values().min().copied()
    }

    /// Whether a call or an answer has left and not arrived, or a call's time is up and nobody has noticed.
    fn is_on_the_way(&self, world: &World) -> bool {
        let answers = world.receiver.count(|path| !self.silent.contains(path));
        self.sent.load(Ordering::SeqCst) > world.receiver.count(|_| true)
            || self.answered.load(Ordering::SeqCst) < answers
            || self.next_end().is_some_and(|end| end <= self.clock.now())
    }

    async fn reaches(&self, end: Time) {
        loop {
            let moved = self.moved.notified();
            if self.clock.now() >= end {
                return;
            }
            moved.await;
        }
    }
}

#[async_trait]
impl Egress for HangingEgress {
    async fn send(&self, call: Call<'_>) -> Outcome {
        let end = self.clock.now().plus(call.timeout);
        self.sent.fetch_add(1, Ordering::SeqCst);
        self.hanging.lock().unwrap().insert(call.attempt_id.to_owned(), end);
        let outcome = tokio::select! {
            outcome = self.inner.send(Call { timeout: NEVER, ..call }) => outcome,
            () = self.reaches(end) => Outcome::Unknown { reason: "no answer in time".into() },
        };
        self.hanging.lock().unwrap().remove(call.attempt_id);
        match outcome {
            Outcome::Answered { .. } => self.answered.fetch_add(1, Ordering::SeqCst),
            Outcome::Unsent { .. } | Outcome::Refused { .. } => self.sent.fetch_sub(1, Ordering::SeqCst),
            Outcome::Unknown { .. } => 0,
        };
        outcome
    }
}

/// A table that knows whether anybody waits for it.
struct BusyTable {
    inner: Arc<dyn Table>,
    busy: AtomicUsize,
}

impl BusyTable {
    fn is_busy(&self) -> bool {
        self.busy.load(Ordering::SeqCst) > 0
    }

    async fn busy<T>(&self, call: impl Future<Output = T>) -> T {
        self.busy.fetch_add(1, Ordering::SeqCst);
        let answer = call.await;
        self.busy.fetch_sub(1, Ordering::SeqCst);
        answer
    }
}

#[async_trait]
impl Table for BusyTable {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, TableError> {
        self.busy(self.inner.get(key)).await
    }

    async fn batch_get(&self, keys: &[Key]) -> Result<BTreeMap<Key, Stored>, TableError> {
        self.busy(self.inner.batch_get(keys)).await
    }

    async fn query(&self, query: &Query, page: &PageRequest) -> Result<Page, TableError> {
        self.busy(self.inner.query(query, page)).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        self.busy(self.inner.commit(writes)).await
    }
}
