//! Answering the approval steps of executions.

use clap::Args;
use muster_domain::digest::Digest;
use muster_domain::ids::{ExecutionId, StepId, UserId};
use serde_json::json;

use crate::operator::api::{Call, IdempotencyKey, Problem, object};
use crate::operator::approval;
use crate::operator::context::Context;
use crate::operator::error::OperatorError;
use crate::operator::parameters::JsonObject;

/// What the server says of an answer to something else.
const OTHER_DIGEST: &str = "/problems/other-digest";

#[derive(Debug, Args)]
pub(crate) struct Answer {
    /// The execution
    id: ExecutionId,
    /// The approval step
    step: StepId,
    /// The digest of what you saw: `muster execution approvals` shows it, and what it is of
    #[arg(long, value_name = "DIGEST")]
    digest: Digest,
    /// Why; some approvals require it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// What the approval's form asks for
    #[arg(long, value_name = "JSON")]
    form: Option<JsonObject>,
    /// Name of this request, under which it is done once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<IdempotencyKey>,
}

impl Answer {
    pub(super) async fn run(&self, context: &Context, verb: &str) -> Result<(), OperatorError> {
        let answered = context.api()?.send(self.call(verb)).await;
        let body = answered.map_err(|error| error.told(|problem| self.looked_at_again(problem)))?.body;
        Ok(context.printer.data(&body, approval::approval)?)
    }

    /// The digest of what would run is nothing to copy from a refusal: it is of something that nobody has looked at.
    fn looked_at_again(&self, mut problem: Problem) -> Problem {
        if problem.kind != OTHER_DIGEST {
            return problem;
        }
        problem.detail = None;
        problem.hinting(format!("look at it again: muster execution approvals {}", self.id))
    }

    fn call(&self, verb: &str) -> Call {
        let form = self.form.as_ref().map(|form| &form.0);
        let body = object(json!({"digest": self.digest, "reason": self.reason, "form": form}));
        let path = ["api", "executions", self.id.as_str(), "steps", self.step.as_str(), verb];
        Call::post(&path, body).key(self.idempotency_key.clone())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Withdraw {
    /// The execution
    id: ExecutionId,
    /// The approval step
    step: StepId,
    /// Whose decision it is: your own, or as a platform admin anybody's
    #[arg(long, value_name = "USER")]
    of: UserId,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Name of this request, under which it is done once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<IdempotencyKey>,
}

impl Withdraw {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        context.show(self.call(), approval::approval).await
    }

    fn call(&self) -> Call {
        let body = object(json!({"of": self.of, "reason": self.reason}));
        let path = ["api", "executions", self.id.as_str(), "steps", self.step.as_str(), "withdraw"];
        Call::post(&path, body).key(self.idempotency_key.clone())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Approvals {
    /// The execution
    id: ExecutionId,
}

impl Approvals {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let call = Call::get(&["api", "executions", self.id.as_str(), "approvals"]);
        context.show(call, approval::rounds).await
    }
}
