//! Events of monitoring tools, delivered by hand as their source would.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use muster_domain::ids::IntegrationId;
use serde_json::Value;

use super::Command;
use super::api::Call;
use super::context::Context;
use super::ended::Ended;
use super::error::OperatorError;
use super::file::Source;
use super::hook::{Delivery, DeliveryError};
use super::output::{Layout, field};

#[derive(Debug, Subcommand)]
pub(crate) enum EventCommand {
    /// Deliver a file: an event of EventBridge to the local bus, the body of a webhook to its hook
    Send(Send),
}

impl Command for EventCommand {
    async fn run(self, context: &Context) -> Result<Ended, OperatorError> {
        match self {
            Self::Send(command) => command.run(context).await?,
        }
        Ok(Ended::SUCCESS)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// JSON file, sent byte by byte; `-` reads standard input
    file: PathBuf,
    /// The integration whose address it is delivered to; without one, it goes to the bus of a local server
    #[arg(long, value_name = "INTEGRATION", requires = "secret_file")]
    hook: Option<IntegrationId>,
    /// File with the value of the integration's secret; `-` reads standard input
    #[arg(long, value_name = "FILE", requires = "hook")]
    secret_file: Option<PathBuf>,
}

impl Send {
    async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let Source { name, text } = Source::read(&self.file)?;
        if let (Some(id), Some(secret_file)) = (&self.hook, &self.secret_file) {
            return Delivery { id, secret_file, body: text.into_bytes() }.run(context).await;
        }
        if !comes_by_the_bus(&text) {
            return Err(DeliveryError::NoEnvelope { name }.into());
        }
        context.show(Call::delivery(&["api", "events"], text.into_bytes()), received).await
    }
}

/// Whether it is in one of the forms in which AWS brings events to a function.
fn comes_by_the_bus(text: &str) -> bool {
    let event: Value = serde_json::from_str(text).unwrap_or_default();
    ["detail-type", "Records", "alarmData"].iter().any(|member| event.get(member).is_some())
}

fn received(body: &Value) -> Layout {
    Layout::facts(vec![("Received", field(body, ""))])
}
