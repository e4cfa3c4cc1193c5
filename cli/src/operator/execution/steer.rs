//! Steering executions: pause and resume, cancel, abort and roll back, and settle what Muster cannot.

use clap::{Args, ValueEnum};
use muster_domain::ids::ExecutionId;
use serde_json::json;

use super::accepted::{Afterwards, accepted};
use super::{Wanted, layout, watch};
use crate::operator::api::{Call, IdempotencyKey, object};
use crate::operator::context::Context;
use crate::operator::ended::Ended;
use crate::operator::error::OperatorError;

#[derive(Debug, Args)]
pub(crate) struct Cancel {
    /// The execution
    id: ExecutionId,
    /// Why, for those who find it cancelled
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Name of this request, under which it is done once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<IdempotencyKey>,
}

impl Cancel {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        context.show(self.call(), layout::execution).await
    }

    pub(super) fn call(&self) -> Call {
        let body = object(json!({"reason": self.reason}));
        Call::post(&["api", "executions", self.id.as_str(), "cancel"], body).key(self.idempotency_key.clone())
    }
}

/// What became of the call.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Outcome {
    /// It took effect: the step has succeeded
    Happened,
    /// It did not: send it again
    Resend,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Happened => "happened",
            Self::Resend => "resend",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Resolve {
    /// The execution
    id: ExecutionId,
    /// What became of the call
    #[arg(long, value_enum)]
    outcome: Outcome,
    /// How you know
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Name of this request, under which it is done once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<IdempotencyKey>,
}

impl Resolve {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        context.show(self.call(), layout::execution).await
    }

    pub(super) fn call(&self) -> Call {
        let body = object(json!({"outcome": self.outcome.as_str(), "reason": self.reason}));
        let path = ["api", "executions", self.id.as_str(), "resolve"];
        Call::post(&path, body).key(self.idempotency_key.clone())
    }
}

/// A change of an execution that needs a reason.
#[derive(Debug, Args)]
pub(crate) struct Because {
    /// The execution
    id: ExecutionId,
    /// Why, for those who find it so
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Name of this request, under which it is done once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<IdempotencyKey>,
}

/// Which change it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    Pause,
    Abort,
    RetryUndo,
    SkipUndo,
    MarkUndone,
}

impl Change {
    const fn path(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Abort => "abort",
            Self::RetryUndo | Self::SkipUndo | Self::MarkUndone => "undo",
        }
    }

    const fn decision(self) -> Option<&'static str> {
        match self {
            Self::Pause | Self::Abort => None,
            Self::RetryUndo => Some("retry"),
            Self::SkipUndo => Some("skip"),
            Self::MarkUndone => Some("done"),
        }
    }
}

impl Because {
    pub(super) async fn run(&self, context: &Context, change: Change) -> Result<(), OperatorError> {
        context.show(self.call(change), layout::execution).await
    }

    fn call(&self, change: Change) -> Call {
        let body = object(json!({"reason": self.reason, "decision": change.decision()}));
        let path = ["api", "executions", self.id.as_str(), change.path()];
        Call::post(&path, body).key(self.idempotency_key.clone())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Abort {
    #[command(flatten)]
    because: Because,
    /// Follow the execution until what it did is taken back
    #[arg(long)]
    watch: bool,
}

impl Abort {
    pub(super) async fn run(&self, context: &Context) -> Result<Ended, OperatorError> {
        match Afterwards::from(self.watch) {
            Afterwards::Return => {
                self.because.run(context, Change::Abort).await?;
                Ok(Ended::SUCCESS)
            }
            Afterwards::Watch => {
                context.send(self.because.call(Change::Abort)).await?;
                watch(context, &self.because.id, Wanted::TakenBack).await
            }
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// The execution
    id: ExecutionId,
    /// Name of this request, under which it is done once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<IdempotencyKey>,
}

impl Resume {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let path = ["api", "executions", self.id.as_str(), "resume"];
        let call = Call::post(&path, object(json!({}))).key(self.idempotency_key.clone());
        context.show(call, layout::execution).await
    }
}

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    #[command(flatten)]
    because: Because,
    /// Follow the execution that takes it back to its end
    #[arg(long)]
    watch: bool,
}

impl Rollback {
    pub(super) async fn run(&self, context: &Context) -> Result<Ended, OperatorError> {
        let Because { id, reason, idempotency_key } = &self.because;
        let path = ["api", "executions", id.as_str(), "rollback"];
        let call = Call::post(&path, object(json!({"reason": reason}))).key(idempotency_key.clone());
        let body = context.send(call).await?.body;
        accepted(context, &body, Afterwards::from(self.watch)).await
    }
}
