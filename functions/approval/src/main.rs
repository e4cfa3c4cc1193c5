//! Approves and deprecates versions of runbooks; its role alone may write decisions.

use std::process::ExitCode;

use muster_aws::clients::Clients;
use muster_aws::composition;
use muster_aws::config::{ApprovalConfig, CommonConfig};
use muster_aws::queue::NoQueue;
use muster_aws::runtime::{Function, StartError, start};
use muster_http::{HttpSettings, approval_router};

/// One thread: an instance has a fraction of a processor and one request at a time.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start("muster-approval", serve).await
}

async fn serve(common: CommonConfig, config: ApprovalConfig) -> Result<(), StartError> {
    let clients = Clients::load().await;
    let app = composition::app(&clients, &common.table, NoQueue, config.self_approval);
    let function = Function::new(&common.installation, app.metrics());
    function.requests(approval_router(app, HttpSettings::default()), config.groups_claim).await
}
