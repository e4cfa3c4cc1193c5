//! Executions: read, follow, steer.

mod accepted;
mod answer;
mod layout;
mod read;
mod steer;
mod trail;
mod tree;
mod view;
mod watch;

use clap::{Args, Subcommand};
use muster_domain::ids::ExecutionId;

pub(crate) use self::accepted::accepted;
pub(crate) use self::layout::{duration, risk_of, why};
use self::steer::Change;
use self::watch::look_once;
pub(crate) use self::watch::{Wanted, WatchError, watch};
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
    /// Show what an execution asked of people, and what they decided
    Approvals(answer::Approvals),
    /// Agree that an execution goes on
    Approve(answer::Answer),
    /// Refuse that an execution goes on
    Reject(answer::Answer),
    /// Take a decision back that the execution has not gone on by
    Withdraw(answer::Withdraw),
    /// Stop an execution before its next call; what was done stays
    #[command(visible_alias = "kill")]
    Cancel(steer::Cancel),
    /// Stop an execution and take back what it did, the last step first
    #[command(after_help = help())]
    Abort(steer::Abort),
    /// Begin no further call until somebody resumes the execution
    Pause(steer::Because),
    /// Let a paused execution go on
    Resume(steer::Resume),
    /// Take back what an ended execution did, by an execution of its own
    #[command(after_help = help())]
    Rollback(steer::Rollback),
    /// Send an undo that failed again
    RetryUndo(steer::Because),
    /// Let an undo that failed be: what was done stays
    SkipUndo(steer::Because),
    /// Say that you took back by hand what an undo could not
    MarkUndone(steer::Because),
    /// Say what became of a call whose outcome nobody could know
    Resolve(steer::Resolve),
}

#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// The execution
    id: ExecutionId,
    /// Show where it stands now, and end
    #[arg(long)]
    once: bool,
}

impl Command for ExecutionCommand {
    async fn run(self, context: &Context) -> Result<Ended, OperatorError> {
        match self {
            Self::Watch(Watch { id, once: true }) => return look_once(context, &id).await,
            Self::Watch(Watch { id, once: false }) => return watch(context, &id, Wanted::Done).await,
            Self::Abort(command) => return command.run(context).await,
            Self::Rollback(command) => return command.run(context).await,
            Self::Pause(command) => command.run(context, Change::Pause).await?,
            Self::RetryUndo(command) => command.run(context, Change::RetryUndo).await?,
            Self::SkipUndo(command) => command.run(context, Change::SkipUndo).await?,
            Self::MarkUndone(command) => command.run(context, Change::MarkUndone).await?,
            Self::Resume(command) => command.run(context).await?,
            Self::Get(command) => command.run(context).await?,
            Self::List(command) => command.run(context).await?,
            Self::Notifications(command) => command.run(context).await?,
            Self::Approvals(command) => command.run(context).await?,
            Self::Approve(command) => command.run(context, "approve").await?,
            Self::Reject(command) => command.run(context, "reject").await?,
            Self::Withdraw(command) => command.run(context).await?,
            Self::Cancel(command) => command.run(context).await?,
            Self::Resolve(command) => command.run(context).await?,
        }
        Ok(Ended::SUCCESS)
    }
}
