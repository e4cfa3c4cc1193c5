//! What people asked of an execution that runs: to stop, to pause, to take back what it did; and how long that took.

use muster_domain::execution as domain;
use muster_domain::ids::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::moment::{Moment, duration_ms};

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stop {
    #[schema(value_type = String)]
    by: UserId,
    stop_requested_at: Moment,
    reason: String,
    mode: StopMode,
    /// When nothing was in flight any more; absent while something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    quiesced_at: Option<Moment>,
    /// From the request until nothing was in flight.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum StopMode {
    /// What was done stays.
    Kill,
    /// What was done is taken back.
    Abort,
}

impl From<domain::Stop> for Stop {
    fn from(stop: domain::Stop) -> Self {
        Self {
            by: stop.by,
            stop_requested_at: stop.at.into(),
            reason: stop.reason,
            mode: match stop.mode {
                domain::StopMode::Kill => StopMode::Kill,
                domain::StopMode::Abort => StopMode::Abort,
            },
            quiesced_at: stop.quiesced_at.map(Moment::from),
            latency_ms: duration_ms(Some(stop.at), stop.quiesced_at),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pause {
    #[schema(value_type = String)]
    by: UserId,
    pause_requested_at: Moment,
    reason: String,
    /// When nothing was in flight any more; absent while something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    quiesced_at: Option<Moment>,
    /// From the request until nothing was in flight.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
}

impl From<domain::Pause> for Pause {
    fn from(pause: domain::Pause) -> Self {
        Self {
            by: pause.by,
            pause_requested_at: pause.at.into(),
            reason: pause.reason,
            quiesced_at: pause.quiesced_at.map(Moment::from),
            latency_ms: duration_ms(Some(pause.at), pause.quiesced_at),
        }
    }
}

/// An execution on its way back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Unwinding {
    since: Moment,
    reason: String,
}

impl From<domain::Unwinding> for Unwinding {
    fn from(unwinding: domain::Unwinding) -> Self {
        Self { since: unwinding.since.into(), reason: unwinding.reason }
    }
}

/// Why a person stops or pauses an execution.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Because {
    /// 1 to 500 characters.
    pub(crate) reason: String,
}

/// Nothing is said.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// A person's answer to an undo that failed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DecideUndo {
    pub(crate) decision: UndoDecision,
    /// What you found, 1 to 500 characters.
    pub(crate) reason: String,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum UndoDecision {
    /// Send it again.
    Retry,
    /// Let it be: what was done stays.
    Skip,
    /// It was taken back by hand.
    Done,
}

impl From<UndoDecision> for domain::UndoDecision {
    fn from(decision: UndoDecision) -> Self {
        match decision {
            UndoDecision::Retry => Self::Retry,
            UndoDecision::Skip => Self::Skip,
            UndoDecision::Done => Self::Done,
        }
    }
}

impl From<domain::UndoDecision> for UndoDecision {
    fn from(decision: domain::UndoDecision) -> Self {
        match decision {
            domain::UndoDecision::Retry => Self::Retry,
            domain::UndoDecision::Skip => Self::Skip,
            domain::UndoDecision::Done => Self::Done,
        }
    }
}
