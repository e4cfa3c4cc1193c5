//! All that matters of the world around one execution: the table, the workers, what is on its way, and what may yet happen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use muster_domain::execution::{Execution, State};
use muster_domain::ids::StepId;
use muster_domain::time::Time;

use crate::promise::Promise;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct World {
    pub now: Time,
    /// The most that the execution may take.
    pub timeout: Option<Duration>,
    /// What the table holds: a commit that saw another version fails.
    pub stored: Arc<Stored>,
    pub workers: Vec<Worker>,
    /// By gate: the newest round, and what people said in it.
    pub asked: BTreeMap<StepId, Asked>,
    /// How often the receiver got each attempt.
    pub posted: BTreeMap<(StepId, usize), u8>,
    /// Whether what templates and rules read has changed since the beginning.
    pub changed: bool,
    /// Whether a kill switch is engaged.
    pub halted: bool,
    /// How many disturbances may yet come.
    pub left: u8,
    pub broken: BTreeSet<Promise>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stored {
    pub execution: Execution,
    pub version: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Worker {
    Idle,
    /// It has read the execution and has not asked for it yet.
    Loaded(Arc<Stored>),
    Holding(Turn),
}

/// What a worker knows while it believes that it holds the execution.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Turn {
    /// The execution as it saw it last.
    pub seen: Arc<Stored>,
    pub epoch: u32,
    pub deadline: Time,
    /// Attempts whose outcome it has yet to store.
    pub calls: Vec<Call>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub step: StepId,
    pub attempt: usize,
    pub sent: bool,
}

/// One round of a gate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub round: u32,
    pub said: Option<Said>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Said {
    Approved,
    Rejected,
    Expired,
    /// An approval that was taken back before a worker saw it.
    Withdrawn,
}

impl Turn {
    /// Whether it may begin something, as far as it knows.
    pub(crate) fn holds(&self) -> bool {
        matches!(self.seen.execution.state, State::Running { .. }) && self.seen.execution.epoch == self.epoch
    }

    pub(crate) fn is_fresh(&self, stored: &Stored) -> bool {
        self.seen.version == stored.version
    }
}

impl World {
    /// One disturbance less may come from now on.
    pub(crate) fn disturb(&mut self) {
        self.left -= 1;
    }

    pub(crate) fn execution(&self) -> &Execution {
        &self.stored.execution
    }

    pub(crate) fn turn(&self, worker: usize) -> Option<&Turn> {
        match self.workers.get(worker)? {
            Worker::Holding(turn) => Some(turn),
            Worker::Idle | Worker::Loaded(_) => None,
        }
    }

    pub(crate) fn turn_mut(&mut self, worker: usize) -> Option<&mut Turn> {
        match self.workers.get_mut(worker)? {
            Worker::Holding(turn) => Some(turn),
            Worker::Idle | Worker::Loaded(_) => None,
        }
    }

    pub(crate) fn store(&mut self, execution: Execution) {
        self.stored = Arc::new(Stored { execution, version: self.stored.version + 1 });
    }
}
