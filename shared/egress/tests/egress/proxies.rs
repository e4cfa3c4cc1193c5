//! The environment names no proxy for Muster (INVARIANTS D3).

use std::process::Command;

use muster_domain::outcome::Outcome;

use crate::receiver::{Behaviour, Receiver};
use crate::sender::{Sender, request};

/// Tells the test, when it runs in its own child process, which port to call.
const CHILD: &str = "MUSTER_TEST_RECEIVER_PORT";

/// A process cannot safely change its own environment, so this test runs itself in one that names a proxy.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn inv_d3_a_proxy_in_the_environment_is_not_used() {
    if let Ok(port) = std::env::var(CHILD) {
        return call_past_the_proxy(&port).await;
    }
    let receiver = Receiver::start(Behaviour::Echo).await;
    let proxy = Receiver::start(Behaviour::Echo).await;
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "proxies::inv_d3_a_proxy_in_the_environment_is_not_used"]);
    child.env(CHILD, receiver.port().to_string()).env_remove("NO_PROXY").env_remove("no_proxy");
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, proxy.url());
    }
    let finished = tokio::task::spawn_blocking(move || child.output().unwrap()).await.unwrap();
    assert!(finished.status.success(), "{}", String::from_utf8_lossy(&finished.stdout));
    assert_eq!((receiver.connections(), proxy.connections()), (1, 0));
}

async fn call_past_the_proxy(port: &str) {
    let target = format!("127.0.0.1:{port}");
    let sender = Sender::allowing(std::slice::from_ref(&target));
    let outcome = sender.send(&request(format!("http://{target}/"))).await;
    assert!(matches!(outcome, Outcome::Answered { status: 200, .. }), "{outcome:?}");
}
