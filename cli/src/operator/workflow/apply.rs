//! Making the server's workflow what a file says.

use std::path::PathBuf;

use clap::Args;
use muster_domain::ids::WorkflowId;

use super::layout;
use crate::operator::api::{ApiError, Call, IdempotencyKey, object};
use crate::operator::context::Context;
use crate::operator::error::OperatorError;
use crate::operator::file::{CheckedWorkflow, read_workflow};
use crate::operator::output::field;
use crate::operator::same_name::same_name;

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// YAML or JSON file with the whole definition; `-` reads standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Change this workflow, whatever its name is; otherwise the one of the file's name and team, or a new one
    #[arg(long, value_name = "WORKFLOW")]
    id: Option<WorkflowId>,
    /// Why it changes; a new workflow has no change to note
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Name of the request that creates a workflow, under which it is done once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<IdempotencyKey>,
}

impl Apply {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let checked = read_workflow(&self.file)?;
        let id = match &self.id {
            Some(id) => Some(id.to_string()),
            None => {
                let definition = &checked.definition;
                let same =
                    same_name(context, "workflows", (&definition.name, definition.team_id.as_ref())).await?;
                same.map(|workflow| field(&workflow, "/id"))
            }
        };
        let call = self.call(id.as_deref(), &checked);
        match context.send(call).await {
            Ok(reply) => Ok(context.printer.data(&reply.body, layout::workflow)?),
            Err(OperatorError::Api(ApiError::Problem(problem))) => {
                Err(ApiError::from(problem.in_file(&checked.name, &checked.places)).into())
            }
            Err(error) => Err(error),
        }
    }

    fn call(&self, id: Option<&str>, checked: &CheckedWorkflow) -> Call {
        let body = object(&checked.definition);
        let Some(id) = id else {
            return Call::post(&["api", "workflows"], body).key(self.idempotency_key.clone());
        };
        Call::put(&["api", "workflows", id], body).noted(self.note.as_deref())
    }
}
