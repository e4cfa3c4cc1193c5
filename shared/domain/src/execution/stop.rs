//! What people may ask of an execution while it runs: to pause, to stop, to take back what it did. Each is a flag that is stored
//! at once and that every further intent respects; when the last call in flight has ended, it is in effect.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Execution;
use crate::ids::UserId;
use crate::plan::Plan;
use crate::time::Time;

/// A request to stop for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stop {
    pub by: UserId,
    /// When it was asked for.
    pub at: Time,
    pub reason: String,
    #[serde(default, skip_serializing_if = "StopMode::is_kill")]
    pub mode: StopMode,
    /// When nothing was in flight any more; absent while something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiesced_at: Option<Time>,
}

/// What becomes of what was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StopMode {
    /// It stays as it is.
    #[default]
    Kill,
    /// It is taken back.
    Abort,
}

impl StopMode {
    fn is_kill(&self) -> bool {
        *self == Self::Kill
    }
}

/// A request to pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    pub by: UserId,
    /// When it was asked for.
    pub at: Time,
    pub reason: String,
    /// When nothing was in flight any more; absent while something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiesced_at: Option<Time>,
}

/// An execution on its way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unwinding {
    pub since: Time,
    /// Why, as the end of the execution will say it.
    pub reason: String,
}

impl Execution {
    /// When the time of the whole execution is up; `None` if it is unlimited, has not started, or is on its way back. While a
    /// person pauses it, its time does not run.
    pub fn deadline(&self, plan: &Plan) -> Option<Time> {
        if self.unwinding.is_some() {
            return None;
        }
        Some(self.started_at?.plus(plan.timeout?).plus(Duration::from_millis(self.paused_ms)))
    }

    /// How long it took from the request to pause or stop until nothing was in flight.
    pub fn stop_latency(&self) -> Option<Duration> {
        let latency = |asked: Time, quiesced: Option<Time>| Some(quiesced?.since(asked));
        let stopped = self.stop.as_ref().and_then(|stop| latency(stop.at, stop.quiesced_at));
        stopped.or_else(|| self.pause.as_ref().and_then(|pause| latency(pause.at, pause.quiesced_at)))
    }
}
