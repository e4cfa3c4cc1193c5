//! Reading executions.

use std::str::FromStr;

use clap::Args;
use muster_domain::ids::{ExecutionId, IncidentId, InvalidId, RunbookId};

use super::layout;
use crate::operator::api::{Call, PageArgs};
use crate::operator::context::Context;
use crate::operator::error::OperatorError;

#[derive(Debug, Args)]
pub(crate) struct Get {
    /// The execution
    id: ExecutionId,
}

impl Get {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        context.show(call_of(&self.id), layout::execution).await
    }
}

pub(super) fn call_of(id: &ExecutionId) -> Call {
    Call::get(&["api", "executions", id.as_str()])
}

#[derive(Debug, Args)]
pub(crate) struct Notifications {
    /// The execution
    id: ExecutionId,
}

impl Notifications {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let call = Call::get(&["api", "executions", self.id.as_str(), "notifications"]);
        context.show(call, layout::notifications).await
    }
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// The runbook that ran, or the incident that it ran for
    #[arg(value_name = "RUNBOOK|INCIDENT")]
    of: Of,
    #[command(flatten)]
    pages: PageArgs,
}

/// Whose executions are listed: the prefix of an id tells what it is of.
#[derive(Debug, Clone)]
enum Of {
    Runbook(RunbookId),
    Incident(IncidentId),
}

impl FromStr for Of {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let runbook = text.parse().map(Self::Runbook);
        runbook
            .or_else(|_: InvalidId| text.parse().map(Self::Incident))
            .map_err(|_: InvalidId| InvalidId { expected: "the id of a runbook or of an incident" })
    }
}

impl List {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        context.show_list(self.call(), &self.pages, layout::executions).await
    }

    fn call(&self) -> Call {
        match &self.of {
            Of::Runbook(id) => Call::get(&["api", "runbooks", id.as_str(), "executions"]),
            Of::Incident(id) => Call::get(&["api", "incidents", id.as_str(), "runbooks", "executions"]),
        }
    }
}
