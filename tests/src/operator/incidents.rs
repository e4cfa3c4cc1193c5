//! Incidents by hand, from their opening to their end.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use super::installation::Installation;

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_opened_acknowledged_escalated_watched_and_resolved() {
    let muster = Installation::start().await;
    let rita = muster.person("rita", &["team:ops:responder"]);
    let create = ["incident", "create", "--title", "Checkout is slow", "--priority", "high", "--team", "ops"];
    let opened =
        rita.run(&[&create[..], &["--metadata", r#"{"service": "checkout"}"#, "-o", "json"]].concat());
    let id = opened.ok().text("/id");
    let listed = rita.run(&["incident", "list", "--team", "ops", "-o", "json"]).ok();
    assert_eq!(listed.text("/items/0/id"), id);
    let mut watch = rita.command(&["incident", "watch", &id]);
    let mut watch = watch.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.ends_with("opened by rita")));
    let acked =
        rita.run(&["incident", "ack", &id, "--assignee", "rita", "--reason", "on it", "-o", "json"]).ok();
    assert_eq!((acked.text("/status"), acked.text("/assignee")), ("ACKNOWLEDGED".into(), "rita".into()));
    assert!(lines.any(|line| line.contains("OPEN → ACKNOWLEDGED by rita")));
    let escalated = rita.run(&["incident", "escalate", &id, "-o", "json"]).ok().json();
    assert_eq!(escalated["escalation"], 1);
    assert!(lines.any(|line| line.contains("escalated to level 1 by rita")));
    rita.run(&["incident", "resolve", &id]).ok();
    assert!(lines.any(|line| line == "RESOLVED"));
    assert_eq!(watch.wait().unwrap().code(), Some(0));
    assert_eq!(rita.run(&["incident", "get", &id, "-o", "json"]).ok().text("/status"), "RESOLVED");
    let viewer = muster.person("vic", &["team:ops:viewer"]);
    assert_eq!(viewer.run(&["incident", "resolve", &id]).code, Some(4));
}
