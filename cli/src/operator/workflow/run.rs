//! Running a workflow by hand.

use clap::Args;
use muster_domain::ids::{IncidentId, WorkflowId};
use serde_json::json;

use crate::operator::api::{Call, IdempotencyKey, object};
use crate::operator::context::Context;
use crate::operator::ended::Ended;
use crate::operator::error::OperatorError;
use crate::operator::execution::accepted;

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The workflow
    id: WorkflowId,
    /// The incident it is for
    #[arg(long, value_name = "INCIDENT")]
    incident: Option<IncidentId>,
    /// Follow the execution to its end
    #[arg(short, long)]
    watch: bool,
    /// Name of this request, under which it is done once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<IdempotencyKey>,
}

impl Run {
    pub(super) async fn run(&self, context: &Context) -> Result<Ended, OperatorError> {
        let body = object(json!({"incidentId": self.incident}));
        let call = Call::post(&["api", "workflows", self.id.as_str(), "run"], body);
        let body = context.send(call.key(self.idempotency_key.clone())).await?.body;
        accepted(context, &body, self.watch.into()).await
    }
}
