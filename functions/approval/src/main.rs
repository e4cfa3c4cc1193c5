//! Approves and deprecates versions of runbooks, and takes people's answers to approval steps; its role alone may write decisions.

use std::process::ExitCode;
use std::sync::Arc;

use muster_aws::clients::Clients;
use muster_aws::composition;
use muster_aws::config::{ApprovalConfig, CommonConfig};
use muster_aws::queue::SqsQueue;
use muster_aws::runtime::{Function, StartError, start};
use muster_aws::signing_keys::{callbacks, keys};
use muster_http::{HttpSettings, approval_router};

/// One thread: an instance has a fraction of a processor and one request at a time.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("muster-approval", serve).await
}

async fn serve(common: CommonConfig, config: ApprovalConfig) -> Result<(), StartError> {
    let clients = Clients::load().await;
    let queue = SqsQueue::new(Arc::clone(&clients), config.queue);
    let callbacks = callbacks(&clients, config.callback_key, None);
    let proofs = (callbacks, keys(&clients, config.slack_signing_secret));
    let app = composition::answering_app(&clients, &common.table, queue, config.self_approval, proofs);
    let function = Function::new(&common.installation, app.metrics());
    function.requests(approval_router(app, HttpSettings::default()), config.groups_claim).await
}
