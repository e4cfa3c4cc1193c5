//! The guard on outbound calls, as `serve` sets it.

use super::server::Server;
use super::{approved_runbook, data_dir, ended, execute};
use crate::support::receiver::Receiver;

#[tokio::test]
async fn inv_d1_the_guard_is_on_unless_a_target_is_opened() {
    let (_parent, data) = data_dir();
    let receiver = Receiver::start().await;
    let server = Server::start(&data, &[]).await;
    let path = approved_runbook(&server, &receiver.url("/restart")).await;
    let execution = ended(&server, &execute(&server, &path).await).await;
    assert_eq!(execution["status"], "FAILED");
    assert_eq!(execution["error"], "the address 127.0.0.1 is loopback", "{execution}");
    assert_eq!(execution["steps"][0]["attempts"].as_array().unwrap().len(), 1, "repeating cannot help");
    server.kill();

    // Another port of the same host does not open this one.
    let other = Server::start(&data, &["--allow-egress", "127.0.0.1:1"]).await;
    assert_eq!(ended(&other, &execute(&other, &path).await).await["status"], "FAILED");
    other.kill();
    assert_eq!(receiver.received().len(), 0);

    let opened = Server::start(&data, &["--allow-egress", &receiver.target()]).await;
    assert_eq!(ended(&opened, &execute(&opened, &path).await).await["status"], "SUCCESS");
    assert_eq!(receiver.received().len(), 1);
}
