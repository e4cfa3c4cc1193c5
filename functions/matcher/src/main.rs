//! Receives incident events and alarms of monitoring. For now it records in its log that an event came, from where and of
//! what kind; matching events to workflows comes with workflows.

use std::process::ExitCode;
use std::sync::Arc;

use muster_aws::config::MatcherConfig;
use muster_aws::runtime::{Function, StartError, start};

/// One thread: an instance has a fraction of a processor and one event at a time.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("muster-matcher", receive).await
}

async fn receive(config: MatcherConfig) -> Result<(), StartError> {
    Function::new(&config.installation, &Arc::default()).events().await
}
