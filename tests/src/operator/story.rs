//! The main job, by hand: write, approve, execute, watch, prove.

use serde_json::json;

use super::installation::{Installation, clean};
use crate::support::receiver::Reply;

const PARAMETERS: &str = "\
parameters:
  type: object
  required: [service]
  properties:
    service: {type: string}
payloadTemplate:
  restart: '{{params.service}}'
";

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_runbook_is_executed_watched_and_proven() {
    let muster = Installation::start().await;
    let (ada, bo) = (muster.author(), muster.approver());
    muster.receiver.will([Reply::Status(503)]);
    let runbook = muster.approved(PARAMETERS);

    let ran = ada.run(&["runbook", "execute", &runbook, "-p", "service=api", "--watch"]).ok();
    let shown: Vec<&str> = ran.stdout.lines().map(|line| line.get(13..).unwrap_or(line)).collect();
    for line in [
        "accepted from ada",
        "step webhook, attempt 1: 503",
        "step webhook, attempt 2: 200",
        "ended: SUCCESS",
    ] {
        assert!(shown.contains(&line), "{line}: {}", ran.stdout);
    }
    let bodies: Vec<String> = muster.receiver.received().into_iter().map(|call| call.body).collect();
    assert_eq!(bodies, [r#"{"restart":"api"}"#, r#"{"restart":"api"}"#]);

    let listed = bo.run(&["execution", "list", &runbook, "-o", "json"]).ok();
    let execution = listed.text("/items/0/id");
    assert!(ran.stderr.contains(&execution), "{}", ran.stderr);
    for resource in [&runbook, &execution] {
        bo.run(&["audit", "verify", resource]).ok();
    }
    let day = bo.run(&["audit", "list", "--team", "ops", "-o", "json"]).ok().json();
    let actions: Vec<&str> =
        day["items"].as_array().unwrap().iter().filter_map(|item| item["action"].as_str()).collect();
    assert_eq!(actions, ["execution.succeeded", "execution.accepted", "runbook.approved", "runbook.created"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_f2_an_export_is_verified_without_any_server() {
    let muster = Installation::start().await;
    let runbook = muster.approved("");
    let export = muster.approver().run(&["audit", "export", &runbook]).ok().stdout;
    let verify = |name: &str, text: &str| {
        let file = muster.file(name, text);
        let ran = clean("audit").args(["verify", "--url", "http://127.0.0.1:1", "--file"]).arg(file).output();
        ran.unwrap().status.code()
    };
    assert_eq!(verify("export.json", &export), Some(0));
    assert_eq!(verify("forged.json", &export.replace("\"actor\": \"bo\"", "\"actor\": \"ada\"")), Some(1));
    assert_eq!(verify("other.json", "[]"), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_sends_nothing() {
    let muster = Installation::start().await;
    let runbook = muster.approved(PARAMETERS);
    let run = ["runbook", "execute", &runbook, "-p", "service=api", "--dry-run", "-o", "json"];
    let planned = muster.author().run(&run).ok().json();
    let request = &planned["dryRun"]["steps"][0]["request"];
    assert_eq!((&request["method"], &request["body"]), (&json!("POST"), &json!(r#"{"restart":"api"}"#)));
    assert!(muster.receiver.received().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_b5_the_same_key_starts_one_execution() {
    let muster = Installation::start().await;
    let (runbook, ada) = (muster.approved(""), muster.author());
    let execute = ["runbook", "execute", &runbook, "--idempotency-key", "once", "-o", "json"];
    let first = ada.run(&execute).ok().text("/execution/id");
    assert_eq!(ada.run(&execute).ok().text("/execution/id"), first);
    let other = ada.run(&["runbook", "execute", &runbook, "--idempotency-key", "once", "-p", "a=1"]);
    assert_eq!(other.code, Some(5), "{other:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_written_compared_and_copied() {
    let muster = Installation::start().await;
    let (runbook, ada) = (muster.draft("timeoutSeconds: 5\n"), muster.author());
    let file = muster.runbook_file("timeoutSeconds: 7\n");
    let update = ["runbook", "update", &runbook, "--note", "slower", "-f", file.to_str().unwrap()];
    let stale = ada.run(&[&update[..], &["--if-match", "9"]].concat());
    assert_eq!(stale.code, Some(5), "{stale:?}");
    ada.run(&[&update[..], &["--if-match", "1"]].concat()).ok();
    let diff = ada.run(&["runbook", "diff", &runbook, "1", "2", "-o", "json"]).ok().json();
    assert_eq!(diff["changes"], json!([{"pointer": "/timeoutSeconds", "before": 5, "after": 7}]));
    ada.run(&["runbook", "rollback", &runbook, "1"]).ok();
    let third = ada.run(&["runbook", "versions", &runbook, "3", "-o", "json"]).ok().json();
    assert_eq!((&third["rolledBackFrom"], &third["definition"]["timeoutSeconds"]), (&json!(1), &json!(5)));
    ada.run(&["runbook", "delete", &runbook]).ok();
    assert_eq!(ada.run(&["runbook", "get", &runbook]).code, Some(3));
}
