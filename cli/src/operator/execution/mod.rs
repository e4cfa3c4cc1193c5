//! Executions: read, follow, steer.

mod accepted;
mod layout;
mod read;
mod steer;
mod trail;
mod watch;

use clap::{Args, Subcommand};
use muster_domain::ids::ExecutionId;

pub(crate) use self::accepted::accepted;
pub(crate) use self::layout::{duration, why};
pub(crate) use self::watch::{WatchError, watch};
use super::Command;
use super::context::Context;
use super::ended::{Ended, help};
use super::error::OperatorError;

#[derive(Debug, Subcommand)]
pub(crate) enum ExecutionCommand {
    /// Show an execution with its attempts
    Get(read::Get),
    /// List the executions of a runbook or of an incident, newest first
    List(read::List),
    /// Show who was, and is still to be, told that a workflow's execution went wrong
    Notifications(read::Notifications),
    /// Follow an execution to its end; Ctrl-C stops watching and changes nothing
    #[command(after_help = help())]
    Watch(Watch),
    /// Stop an execution before its next call
    Cancel(steer::Cancel),
    /// Say what became of a call whose outcome nobody could know
    Resolve(steer::Resolve),
}

#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// The execution
    id: ExecutionId,
}

impl Command for ExecutionCommand {
    async fn run(self, context: &Context) -> Result<Ended, OperatorError> {
        match self {
            Self::Watch(command) => return watch(context, &command.id).await,
            Self::Get(command) => command.run(context).await?,
            Self::List(command) => command.run(context).await?,
            Self::Notifications(command) => command.run(context).await?,
            Self::Cancel(command) => command.run(context).await?,
            Self::Resolve(command) => command.run(context).await?,
        }
        Ok(Ended::SUCCESS)
    }
}
