//! Trying a workflow: nothing is changed or started.

use std::path::PathBuf;

use clap::Args;
use muster_domain::ids::{IncidentId, WorkflowId};
use serde_json::{Value, json};

use super::layout;
use crate::operator::api::{Call, object};
use crate::operator::context::Context;
use crate::operator::error::OperatorError;
use crate::operator::file::{FileError, Source, located, read_workflow};

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// The workflow
    id: WorkflowId,
    /// An incident as it is now
    #[arg(long, value_name = "INCIDENT", required_unless_present = "event")]
    incident: Option<IncidentId>,
    /// File with an incident event: the envelope of the bus, or its detail; `-` reads standard input
    #[arg(long, value_name = "FILE", conflicts_with = "incident")]
    event: Option<PathBuf>,
}

impl Test {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let event = self.event.as_deref().map(event_of).transpose()?;
        let body = object(json!({"incidentId": self.incident, "event": event}));
        let call = Call::post(&["api", "workflows", self.id.as_str(), "test"], body);
        context.show(call, layout::trial).await
    }
}

/// The file's content as it is: the server names what is wrong with it.
fn event_of(path: &std::path::Path) -> Result<Value, FileError> {
    Ok(located(&Source::read(path)?)?.value)
}

#[derive(Debug, Args)]
pub(crate) struct Backtest {
    /// The workflow
    id: WorkflowId,
    /// How many days to replay, today included
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=30))]
    days: u32,
    /// File with a draft to replay them against, instead of the newest version
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Backtest {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let draft = self.file.as_deref().map(read_workflow).transpose()?;
        let definition = draft.map(|draft| draft.definition);
        let body = object(json!({"days": self.days, "definition": definition}));
        let call = Call::post(&["api", "workflows", self.id.as_str(), "backtest"], body);
        context.show(call, layout::backtest).await
    }
}
