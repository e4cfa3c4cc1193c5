//! Workflows: write, read, run by hand, try.

mod apply;
mod layout;
mod read;
mod run;
mod trial;

use clap::Subcommand;

use super::Command;
use super::context::Context;
use super::ended::{Ended, help};
use super::error::OperatorError;

#[derive(Debug, Subcommand)]
pub(crate) enum WorkflowCommand {
    /// Create a workflow from a file, or change the one of the same name and team
    Apply(apply::Apply),
    /// List workflows
    List(read::List),
    /// Show a workflow and its newest version
    Get(read::Get),
    /// Run the newest version by hand, enabled or not
    #[command(after_help = help())]
    Run(run::Run),
    /// Say what an event, or an incident as it is now, would do, and start nothing
    Test(trial::Test),
    /// Replay the events of the last days, and start nothing
    Backtest(trial::Backtest),
    /// List the executions of a workflow
    Executions(read::Executions),
}

impl Command for WorkflowCommand {
    async fn run(self, context: &Context) -> Result<Ended, OperatorError> {
        match self {
            Self::Run(command) => return command.run(context).await,
            Self::Apply(command) => command.run(context).await?,
            Self::List(command) => command.run(context).await?,
            Self::Get(command) => command.run(context).await?,
            Self::Test(command) => command.run(context).await?,
            Self::Backtest(command) => command.run(context).await?,
            Self::Executions(command) => command.run(context).await?,
        }
        Ok(Ended::SUCCESS)
    }
}
