//! Serves the API, except approvals.

use std::process::ExitCode;
use std::sync::Arc;

use muster_aws::clients::Clients;
use muster_aws::composition;
use muster_aws::config::{ApiConfig, CommonConfig};
use muster_aws::queue::SqsQueue;
use muster_aws::runtime::{Function, StartError, start};
use muster_aws::secrets::SecretsManager;
use muster_aws::signing_keys::callbacks;
use muster_http::{HttpSettings, api_router};

/// One thread: an instance has a fraction of a processor and one request at a time.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("muster-api", serve).await
}

async fn serve(common: CommonConfig, config: ApiConfig) -> Result<(), StartError> {
    let clients = Clients::load().await;
    let queue = SqsQueue::new(Arc::clone(&clients), config.queue).counting(config.dead_letters);
    let secrets = SecretsManager::new(Arc::clone(&clients), config.secret_prefix);
    let callbacks = callbacks(&clients, config.callback_key, None);
    let app = composition::verifying_app(&clients, &common.table, queue, secrets, callbacks);
    let function = Function::new(&common.installation, app.metrics());
    function.requests(api_router(app, HttpSettings::default()), config.groups_claim).await
}
