//! `muster-aws`: what `muster` needs the AWS SDK for. `muster export` and `muster import` start it for a DynamoDB table, so
//! that `muster` itself builds without the SDK.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use muster_app::error::chain;
use muster_aws::clients::Clients;
use muster_store::dynamo::DynamoTable;
use muster_store::portable::{self, Begun, LoadError, SaveError};

/// Moves a DynamoDB table to and from a file; region and credentials are those of every AWS tool
#[derive(Debug, Parser)]
#[command(name = "muster-aws", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the table to a file
    Export(Args),
    /// Fill the table from a file
    Import(Args),
}

#[derive(Debug, clap::Args)]
struct Args {
    /// The file of the export
    file: PathBuf,
    /// The table's name, as the stack's output `TableName` says
    #[arg(long, value_name = "NAME")]
    table: String,
    /// Go on with one that was cut short
    #[arg(long)]
    resume: bool,
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Export(#[from] SaveError),
    #[error(transparent)]
    Import(#[from] LoadError),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(done) => say(&done, ExitCode::SUCCESS),
        Err(error) => say(&format!("error: {}", chain(&error)), ExitCode::FAILURE),
    }
}

async fn run(command: Command) -> Result<String, Failed> {
    let clients = Clients::load().await;
    match command {
        Command::Export(args) => {
            let table = DynamoTable::new(clients.dynamo().clone(), &args.table);
            let items = portable::save(&table, &args.file, args.begun()).await?;
            Ok(format!("{items} items of {} are in {}", args.table, args.file.display()))
        }
        Command::Import(args) => {
            let table = DynamoTable::new(clients.dynamo().clone(), &args.table);
            let proof = portable::load(&table, &args.file, args.begun()).await?;
            Ok(format!("{proof} in {}", args.table))
        }
    }
}

impl Args {
    fn begun(&self) -> Begun {
        if self.resume { Begun::Yes } else { Begun::No }
    }
}

/// A line for a person. That it cannot be written has nowhere to be said.
fn say(line: &str, code: ExitCode) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
    code
}
