//! Workflows by hand: written, tried, run, and started by what happens.

use serde_json::json;

use super::installation::Installation;
use crate::local::eventually;

/// A workflow of team `ops` that calls the receiver for new incidents of the service `web`.
fn definition(muster: &Installation) -> String {
    let url = muster.receiver.url("/call");
    format!(
        "name: Call on alarm
teamId: ops
trigger:
  type: incident_created
  conditions: [{{field: metadata.service, value: web}}]
definition:
  nodes:
    - {{type: trigger, id: start}}
    - {{type: action, id: call, action: {{type: webhook, url: '{url}'}}}}
  edges:
    - {{from: start, to: call}}
"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_is_applied_tried_run_and_started_by_an_incident() {
    let muster = Installation::start().await;
    let ada = muster.author();
    let file = muster.file("workflow.yaml", &definition(&muster)).display().to_string();
    let apply = ["workflow", "apply", "-f", &file, "-o", "json"];
    let id = ada.run(&apply).ok().text("/id");
    assert_eq!(ada.run(&apply).ok().text("/id"), id, "the one of the same name and team");
    assert_eq!(ada.run(&["workflow", "list", "--team", "ops", "-o", "json"]).ok().text("/items/0/id"), id);
    let got = ada.run(&["workflow", "get", &id, "-o", "json"]).ok().json();
    assert_eq!((&got["version"], &got["trigger"]["type"]), (&json!(1), &json!("incident_created")));

    let create = ["incident", "create", "--title", "Down", "--team", "ops", "-o", "json", "--metadata"];
    let quiet = ada.run(&[&create[..], &[r#"{"service": "db"}"#]].concat()).ok().text("/id");
    let tried = ada.run(&["workflow", "test", &id, "--incident", &quiet, "-o", "json"]).ok().json();
    assert_eq!((&tried["outcome"], &tried["wouldStart"]), (&json!("NOT_MATCHED"), &json!(false)));
    ada.run(&["workflow", "run", &id, "--incident", &quiet, "--watch"]).ok();
    assert_eq!(muster.receiver.received().len(), 1);
    ada.run(&[&create[..], &[r#"{"service": "web"}"#]].concat()).ok();
    let executions = ["workflow", "executions", &id, "-o", "json"];
    eventually("the incident to start the workflow", async || {
        let list = ada.run(&executions).ok().json();
        let items = list["items"].as_array().unwrap();
        (items.len() == 2 && items.iter().all(|item| item["status"] == "COMPLETED")).then_some(())
    })
    .await;
    assert_eq!(muster.receiver.received().len(), 2);
    let report = ada.run(&["workflow", "backtest", &id, "--days", "1", "-o", "json"]).ok().json();
    assert_eq!(report["outcomes"], json!({"MATCHED": 1, "NOT_MATCHED": 1}));
    let decided = ada.run(&["workflow", "list", "--enabled", "false", "-o", "json"]).ok().json();
    assert_eq!(decided["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_a_workflow_is_told_at_its_place() {
    let muster = Installation::start().await;
    let text = definition(&muster).replace("to: call", "to: cal");
    let file = muster.file("workflow.yaml", &text).display().to_string();
    let ran = muster.author().run(&["workflow", "apply", "-f", &file]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("/definition/edges/0/to"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_given_to_a_team_and_its_alarm_is_that_teams() {
    let muster = Installation::start().await;
    let (ada, bo) = (muster.author(), muster.approver());
    let set = ["account", "set", "123456789012", "--team", "ops", "--name", "Shop", "-o", "json"];
    assert_eq!(ada.run(&set).code, Some(4), "an admin of the team takes no account");
    assert_eq!(bo.run(&set).ok().text("/teamId"), "ops");
    let listed = ada.run(&["account", "list", "-o", "json"]).ok();
    assert_eq!(listed.text("/items/0/accountId"), "123456789012");
    let alarm = concat!(env!("CARGO_MANIFEST_DIR"), "/../events/sources/cloudwatch-event-alarm.json");
    bo.run(&["event", "send", alarm]).ok();
    let incidents = ada.run(&["incident", "list", "--team", "ops", "-o", "json"]).ok();
    assert_eq!(incidents.text("/items/0/source/name"), "cloudwatch");
    bo.run(&["account", "remove", "123456789012"]).ok();
    assert_eq!(ada.run(&["account", "list", "-o", "json"]).ok().json()["items"], json!([]));
    assert_eq!(bo.run(&["account", "remove", "123456789012"]).code, Some(3));
    assert_eq!(bo.run(&["account", "set", "12345", "--team", "ops"]).code, Some(2));
}
