//! Approvals: what waits for whom. Answering is among the commands of executions.

mod layout;
mod shown;
mod watch;

use clap::{Args, Subcommand};

use self::layout::inbox;
pub(crate) use self::layout::{approval, needs, rounds};
use super::Command;
use super::api::{Call, OfTeam};
use super::context::Context;
use super::ended::{Ended, help};
use super::error::OperatorError;

#[derive(Debug, Subcommand)]
pub(crate) enum ApprovalCommand {
    /// List open approvals that you may decide now, what ends first first
    List(List),
    /// Tell of each approval that comes to wait for you; Ctrl-C stops watching
    #[command(after_help = help())]
    Watch,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// All that you may read, whoever may decide them
    #[arg(long)]
    readable: bool,
    #[command(flatten)]
    of: OfTeam,
}

impl Command for ApprovalCommand {
    async fn run(self, context: &Context) -> Result<Ended, OperatorError> {
        match self {
            Self::List(command) => {
                context.show_list(command.call(), &command.of.pages, inbox).await?;
                context.printer.note("See what one would let run: muster execution approvals EXECUTION");
                Ok(Ended::SUCCESS)
            }
            Self::Watch => watch::watch(context).await,
        }
    }
}

impl List {
    fn call(&self) -> Call {
        let waiting_for = (!self.readable).then_some("me");
        self.of.call("approvals").query("waitingFor", waiting_for)
    }
}
