//! The work queue.

use clap::Subcommand;
use serde_json::Value;

use super::Command;
use super::api::Call;
use super::context::Context;
use super::ended::Ended;
use super::error::OperatorError;
use super::output::{Layout, field};

#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// How much is waiting, active, delayed and failed; approximate
    Stats,
}

impl Command for QueueCommand {
    async fn run(self, context: &Context) -> Result<Ended, OperatorError> {
        match self {
            Self::Stats => context.show(Call::get(&["api", "queue", "stats"]), layout).await?,
        }
        Ok(Ended::SUCCESS)
    }
}

fn layout(body: &Value) -> Layout {
    Layout::facts(vec![
        ("Waiting", field(body, "/waiting")),
        ("Active", field(body, "/active")),
        ("Delayed", field(body, "/delayed")),
        ("Failed", field(body, "/failed")),
    ])
}
