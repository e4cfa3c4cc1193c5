//! Decisions on versions: approve, deprecate.

use clap::Args;
use muster_domain::ids::RunbookId;
use serde_json::json;

use super::layout;
use crate::operator::api::{Call, IdempotencyKey, object};
use crate::operator::context::Context;
use crate::operator::error::OperatorError;

#[derive(Debug, Args)]
pub(crate) struct Approve {
    /// The runbook
    id: RunbookId,
    /// The version to approve; the newest unless given
    #[arg(long, value_name = "NUMBER")]
    version: Option<u32>,
    /// Refuse if the version is not the one with this digest, which you reviewed
    #[arg(long)]
    digest: Option<String>,
    /// Name of this request, under which it is done once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<IdempotencyKey>,
}

impl Approve {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        context.show(self.call(), layout::runbook).await
    }

    pub(super) fn call(&self) -> Call {
        let body = object(json!({"version": self.version, "digest": self.digest}));
        Call::post(&["api", "runbooks", self.id.as_str(), "approve"], body).key(self.idempotency_key.clone())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Deprecate {
    /// The runbook
    id: RunbookId,
    /// The version to deprecate; every approved one unless given
    #[arg(long, value_name = "NUMBER")]
    version: Option<u32>,
    /// Why, for those who find it deprecated
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Name of this request, under which it is done once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<IdempotencyKey>,
}

impl Deprecate {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        context.show(self.call(), layout::runbook).await
    }

    pub(super) fn call(&self) -> Call {
        let body = object(json!({"version": self.version, "reason": self.reason}));
        let path = ["api", "runbooks", self.id.as_str(), "deprecate"];
        Call::post(&path, body).key(self.idempotency_key.clone())
    }
}
