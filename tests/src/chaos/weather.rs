//! Which faults a run meets: drawn by its seed, until the weather clears.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;
use tokio::sync::Notify;

/// What happens to one request on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// It arrives later than the ones after it.
    Delayed(Duration),
    /// The service is too busy; nothing is done.
    Throttled,
    /// The connection is reset before anything is done.
    Dropped,
    /// It is done, and the connection is reset before the answer.
    AnswerLost,
    /// Answered with 200, and a part of it, or all, is not done.
    LeftUndone,
    /// It is done, and the worker that asked is killed before it hears so.
    WorkerKilled,
}

/// Who is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Peer {
    Table,
    Queue,
    Bus,
    Receiver,
}

/// The operations whose success may be none.
const DONE_IN_PARTS: [&str; 2] = ["BatchGetItem", "PutEvents"];

/// How often each peer met each fault.
pub(super) type Met = BTreeMap<(Peer, &'static str), usize>;

/// The faults of one run. Every draw comes from its seed; which request meets which depends on how tasks interleave, too.
pub(super) struct Weather {
    rng: Mutex<Rng>,
    is_bad: AtomicBool,
    met: Mutex<Met>,
    kills: Notify,
}

impl Weather {
    pub(super) fn of_seed(seed: u64) -> Self {
        Self {
            rng: Mutex::new(Rng::with_seed(seed)),
            is_bad: AtomicBool::new(false),
            met: Mutex::default(),
            kills: Notify::new(),
        }
    }

    pub(super) fn turns(&self, bad: Turn) {
        self.is_bad.store(bad == Turn::Bad, Ordering::SeqCst);
    }

    /// A number of this range, for the test's own choices.
    pub(super) fn below(&self, bound: usize) -> usize {
        self.rng.lock().unwrap().usize(..bound)
    }

    /// Whether something that happens once in `times` happens now.
    pub(super) fn once_in(&self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(super) fn shuffle<T>(&self, things: &mut [T]) {
        self.rng.lock().unwrap().shuffle(things);
    }

    /// What the next request to this peer, for this operation, meets: mostly nothing.
    pub(super) fn next(&self, peer: Peer, operation: &str) -> Option<Fault> {
        if !self.is_bad.load(Ordering::SeqCst) {
            return None;
        }
        let fault = self.draw(peer, operation)?;
        *self.met.lock().unwrap().entry((peer, fault.name())).or_default() += 1;
        Some(fault)
    }

    fn draw(&self, peer: Peer, operation: &str) -> Option<Fault> {
        // The table is called so often that as many faults would stop everything.
        let bound = if peer == Peer::Table { 100 } else { 40 };
        let fault = match self.below(bound) {
            0..=4 => Fault::Delayed(Duration::from_millis(self.below(5) as u64)),
            5..=7 => Fault::Throttled,
            8..=9 => Fault::Dropped,
            10..=12 => Fault::AnswerLost,
            13..=14 => Fault::LeftUndone,
            15 => Fault::WorkerKilled,
            _ => return None,
        };
        let applies = fault != Fault::LeftUndone || DONE_IN_PARTS.contains(&operation);
        applies.then_some(fault)
    }

    pub(super) fn kill_worker(&self) {
        self.kills.notify_waiters();
    }

    /// Until a worker is killed; every worker that waits is.
    pub(super) async fn killed(&self) {
        self.kills.notified().await;
    }

    /// How often each fault was met.
    pub(super) fn met(&self) -> Met {
        self.met.lock().unwrap().clone()
    }
}

/// How the weather turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Bad,
    Clear,
}

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Self::Delayed(_) => "delayed",
            Self::Throttled => "throttled",
            Self::Dropped => "dropped",
            Self::AnswerLost => "answer lost",
            Self::LeftUndone => "left undone",
            Self::WorkerKilled => "worker killed",
        }
    }
}
