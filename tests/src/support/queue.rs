//! A queue that keeps jobs until a test takes them, so that a test decides what is delivered, when, and how often.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use muster_app::job::Job;
use muster_app::ports::{Clock, Queue, QueueError, QueueStats};
use muster_domain::ids::TeamId;
use muster_domain::time::Time;

use super::clock::ManualClock;

pub(crate) struct ManualQueue {
    clock: Arc<ManualClock>,
    jobs: Mutex<Vec<Queued>>,
    is_down: AtomicBool,
}

struct Queued {
    due: Time,
    job: Job,
}

impl ManualQueue {
    pub(crate) fn new(clock: Arc<ManualClock>) -> Self {
        Self { clock, jobs: Mutex::default(), is_down: AtomicBool::new(false) }
    }

    /// Loses every job, and takes no more until it comes back.
    pub(crate) fn goes_down(&self) {
        self.is_down.store(true, Ordering::SeqCst);
        self.lose_all();
    }

    pub(crate) fn comes_back(&self) {
        self.is_down.store(false, Ordering::SeqCst);
    }

    /// Takes the jobs that are due, oldest first.
    pub(crate) fn take_due(&self) -> Vec<Job> {
        let now = self.clock.now();
        let mut jobs = self.jobs.lock().unwrap();
        let (due, later) = jobs.drain(..).partition(|queued| queued.due <= now);
        *jobs = later;
        let due: Vec<Queued> = due;
        due.into_iter().map(|queued| queued.job).collect()
    }

    /// Loses every job, as a queue that is down would.
    pub(crate) fn lose_all(&self) {
        self.jobs.lock().unwrap().clear();
    }

    /// When the next job is due.
    pub(crate) fn next_due(&self) -> Option<Time> {
        self.jobs.lock().unwrap().iter().map(|queued| queued.due).min()
    }

    pub(crate) fn len(&self) -> usize {
        self.jobs.lock().unwrap().len()
    }
}

#[async_trait]
impl Queue for ManualQueue {
    async fn send(&self, job: Job, _: Option<&TeamId>, after: Duration) -> Result<(), QueueError> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(QueueError { doing: "sending a job", source: "told by a test".into() });
        }
        let due = self.clock.now().plus(after);
        self.jobs.lock().unwrap().push(Queued { due, job });
        Ok(())
    }

    /// Cannot tell, like a queue of another machine: the sweeper must cope with repeats.
    fn holds(&self, _: &Job) -> bool {
        false
    }

    async fn stats(&self) -> Result<QueueStats, QueueError> {
        let now = self.clock.now();
        let jobs = self.jobs.lock().unwrap();
        let waiting = jobs.iter().filter(|queued| queued.due <= now).count();
        Ok(QueueStats {
            waiting: waiting as u64,
            delayed: (jobs.len() - waiting) as u64,
            ..QueueStats::default()
        })
    }
}
