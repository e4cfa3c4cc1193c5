//! Changing incidents: acknowledge, resolve, escalate.

use clap::Args;
use muster_domain::ids::{IncidentId, UserId};
use serde_json::json;

use crate::operator::api::{Call, IdempotencyKey, object};

#[derive(Debug, Args)]
pub(crate) struct Ack {
    /// The incident
    id: IncidentId,
    /// Who takes care of it; the assignee stays as it is unless given
    #[arg(long, value_name = "USER")]
    assignee: Option<UserId>,
    #[command(flatten)]
    edit: Edit,
}

impl Ack {
    pub(super) fn call(&self) -> Call {
        let body = json!({"status": "ACKNOWLEDGED", "assignee": self.assignee, "reason": self.edit.reason});
        self.edit.conditional(Call::patch(&["api", "incidents", self.id.as_str()], object(body)))
    }
}

#[derive(Debug, Args)]
pub(crate) struct Resolve {
    /// The incident
    id: IncidentId,
    #[command(flatten)]
    edit: Edit,
}

impl Resolve {
    pub(super) fn call(&self) -> Call {
        let body = json!({"status": "RESOLVED", "reason": self.edit.reason});
        self.edit.conditional(Call::patch(&["api", "incidents", self.id.as_str()], object(body)))
    }
}

#[derive(Debug, Args)]
pub(crate) struct Escalate {
    /// The incident
    id: IncidentId,
    #[command(flatten)]
    edit: Edit,
    /// Name of this request, under which it is done once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<IdempotencyKey>,
}

impl Escalate {
    pub(super) fn call(&self) -> Call {
        let body = object(json!({"reason": self.edit.reason}));
        let call = Call::post(&["api", "incidents", self.id.as_str(), "escalate"], body);
        self.edit.conditional(call).key(self.idempotency_key.clone())
    }
}

/// What every change takes.
#[derive(Debug, Args)]
struct Edit {
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Refuse if the incident is not as it was under this ETag
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
}

impl Edit {
    fn conditional(&self, call: Call) -> Call {
        call.if_match(self.if_match.clone())
    }
}
