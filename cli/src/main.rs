//! The `muster` command: the product on one machine, and its operators' commands.

mod commands;
mod exit;
mod local;
mod operator;

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use mimalloc::MiMalloc;

use self::commands::bench::{self, BenchArgs};
use self::commands::completion::{self, CompletionArgs};
use self::commands::demo::{self, DemoArgs};
use self::commands::doctor::{self, DoctorArgs};
use self::commands::portable::{self, ExportArgs, ImportArgs};
use self::commands::serve::{self, ServeArgs};
use self::commands::token::{self, TokenArgs};
use self::exit::Exit;
use self::operator::OperatorCommand;

/// A quarter of a busy server's time is allocation; this allocator needs half of it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Runbook automation for incident response
#[derive(Debug, Parser)]
#[command(name = "muster", version, after_help = exit::HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "a process makes one of them")]
enum Command {
    /// Run the whole product as one process, on one data directory
    Serve(ServeArgs),
    /// See the main job from end to end, on a temporary directory
    Demo(DemoArgs),
    /// Issue a token of this installation
    Token(TokenArgs),
    /// Find out what is wrong with this installation, and how to mend it
    Doctor(DoctorArgs),
    /// Write all that an installation keeps to one file, while its server is stopped
    Export(ExportArgs),
    /// Fill an empty installation from such a file, and prove that it holds the same
    Import(ImportArgs),
    /// Write a shell's completion script
    Completion(CompletionArgs),
    /// Measure this build on this machine
    Bench(BenchArgs),
    /// The receiver that `bench` starts
    #[command(hide = true)]
    BenchReceiver,
    #[command(flatten)]
    Operator(OperatorCommand),
}

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(args) => end(serve::run(&args).await.map_err(|error| (error.exit(), error))),
        Command::Demo(args) => end(demo::run(&args).await.map_err(|error| (error.exit(), error))),
        Command::Token(args) => end(token::run(&args).map_err(|error| (error.exit(), error))),
        Command::Doctor(args) => end(doctor::run(&args).await.map_err(|error| (error.exit(), error))),
        Command::Export(args) => end(portable::export(&args).await.map_err(|error| (error.exit(), error))),
        Command::Import(args) => end(portable::import(&args).await.map_err(|error| (error.exit(), error))),
        Command::Completion(args) => {
            end(completion::run(&args, Cli::command()).map_err(|error| (Exit::Failure, error)))
        }
        Command::Bench(args) => end(bench::run(&args).await.map_err(|error| (error.exit(), error))),
        Command::BenchReceiver => end(bench::receiver::run().await.map_err(|error| (Exit::Failure, error))),
        Command::Operator(command) => operator::run(command).await,
    }
}

/// Says what went wrong, with its causes.
fn end(result: Result<(), (Exit, impl Error)>) -> ExitCode {
    match result {
        Ok(()) => Exit::Success.into(),
        Err((exit, error)) => {
            // That standard error is closed has nowhere to be said.
            let _ = writeln!(std::io::stderr().lock(), "error: {}", muster_app::error::chain(&error));
            exit.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
