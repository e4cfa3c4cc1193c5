//! Finds what is owed and late, pushes it forward and nudges a worker for it.

use std::process::ExitCode;
use std::sync::Arc;

use muster_aws::clients::Clients;
use muster_aws::composition;
use muster_aws::config::{CommonConfig, SweeperConfig};
use muster_aws::queue::SqsQueue;
use muster_aws::runtime::{Function, StartError, start};

/// One thread: an instance has a fraction of a processor, and a sweep waits for the table.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("muster-sweeper", sweep).await
}

async fn sweep(common: CommonConfig, config: SweeperConfig) -> Result<(), StartError> {
    let clients = Clients::load().await;
    let queue = SqsQueue::new(Arc::clone(&clients), config.queue);
    let app = composition::app(&clients, &common.table, queue);
    Function::new(&common.installation, app.metrics()).sweeps(&app).await
}
