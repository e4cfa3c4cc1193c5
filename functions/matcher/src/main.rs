//! Receives incident events and alarms of monitoring, and starts the workflows that match.

use std::process::ExitCode;
use std::sync::Arc;

use muster_aws::clients::Clients;
use muster_aws::composition;
use muster_aws::config::{CommonConfig, MatcherConfig};
use muster_aws::queue::SqsQueue;
use muster_aws::runtime::{Function, StartError, start};

/// One thread: an instance has a fraction of a processor and one event at a time.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("muster-matcher", receive).await
}

async fn receive(common: CommonConfig, config: MatcherConfig) -> Result<(), StartError> {
    let clients = Clients::load().await;
    let queue = SqsQueue::new(Arc::clone(&clients), config.queue);
    let app = composition::app(&clients, &common.table, queue);
    Function::new(&common.installation, app.metrics()).events(&app).await
}
