//! Runbooks: write, review, decide, execute.

mod apply;
mod decide;
mod execute;
mod layout;
mod read;
mod validate;
mod write;

use clap::Subcommand;

use super::Command;
use super::context::Context;
use super::ended::{Ended, help};
use super::error::OperatorError;

#[derive(Debug, Subcommand)]
pub(crate) enum RunbookCommand {
    /// Check a file without asking a server
    Validate(validate::Validate),
    /// Create a runbook from a file, or make a new version of the one of the same name and team
    Apply(apply::Apply),
    /// Create a runbook from a file; it is a DRAFT
    Create(write::Create),
    /// Show a runbook and its newest version
    Get(read::Get),
    /// List runbooks
    List(read::List),
    /// Make a new version from a file
    Update(write::Update),
    /// Make a DRAFT version executable
    Approve(decide::Approve),
    /// Take approved versions out of use
    Deprecate(decide::Deprecate),
    /// List the versions, or show one
    Versions(read::Versions),
    /// Show what differs between two versions
    Diff(read::Diff),
    /// Copy an old version to a new DRAFT
    Rollback(write::Rollback),
    /// Run an approved version
    #[command(after_help = help())]
    Execute(execute::Execute),
    /// Show what a run would do, step by step, and its risk; nothing is sent
    Plan(execute::Execute),
    /// Delete a runbook; its history stays readable
    Delete(write::Delete),
}

impl Command for RunbookCommand {
    async fn run(self, context: &Context) -> Result<Ended, OperatorError> {
        match self {
            Self::Validate(command) => return command.run(context),
            Self::Execute(command) => return command.run(context).await,
            Self::Plan(command) => return command.planning().run(context).await,
            Self::Apply(command) => command.run(context).await?,
            Self::Create(command) => command.run(context).await?,
            Self::Get(command) => command.run(context).await?,
            Self::List(command) => command.run(context).await?,
            Self::Update(command) => command.run(context).await?,
            Self::Approve(command) => command.run(context).await?,
            Self::Deprecate(command) => command.run(context).await?,
            Self::Versions(command) => command.run(context).await?,
            Self::Diff(command) => command.run(context).await?,
            Self::Rollback(command) => command.run(context).await?,
            Self::Delete(command) => command.run(context).await?,
        }
        Ok(Ended::SUCCESS)
    }
}
