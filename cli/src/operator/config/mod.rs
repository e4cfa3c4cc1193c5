//! How the commands are pointed at an installation.

mod stack;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value;

use self::stack::{Setting, settings};
use super::Command;
use super::context::Context;
use super::ended::Ended;
use super::error::OperatorError;
use super::file::Source;
use super::output::{Layout, OutputError, clean};

pub(crate) use self::stack::StackError;

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Turn what `aws cloudformation describe-stacks` prints into variables for this shell
    ImportStack(ImportStack),
}

impl Command for ConfigCommand {
    async fn run(self, context: &Context) -> Result<Ended, OperatorError> {
        match self {
            Self::ImportStack(command) => command.run(context)?,
        }
        Ok(Ended::SUCCESS)
    }
}

#[derive(Debug, Args)]
pub(crate) struct ImportStack {
    /// JSON of `aws cloudformation describe-stacks --stack-name NAME`; `-` reads standard input
    #[arg(default_value = "-")]
    file: PathBuf,
}

impl ImportStack {
    fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let settings = settings(&Source::read(&self.file)?)?;
        Ok(show(context, &settings)?)
    }
}

/// A shell reads the form for people; `-o json` and `-o yaml` are for anything else.
fn show(context: &Context, settings: &[Setting]) -> Result<(), OutputError> {
    let members = settings.iter().map(|one| (one.variable.to_owned(), Value::from(one.value.as_str())));
    let data = Value::Object(members.collect());
    context.printer.data(&data, |_| Layout::lines(settings.iter().map(|one| clean(&one.to_string()))))
}
