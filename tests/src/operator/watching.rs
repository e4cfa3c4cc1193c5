//! Watching what goes on, and leaving it.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use super::installation::Installation;
use crate::support::receiver::Reply;

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_the_watching_and_not_the_execution() {
    let muster = Installation::start().await;
    let (runbook, ada) = (muster.approved(""), muster.author());
    muster.receiver.will([Reply::Silence]);
    let accepted = ada.run(&["runbook", "execute", &runbook, "-o", "json"]).ok();
    let execution = accepted.text("/execution/id");

    let mut watch = ada.command(&["execution", "watch", &execution]);
    let mut watch = watch.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.ends_with("attempt 1: sending")));
    let interrupted = Command::new("kill").args(["-INT", &watch.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    assert_eq!(watch.wait().unwrap().code(), Some(130));
    assert_eq!(lines.next(), None);
    let left = ada.run(&["execution", "get", &execution, "-o", "json"]).ok();
    assert_eq!(left.text("/status"), "RUNNING");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_execution_ends_a_watch_with_failure() {
    let muster = Installation::start().await;
    let (runbook, ada) = (muster.approved(""), muster.author());
    muster.receiver.will([Reply::Whole(429, &[("retry-after", "60")], String::new())]);
    let execution = ada.run(&["runbook", "execute", &runbook, "-o", "json"]).ok().text("/execution/id");
    let mut watch = ada.command(&["execution", "watch", &execution]);
    let mut watch = watch.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("waiting 60.000 s")));
    ada.run(&["execution", "cancel", &execution, "--reason", "enough"]).ok();
    assert!(lines.any(|line| line.starts_with("CANCELLED") && line.ends_with("enough")));
    assert_eq!(watch.wait().unwrap().code(), Some(1));
}
