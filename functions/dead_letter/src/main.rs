//! Finalises executions whose job failed too often, and never runs them. A message that cannot be read comes back until
//! it is parked for a person.

use std::process::ExitCode;

use muster_app::job::Job;
use muster_aws::clients::Clients;
use muster_aws::composition;
use muster_aws::config::{CommonConfig, DeadLetterConfig};
use muster_aws::queue::NoQueue;
use muster_aws::runtime::{Function, StartError, start};
use muster_aws::serve::Turn;

/// Shown to people on the execution.
const REASON: &str = "the job failed too often and ended in the dead-letter queue";

/// One thread: an instance has a fraction of a processor, and its ten jobs wait for the table.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("muster-dead-letter", finalise).await
}

async fn finalise(common: CommonConfig, _: DeadLetterConfig) -> Result<(), StartError> {
    let clients = Clients::load().await;
    let app = composition::app(&clients, &common.table, NoQueue);
    let handle = async |job: Job, _: Turn<'_>| app.give_up(&job, REASON).await;
    Function::new(&common.installation, app.metrics()).jobs(handle).await
}
