//! The trail of an execution, for reading. For proving it, the audit export holds the trail as it was hashed.

use muster_domain::digest::Digest;
use muster_domain::execution::trail as domain;
use muster_domain::ids::{BreakGlassId, ExecutionId, StepId, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use super::decision::Resolution;
use super::execution::ExecutionStatus;
use super::moment::Moment;
use super::stop::UndoDecision;

/// One transition of an execution.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TrailEntry {
    at: Moment,
    #[serde(flatten)]
    event: TrailEvent,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "event", rename_all = "camelCase")]
enum TrailEvent {
    Accepted {
        #[schema(value_type = String)]
        by: UserId,
    },
    /// A worker took the execution, or took it over.
    Claimed {
        epoch: u32,
        by: String,
    },
    /// An attempt is about to be sent; `request` is the digest of exactly what.
    Intent {
        #[schema(value_type = String)]
        step: StepId,
        attempt: usize,
        #[schema(value_type = String)]
        request: Digest,
    },
    /// What became of an attempt: a status, or a class of outcome.
    Outcome {
        #[schema(value_type = String)]
        step: StepId,
        attempt: usize,
        outcome: String,
    },
    /// An outcome that came after the attempt had been given up.
    Late {
        #[schema(value_type = String)]
        step: StepId,
        attempt: usize,
        outcome: String,
    },
    Waiting {
        until: Moment,
    },
    /// A condition was answered.
    Answered {
        #[schema(value_type = String)]
        step: StepId,
        answer: bool,
    },
    /// A step will not run: no way leads to it any more.
    Skipped {
        #[schema(value_type = String)]
        step: StepId,
    },
    /// A delay began.
    Delayed {
        #[schema(value_type = String)]
        step: StepId,
        until: Moment,
    },
    /// A delay ended.
    Resumed {
        #[schema(value_type = String)]
        step: StepId,
    },
    /// A search found that an earlier attempt of the step took effect.
    Found {
        #[schema(value_type = String)]
        step: StepId,
    },
    /// A step started another execution.
    Started {
        #[schema(value_type = String)]
        step: StepId,
        #[schema(value_type = String)]
        execution: ExecutionId,
    },
    /// The execution that a step waited for ended.
    ChildEnded {
        #[schema(value_type = String)]
        step: StepId,
        #[schema(value_type = String)]
        execution: ExecutionId,
        status: ExecutionStatus,
    },
    /// A step that makes no call could not be done.
    StepFailed {
        #[schema(value_type = String)]
        step: StepId,
        error: String,
    },
    NeedsReview {
        #[schema(value_type = String)]
        step: StepId,
    },
    Resolved {
        #[schema(value_type = String)]
        by: UserId,
        #[schema(value_type = String)]
        step: StepId,
        resolution: Resolution,
        reason: String,
    },
    StopRequested {
        #[schema(value_type = String)]
        by: UserId,
        reason: String,
    },
    PauseRequested {
        #[schema(value_type = String)]
        by: UserId,
        reason: String,
    },
    /// Nothing is in flight any more.
    Quiesced,
    /// A person let a paused execution go on.
    Unpaused {
        #[schema(value_type = String)]
        by: UserId,
    },
    /// A change freeze was in force, and this break-glass let it begin.
    FreezePassed {
        #[schema(value_type = String)]
        glass: BreakGlassId,
    },
    /// A branch led on.
    Branched {
        #[schema(value_type = String)]
        step: StepId,
        to: String,
    },
    /// People are asked: `subject` is the digest of exactly what.
    Asked {
        #[schema(value_type = String)]
        step: StepId,
        round: u32,
        #[schema(value_type = String)]
        subject: Digest,
        until: Moment,
    },
    /// People decided, or their time was up.
    Decided {
        #[schema(value_type = String)]
        step: StepId,
        round: u32,
        verdict: String,
    },
    /// What would run is no longer what was decided about.
    Voided {
        #[schema(value_type = String)]
        step: StepId,
        round: u32,
        because: String,
    },
    /// The receiver of a call said that it is done.
    CalledBack {
        #[schema(value_type = String)]
        step: StepId,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// What takes a step back is stored; `request` is the digest of exactly what.
    Armed {
        #[schema(value_type = String)]
        step: StepId,
        #[schema(value_type = String)]
        request: Digest,
    },
    /// From here on only undos begin.
    Unwinding {
        reason: String,
    },
    UndoFailed {
        #[schema(value_type = String)]
        step: StepId,
    },
    UndoDecided {
        #[schema(value_type = String)]
        by: UserId,
        #[schema(value_type = String)]
        step: StepId,
        decision: UndoDecision,
        reason: String,
    },
    /// Its runbook has given up on the incident.
    GaveUp {
        because: String,
    },
    /// It behaves unlike the runbook's history.
    Anomaly {
        because: String,
    },
    Ended {
        status: ExecutionStatus,
    },
}

impl From<domain::TrailEntry> for TrailEntry {
    fn from(entry: domain::TrailEntry) -> Self {
        Self { at: entry.at.into(), event: entry.event.into() }
    }
}

impl From<domain::TrailEvent> for TrailEvent {
    fn from(event: domain::TrailEvent) -> Self {
        use domain::TrailEvent as Stored;
        match event {
            Stored::Accepted { by } => Self::Accepted { by },
            Stored::Claimed { epoch, by } => Self::Claimed { epoch, by },
            Stored::Intent { step, attempt, request } => Self::Intent { step, attempt, request },
            Stored::Outcome { step, attempt, outcome } => Self::Outcome { step, attempt, outcome },
            Stored::Late { step, attempt, outcome } => Self::Late { step, attempt, outcome },
            Stored::Waiting { until } => Self::Waiting { until: until.into() },
            Stored::Answered { step, answer } => Self::Answered { step, answer },
            Stored::Skipped { step } => Self::Skipped { step },
            Stored::Delayed { step, until } => Self::Delayed { step, until: until.into() },
            Stored::Resumed { step } => Self::Resumed { step },
            Stored::Found { step } => Self::Found { step },
            Stored::PauseRequested { by, reason } => Self::PauseRequested { by, reason },
            Stored::Quiesced => Self::Quiesced,
            Stored::Unpaused { by } => Self::Unpaused { by },
            Stored::FreezePassed { glass } => Self::FreezePassed { glass },
            Stored::Branched { step, to } => Self::Branched { step, to },
            Stored::Asked { step, round, subject, until } => {
                Self::Asked { step, round, subject, until: until.into() }
            }
            Stored::Decided { step, round, verdict } => Self::Decided { step, round, verdict },
            Stored::Voided { step, round, because } => Self::Voided { step, round, because },
            Stored::CalledBack { step, error } => Self::CalledBack { step, error },
            Stored::Armed { step, request } => Self::Armed { step, request },
            Stored::Unwinding { reason } => Self::Unwinding { reason },
            Stored::UndoFailed { step } => Self::UndoFailed { step },
            Stored::UndoDecided { by, step, decision, reason } => {
                Self::UndoDecided { by, step, decision: decision.into(), reason }
            }
            Stored::Started { step, execution } => Self::Started { step, execution },
            Stored::ChildEnded { step, execution, status } => {
                Self::ChildEnded { step, execution, status: status.into() }
            }
            Stored::StepFailed { step, error } => Self::StepFailed { step, error },
            Stored::NeedsReview { step } => Self::NeedsReview { step },
            Stored::Resolved { by, step, resolution, reason } => {
                Self::Resolved { by, step, resolution: resolution.into(), reason }
            }
            Stored::StopRequested { by, reason } => Self::StopRequested { by, reason },
            Stored::GaveUp { because } => Self::GaveUp { because },
            Stored::Anomaly { because } => Self::Anomaly { because },
            Stored::Ended { status } => Self::Ended { status: status.into() },
        }
    }
}
