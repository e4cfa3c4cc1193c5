//! Operators' commands over the public API.
//!
//! Each command turns its arguments into a call, sends it and lays the answer out. Data goes to standard output,
//! everything else to standard error.

mod account;
mod api;
mod approval;
mod audit;
mod break_glass;
mod config;
mod context;
mod ended;
mod error;
mod event;
mod execution;
mod file;
mod freeze;
mod hook;
mod incident;
mod kill_switch;
mod output;
mod pace;
mod parameters;
mod queue;
mod runbook;
mod same_name;
mod team;
mod workflow;

use std::process::ExitCode;

use clap::{Args, FromArgMatches, Subcommand};

use self::api::ConnectionArgs;
use self::context::Context;
use self::ended::{Ended, help};
use self::error::OperatorError;
use self::output::{OutputArgs, Printer, Streams};
use self::pace::Pace;

#[derive(Debug, Subcommand)]
pub(crate) enum OperatorCommand {
    /// Write, approve and execute runbooks
    #[command(after_help = help())]
    Runbook(Group<runbook::RunbookCommand>),
    /// Follow and steer executions
    #[command(after_help = help())]
    Execution(Group<execution::ExecutionCommand>),
    /// See what waits for your decision
    #[command(after_help = help())]
    Approvals(Group<approval::ApprovalCommand>),
    /// Open, follow and change incidents
    #[command(after_help = help())]
    Incident(Group<incident::IncidentCommand>),
    /// Write, try and run workflows
    #[command(after_help = help())]
    Workflow(Group<workflow::WorkflowCommand>),
    /// Say how a team's people and channels are told of failures
    #[command(after_help = help())]
    Team(Group<team::TeamCommand>),
    /// Set up and try the addresses at which monitoring tools report
    #[command(after_help = help())]
    Hook(Group<hook::HookCommand>),
    /// Say whose the alarms of an AWS account are
    #[command(after_help = help())]
    Account(Group<account::AccountCommand>),
    /// Deliver events by hand
    #[command(after_help = help())]
    Event(Group<event::EventCommand>),
    /// Stop every new call of a scope, and let it go on
    #[command(after_help = help())]
    KillSwitch(Group<kill_switch::KillSwitchCommand>),
    /// Say when no change may begin
    #[command(after_help = help())]
    Freeze(Group<freeze::FreezeCommand>),
    /// Let changes begin in spite of a freeze, and review that
    #[command(after_help = help())]
    BreakGlass(Group<break_glass::BreakGlassCommand>),
    /// Look at the work queue
    #[command(after_help = help())]
    Queue(Group<queue::QueueCommand>),
    /// Read and prove the audit log
    #[command(after_help = help())]
    Audit(Group<audit::AuditCommand>),
    /// Point the commands at an installation
    #[command(after_help = help())]
    Config(Group<config::ConfigCommand>),
}

/// Commands about one thing, with what all of them take.
#[derive(Debug, Args)]
pub(crate) struct Group<C: FromArgMatches + Subcommand> {
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(subcommand)]
    command: C,
}

/// What one thing's commands do.
pub(crate) trait Command: FromArgMatches + Subcommand {
    async fn run(self, context: &Context) -> Result<Ended, OperatorError>;
}

/// Runs a command to its end and says on standard error what went wrong.
pub(crate) async fn run(command: OperatorCommand) -> ExitCode {
    command.run(Streams::standard(), Pace::OF_PEOPLE).await.into()
}

impl OperatorCommand {
    async fn run(self, streams: Streams, pace: Pace) -> Ended {
        match self {
            Self::Runbook(group) => group.run(streams, pace).await,
            Self::Execution(group) => group.run(streams, pace).await,
            Self::Approvals(group) => group.run(streams, pace).await,
            Self::Incident(group) => group.run(streams, pace).await,
            Self::Workflow(group) => group.run(streams, pace).await,
            Self::Team(group) => group.run(streams, pace).await,
            Self::Hook(group) => group.run(streams, pace).await,
            Self::Account(group) => group.run(streams, pace).await,
            Self::Event(group) => group.run(streams, pace).await,
            Self::KillSwitch(group) => group.run(streams, pace).await,
            Self::Freeze(group) => group.run(streams, pace).await,
            Self::BreakGlass(group) => group.run(streams, pace).await,
            Self::Queue(group) => group.run(streams, pace).await,
            Self::Audit(group) => group.run(streams, pace).await,
            Self::Config(group) => group.run(streams, pace).await,
        }
    }
}

impl<C: Command> Group<C> {
    async fn run(self, streams: Streams, pace: Pace) -> Ended {
        let printer = Printer::new(&self.output, streams);
        let context = Context::new(self.connection, printer, pace);
        let ended = self.command.run(&context).await;
        ended.unwrap_or_else(|error| error.report(&context.printer))
    }
}

#[cfg(test)]
mod tests;
