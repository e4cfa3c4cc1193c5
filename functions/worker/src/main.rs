//! Brings executions forward and delivers events: takes jobs from the work queue and alone sends requests to addresses that
//! users gave.

use std::process::ExitCode;
use std::sync::Arc;

use muster_aws::bus::EventBridge;
use muster_aws::clients::Clients;
use muster_aws::composition;
use muster_aws::config::{CommonConfig, WorkerConfig};
use muster_aws::queue::SqsQueue;
use muster_aws::runtime::{Function, StartError, start};
use muster_aws::secrets::SecretsManager;
use muster_aws::serve::Turn;
use muster_aws::signing_keys::callbacks;
use muster_egress::{AllowedTarget, EgressPolicy, HttpEgress};

/// One thread: an instance has a fraction of a processor, and its ten jobs do little but wait for answers.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("muster-worker", work).await
}

async fn work(common: CommonConfig, config: WorkerConfig) -> Result<(), StartError> {
    let clients = Clients::load().await;
    let secrets = SecretsManager::new(Arc::clone(&clients), config.secret_prefix);
    // None in AWS: the configuration takes a receiver only beside an emulator of AWS on the same machine.
    let opened = config.loopback_receiver.and_then(AllowedTarget::at);
    let policy = EgressPolicy::allowing(opened.into_iter().collect());
    let egress = HttpEgress::new(policy, Arc::new(secrets)).map_err(StartError::egress)?;
    let queue = SqsQueue::new(Arc::clone(&clients), config.queue);
    let bus = EventBridge::new(Arc::clone(&clients), config.bus);
    let callbacks = callbacks(&clients, config.callback_key, Some(config.public_url));
    let app = composition::app_with_bus(&clients, &common.table, queue, bus, callbacks);
    let handle = async |job, turn: Turn<'_>| app.handle(&job, &turn.shift(&egress)).await;
    Function::new(&common.installation, app.metrics()).jobs(handle).await
}
