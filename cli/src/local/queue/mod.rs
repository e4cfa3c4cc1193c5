//! The queue of local mode: nudges in memory. The table is the truth, so what is lost with the process is found again.

mod jobs;
mod turns;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use muster_app::job::Job;
use muster_app::ports::{Queue, QueueError, QueueStats};
use muster_domain::ids::TeamId;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use self::jobs::{Jobs, Next, Settled};

/// The most jobs in memory. A nudge beyond is dropped, and the sweeper finds what it was for.
pub(crate) const CAPACITY: usize = 100_000;

/// A bounded queue within this process, with one receiver.
pub(crate) struct LocalQueue {
    jobs: Mutex<Jobs>,
    /// Wakes the receiver: something is ready, or due earlier than it thinks.
    changed: Notify,
}

impl LocalQueue {
    pub(crate) fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self { jobs: Mutex::new(Jobs::new(capacity)), changed: Notify::new() })
    }

    /// The next job that is due; waits for one. For one receiver at a time.
    pub(crate) async fn next(self: &Arc<Self>) -> Delivery {
        loop {
            let next = self.jobs().next(Instant::now());
            match next {
                Next::Deliver { job, tries } => {
                    return Delivery {
                        queue: Arc::clone(self),
                        failures: tries.failed,
                        job,
                        settled: Settled::Failed,
                    };
                }
                Next::NotBefore(at) => {
                    tokio::select! {
                        () = self.changed.notified() => {}
                        () = sleep_until(at) => {}
                    }
                }
                Next::Nothing => self.changed.notified().await,
            }
        }
    }

    /// A panic elsewhere cannot leave the jobs half changed: no user code runs under this lock.
    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Queue for LocalQueue {
    async fn send(&self, job: Job, team: Option<&TeamId>, after: Duration) -> Result<(), QueueError> {
        let now = Instant::now();
        let nudged = self.jobs().nudge(&job, team, now + after, now);
        self.changed.notify_one();
        nudged.map_err(|full| QueueError {
            doing: "sending a job to the queue of this process",
            source: Box::new(full),
        })
    }

    /// A job in a worker's hands counts too: the worker ends before its lease does, and a nudge meanwhile is kept.
    fn holds(&self, job: &Job) -> bool {
        self.jobs().holds(job)
    }

    async fn stats(&self) -> Result<QueueStats, QueueError> {
        Ok(self.jobs().stats(Instant::now()))
    }
}

/// A job in a worker's hands. Dropped without a word, as by a panic, it has failed.
pub(crate) struct Delivery {
    queue: Arc<LocalQueue>,
    job: Job,
    failures: u32,
    settled: Settled,
}

impl Delivery {
    pub(crate) fn job(&self) -> &Job {
        &self.job
    }

    /// How often it failed before.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Its effect is stored or no longer wanted.
    pub(crate) fn done(mut self) {
        self.settled = Settled::Done;
    }

    /// What it needs is not there now; it comes back however often that is so.
    pub(crate) fn postpone(mut self) {
        self.settled = Settled::Postponed;
    }

    /// It failed too often, and what it was for has been ended without it.
    pub(crate) fn give_up(mut self) {
        self.settled = Settled::GivenUp;
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.queue.jobs().settle(&self.job, self.settled, Instant::now());
        self.queue.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use muster_domain::ids::{ExecutionId, IncidentId};
    use muster_domain::time::Time;

    use super::*;

    fn job(number: u128) -> Job {
        Job::Run { execution: ExecutionId::new(Time::EPOCH, number) }
    }

    async fn send(queue: &LocalQueue, number: u128, after: u64) {
        queue.send(job(number), None, Duration::from_secs(after)).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn inv_g4_a_delayed_job_is_delivered_at_its_moment_and_not_before() {
        let queue = LocalQueue::new(10);
        let start = Instant::now();
        send(&queue, 1, 60).await;
        send(&queue, 2, 5).await;
        let first = queue.next().await;
        assert_eq!((first.job(), start.elapsed().as_secs()), (&job(2), 5));
        first.done();
        assert_eq!(*queue.next().await.job(), job(1));
        assert_eq!(start.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_nudge_wakes_a_receiver_that_waits_for_a_later_job() {
        let queue = LocalQueue::new(10);
        send(&queue, 1, 3_600).await;
        let start = Instant::now();
        let (delivery, ()) = tokio::join!(queue.next(), send(&queue, 2, 0));
        assert_eq!((delivery.job(), start.elapsed().as_secs()), (&job(2), 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_delivery_that_is_dropped_has_failed_and_comes_back() {
        let queue = LocalQueue::new(10);
        send(&queue, 1, 0).await;
        drop(queue.next().await);
        let again = queue.next().await;
        assert_eq!((again.job(), again.failures()), (&job(1), 1));
        again.postpone();
        assert_eq!(queue.next().await.failures(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn each_event_of_an_incident_is_a_job_of_its_own() {
        let queue = LocalQueue::new(10);
        let deliver = |seq| Job::Deliver { incident: IncidentId::new(Time::EPOCH, 1), seq };
        for seq in [1, 2, 1] {
            queue.send(deliver(seq), None, Duration::ZERO).await.unwrap();
        }
        let (first, second) = (queue.next().await, queue.next().await);
        assert_eq!((first.job(), second.job()), (&deliver(1), &deliver(2)));
        assert!(queue.holds(&deliver(1)) && !queue.holds(&deliver(3)));
    }

    #[tokio::test(start_paused = true)]
    async fn inv_h1_a_job_does_not_wait_behind_all_of_another_teams() {
        let queue = LocalQueue::new(10);
        let [many, few] = ["many", "few"].map(|name| name.parse::<TeamId>().unwrap());
        for number in 1..=3 {
            queue.send(job(number), Some(&many), Duration::ZERO).await.unwrap();
        }
        queue.send(job(4), Some(&few), Duration::ZERO).await.unwrap();
        queue.send(job(5), Some(&few), Duration::from_secs(1)).await.unwrap();
        let mut order = Vec::new();
        for _ in 0..5 {
            let delivery = queue.next().await;
            order.push(delivery.job().clone());
            delivery.done();
        }
        assert_eq!(order, [1, 4, 2, 3, 5].map(job));
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_refuses_the_nudge_and_says_so() {
        let queue = LocalQueue::new(1);
        send(&queue, 1, 0).await;
        let refused = queue.send(job(2), None, Duration::ZERO).await.unwrap_err();
        assert_eq!(
            muster_app::error::chain(&refused),
            "sending a job to the queue of this process: it holds 1 jobs already"
        );
        assert!(queue.holds(&job(1)) && !queue.holds(&job(2)));
    }
}
