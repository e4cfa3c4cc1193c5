//! What each action sends, as snapshots: templates filled in, secrets as references.

use serde_json::{Value, json};

use crate::plan::{Plan, StepKind};
use crate::render::render;
use crate::workflow::WorkflowDefinition;

/// A workflow of one action between a trigger and nothing.
fn workflow(action: &Value) -> WorkflowDefinition {
    let definition = json!({
        "name": "w",
        "trigger": {"type": "manual"},
        "definition": {
            "nodes": [{"type": "trigger", "id": "start"}, {"type": "action", "id": "it", "action": action}],
            "edges": [{"from": "start", "to": "it"}],
        },
    });
    serde_json::from_value(definition).expect("parses")
}

/// Every request of the action, with the values of an incident that tries to break out of its place.
fn requests(action: &Value) -> Value {
    let plan = Plan::of_workflow(&workflow(action)).expect("compiles");
    let step = json!({"key": "ex_1-it", "marker": "muster-ex_1-it", "issueId": "uuid"});
    let incident = json!({"title": "Disk \"full\"\n</b>", "priority": "HIGH", "empty": ""});
    let context = json!({"incident": incident, "step": step});
    let requests = plan.steps.iter().map(|step| {
        let StepKind::Webhook(call) = &step.kind else { panic!("an action is a call") };
        let mut request = json!(render(call, &context).expect("renders"));
        let body = request.get("body").and_then(Value::as_str).expect("has a body");
        let body: Value = serde_json::from_str(body).expect("is JSON");
        request["body"] = body;
        json!({"step": step.id, "request": request, "answer": format!("{:?}", call.answer)})
    });
    requests.collect()
}

const DESCRIPTION: &str =
    "{{incident.title}} is {{incident.priority}}.\n\n{{incident.empty}}\nSee the runbook.";

#[test]
fn jira_is_searched_and_then_given_an_issue_with_the_label_it_was_searched_for() {
    insta::assert_json_snapshot!(requests(&json!({
        "type": "jira", "site": "https://acme.atlassian.net", "email": "bot@acme.example",
        "apiToken": {"$secret": "jira"}, "project": "OPS", "issueType": "Incident",
        "summary": "{{incident.title}}", "description": DESCRIPTION,
        "labels": ["oncall"], "priority": "High",
    })));
}

#[test]
fn linear_is_told_the_id_of_the_issue() {
    insta::assert_json_snapshot!(requests(&json!({
        "type": "linear", "apiKey": {"$secret": "linear"}, "teamId": "t-1", "title": "{{incident.title}}",
        "description": DESCRIPTION, "priority": 2, "labelIds": ["l-1"],
    })));
}

#[test]
fn slack_is_sent_a_block_and_a_fallback_by_either_way() {
    let webhook =
        json!({"type": "slack", "webhookUrl": {"$secret": "slack/url"}, "text": "*{{incident.title}}*"});
    let bot = json!({"type": "slack", "token": {"$secret": "slack/bot"}, "channel": "#ops", "text": "x"});
    insta::assert_json_snapshot!([requests(&webhook), requests(&bot)]);
}

#[test]
fn teams_is_sent_an_adaptive_card() {
    insta::assert_json_snapshot!(requests(&json!({
        "type": "teams", "webhookUrl": {"$secret": "teams"}, "title": "{{incident.title}}", "text": DESCRIPTION,
    })));
}

#[test]
fn a_body_that_cannot_be_built_is_reported_at_its_node() {
    let action = json!({
        "type": "linear", "apiKey": {"$secret": "linear"}, "teamId": "t-1",
        "title": "x".repeat(9_000), "description": "x".repeat(9_000),
    });
    let faults = Plan::of_workflow(&workflow(&action)).expect_err("is too large");
    assert_eq!(faults[0].pointer, "/definition/nodes/1/action");
}

#[test]
fn inv_e1_only_muster_names_searches_and_markers() {
    let jira = |label: &str| {
        json!({
            "type": "jira", "site": "https://acme.atlassian.net", "email": "bot@acme.example",
            "apiToken": {"$secret": "jira"}, "project": "OPS", "summary": "x", "description": "x",
            "labels": [label],
        })
    };
    assert!(workflow(&jira("oncall")).faults().is_empty());
    let faults = workflow(&jira("muster-ex_1-it")).faults();
    assert_eq!(faults[0].pointer, "/definition/nodes/1/action/labels/0");
    let mut written = json!(workflow(&jira("oncall")));
    written["definition"]["nodes"][1]["id"] = json!("it.search");
    written["definition"]["edges"][0]["to"] = json!("it.search");
    let written: WorkflowDefinition = serde_json::from_value(written).expect("parses");
    assert_eq!(written.faults()[0].pointer, "/definition/nodes/1/id");
}
