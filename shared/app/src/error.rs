//! What a use case answers instead of its result. `shared/http` gives each a status and problem details.

use muster_domain::approval;
use muster_domain::control::Scope;
use muster_domain::fault::Fault;
use muster_domain::freeze::Frozen;
use muster_domain::policy::Denied;
use muster_domain::runbook::VersionStatus;

use crate::ports::{BusError, BusErrorKind, QueueError, SecretError};
use crate::signing_keys::SigningKeyError;
use crate::table::{CommitError, TableError};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no {kind} {id}")]
    NotFound { kind: &'static str, id: String },
    #[error("{0}")]
    Forbidden(#[from] Denied),
    #[error("not valid: {} fault(s)", .0.len())]
    Invalid(Vec<Fault>),
    #[error("Only APPROVED runbooks can be executed")]
    NotApproved { current: VersionStatus },
    #[error("{message}")]
    WrongLifecycle { message: String, current: VersionStatus },
    #[error("{message}")]
    /// `current` is a word of what runs: a workflow's differ from a runbook's.
    WrongStatus { message: String, current: &'static str },
    /// The change would contradict what is stored.
    #[error("{0}")]
    Conflict(String),
    /// An answer to a gate that does not count.
    #[error("{0}")]
    Refused(approval::Refusal),
    /// A decision that stays as it is.
    #[error("{0}")]
    Stays(approval::WithdrawRefusal),
    #[error("the kill switch {scope} is engaged: {reason}")]
    KillSwitch { scope: Scope, reason: String },
    #[error(
        "{0}. A platform admin can break the glass: `POST /api/break-glass`, or `muster break-glass start`"
    )]
    Frozen(Box<Frozen>),
    #[error("it was changed meanwhile: the current ETag is \"{current}\"")]
    Stale { current: u64 },
    #[error("this Idempotency-Key was used with another body")]
    IdempotencyMismatch,
    /// A delivery that does not prove who sent it. Which check failed is in the log alone.
    #[error("the delivery does not prove that it comes from this integration's sender")]
    Unverified,
    /// A callback without the token of its step. Whether there is such a step is not said.
    #[error("the token is not that of this step's call")]
    Unproven,
    /// What did not come from Slack, or from a button of Muster's. Which, is in the log alone.
    #[error("Slack did not sign this, or the button is not one of Muster's")]
    NotFromSlack,
    #[error("proving what comes back")]
    SigningKey(#[from] SigningKeyError),
    #[error("a cursor of another list, or not a cursor")]
    InvalidCursor,
    #[error("too many others change it at the same time")]
    Contention,
    #[error("too little time is left to begin a call")]
    NoTime,
    #[error("storing or reading")]
    Table(#[from] TableError),
    #[error("asking the queue")]
    Queue(#[from] QueueError),
    #[error("delivering an event")]
    Bus(#[from] BusError),
    #[error("reading a secret")]
    Secret(#[from] SecretError),
}

impl Error {
    /// Whether the same request may succeed later without a change.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Contention | Self::NoTime | Self::Queue(_) | Self::Secret(_) | Self::SigningKey(_) => true,
            Self::Table(error) => error.kind.retryable(),
            Self::Bus(error) => error.kind == BusErrorKind::Unavailable,
            Self::NotFound { .. }
            | Self::Forbidden(_)
            | Self::Invalid(_)
            | Self::NotApproved { .. }
            | Self::WrongLifecycle { .. }
            | Self::WrongStatus { .. }
            | Self::Conflict(_)
            | Self::KillSwitch { .. }
            | Self::Frozen(_)
            | Self::Refused(_)
            | Self::Stays(_)
            | Self::Stale { .. }
            | Self::IdempotencyMismatch
            | Self::Unverified
            | Self::Unproven
            | Self::NotFromSlack
            | Self::InvalidCursor => false,
        }
    }
}

impl From<approval::Refusal> for Error {
    fn from(refusal: approval::Refusal) -> Self {
        match refusal {
            approval::Refusal::FormFault(faults) => Self::Invalid(faults),
            approval::Refusal::ReasonMissing => {
                Self::Invalid(vec![Fault::new("/reason", refusal.to_string())])
            }
            approval::Refusal::Closed(_)
            | approval::Refusal::Late(_)
            | approval::Refusal::OtherDigest(_)
            | approval::Refusal::OwnWork { .. }
            | approval::Refusal::OwnWord { .. }
            | approval::Refusal::Again { .. }
            | approval::Refusal::Revoked { .. }
            | approval::Refusal::NotAnApprover { .. }
            | approval::Refusal::Full => Self::Refused(refusal),
        }
    }
}

impl From<approval::WithdrawRefusal> for Error {
    fn from(refusal: approval::WithdrawRefusal) -> Self {
        Self::Stays(refusal)
    }
}

impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict { .. } => Self::Contention,
            CommitError::Table(error) => Self::Table(error),
        }
    }
}

/// The error and its causes in one line, for a log record.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
