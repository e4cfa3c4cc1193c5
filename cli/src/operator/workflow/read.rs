//! Reading workflows and their executions.

use clap::{Args, ValueEnum};
use muster_domain::ids::{TeamId, WorkflowId};

use super::layout;
use crate::operator::api::{Call, PageArgs};
use crate::operator::context::Context;
use crate::operator::error::OperatorError;

#[derive(Debug, Args)]
pub(crate) struct Get {
    /// The workflow
    id: WorkflowId,
}

impl Get {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let reply = context.send(Call::get(&["api", "workflows", self.id.as_str()])).await?;
        context.printer.data(&reply.body, layout::workflow)?;
        if let Some(etag) = reply.etag {
            context.printer.note(&format!("ETag {etag}"));
        }
        Ok(())
    }
}

/// What starts a workflow.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Trigger {
    IncidentCreated,
    StateChanged,
    Escalation,
    Manual,
    Age,
}

impl Trigger {
    const fn as_str(self) -> &'static str {
        match self {
            Self::IncidentCreated => "incident_created",
            Self::StateChanged => "state_changed",
            Self::Escalation => "escalation",
            Self::Manual => "manual",
            Self::Age => "age",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those of this team
    #[arg(long, value_name = "TEAM")]
    team: Option<TeamId>,
    /// Only those that events may start (`true`), or only the others (`false`)
    #[arg(long)]
    enabled: Option<bool>,
    /// Only those that this starts
    #[arg(long, value_enum)]
    trigger: Option<Trigger>,
    /// Only those whose name holds this text
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    #[command(flatten)]
    pages: PageArgs,
}

impl List {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let call = Call::get(&["api", "workflows"])
            .query("teamId", self.team.as_ref())
            .query("enabled", self.enabled)
            .query("triggerType", self.trigger.map(Trigger::as_str))
            .query("q", self.search.as_ref());
        context.show_list(call, &self.pages, layout::workflows).await
    }
}

#[derive(Debug, Args)]
pub(crate) struct Executions {
    /// The workflow
    id: WorkflowId,
    #[command(flatten)]
    pages: PageArgs,
}

impl Executions {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let call = Call::get(&["api", "workflows", self.id.as_str(), "executions"]);
        context.show_list(call, &self.pages, layout::executions).await
    }
}
