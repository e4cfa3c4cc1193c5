//! Steering executions: cancel, and resolve what nobody could know.

use clap::{Args, ValueEnum};
use muster_domain::ids::ExecutionId;
use serde_json::json;

use super::layout;
use crate::operator::api::{Call, IdempotencyKey, object};
use crate::operator::context::Context;
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
