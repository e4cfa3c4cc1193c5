//! `muster bench`: how fast this build is on this machine, with every write durable.
//!
//! The server, the receiver and the load run in three processes, all of them on this machine: what the load costs is
//! part of every figure. Each figure is one line of JSON on standard output.

mod figure;
mod load;
mod matching;
pub(crate) mod receiver;
mod rig;
mod runs;
mod workload;

use std::io;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use muster_app::table::TableError;
use muster_domain::ids::InvalidId;
use muster_http::local_identity::LocalIdentityError;

use self::rig::RigError;
use crate::exit::Exit;
use crate::local::data_dir::DataDirError;

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Executions of the long runs
    #[arg(long, value_name = "N", default_value_t = 30_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    executions: u32,
    /// Executions in hand at once in the long run
    #[arg(long, value_name = "N", default_value_t = 256)]
    workers: u16,
    /// Clients that ask for the executions of the long run, each one after the other
    #[arg(long, value_name = "N", default_value_t = 256)]
    clients: u16,
    /// Directory for the data, on the disk to be measured; a file system in memory would flatter
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Measure this alone; may be repeated
    #[arg(long, value_name = "RUN")]
    only: Vec<Run>,
}

/// What can be measured on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Run {
    /// The table alone: commits per second with 256 in flight
    Commits,
    /// From the start of the process to its readiness, and its memory
    Start,
    /// Durable accepts per second and their latency, at 1, 16 and 64 clients
    Accepts,
    /// From the request to the webhook at its receiver, one at a time
    Arrival,
    /// Executions per second end to end, and the memory after them
    Executions,
    /// Events per second matched against 10, 100 and 1,000 workflows, and from an event to the webhook of its workflow
    Matching,
}

pub(crate) async fn run(args: &BenchArgs) -> Result<(), BenchError> {
    for run in Run::value_variants().iter().filter(|run| args.only.is_empty() || args.only.contains(run)) {
        match run {
            Run::Commits => runs::commits(&args.dir).await?,
            Run::Start => runs::start(&args.dir).await?,
            Run::Accepts => runs::accepts(&args.dir, args.executions).await?,
            Run::Arrival => runs::arrival(&args.dir).await?,
            Run::Executions => runs::executions(args).await?,
            Run::Matching => matching::run(&args.dir).await?,
        }
    }
    Ok(())
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error("making a directory for the data")]
    Directory(#[source] io::Error),
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Token(#[from] LocalIdentityError),
    #[error("naming a person of the benchmark")]
    Name(#[from] InvalidId),
    #[error("measuring the table alone")]
    Table(#[from] TableError),
    #[error(transparent)]
    Rig(#[from] RigError),
    #[error(transparent)]
    Load(#[from] load::LoadError),
    #[error("the executions did not all succeed: {succeeded} of {expected} did, and {arrived} calls arrived")]
    Incomplete { expected: u64, succeeded: u64, arrived: u64 },
    #[error("an event has to start {expected} workflows and started {started}")]
    Matched { expected: usize, started: usize },
    #[error("making a workflow of the benchmark")]
    Workload(#[source] serde_json::Error),
    #[error("writing a figure")]
    Output(#[source] io::Error),
}

impl BenchError {
    pub(crate) fn exit(&self) -> Exit {
        Exit::Failure
    }
}
