//! `docs/runbook.schema.json`, which editors use: it names the fields that the types have, and takes what they take.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{changed, runbook};
use crate::approval::GateSpec;
use crate::runbook::phased::{
    Applicability, Callback, Case, Environments, Escalation, Group, Irreversible, Limits, Phase,
    PhasedRunbook, Prerequisite, Probe, Retry, Rollback, Step, Verification,
};
use crate::runbook::simple::SimpleRunbook;
use crate::workflow::actions::{
    JiraAction, LinearAction, RunbookAction, SlackAction, TeamsAction, WebhookAction,
};

const SCHEMA: &str = include_str!("../../../../../../docs/runbook.schema.json");

fn schema() -> Value {
    serde_json::from_str(SCHEMA).expect("is JSON")
}

/// What an editor would underline.
pub(super) fn editors_faults(definition: &Value) -> Vec<String> {
    let validator: Validator = jsonschema::options().offline().build(&schema()).expect("is a schema");
    validator.iter_errors(definition).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// The fields of a type, by what serde says of one that there is not.
fn fields<T: DeserializeOwned>() -> BTreeSet<String> {
    let error = serde_json::from_value::<T>(json!({"?": null})).err().expect("refuses unknown fields");
    let message = error.to_string();
    let names = message.strip_prefix("unknown field ").unwrap_or_else(|| panic!("{message}"));
    names.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

/// Compares the properties of a definition of the schema with the fields of a type and those that another one reads.
fn check<T: DeserializeOwned>(name: &str, further: &[&str]) {
    let schema = schema();
    let properties = schema["$defs"][name]["properties"].as_object().unwrap_or_else(|| panic!("no {name}"));
    let written: BTreeSet<String> = properties.keys().cloned().collect();
    let mut known = fields::<T>();
    known.extend(further.iter().map(|&field| field.to_owned()));
    assert_eq!(written, known, "{name}");
}

#[test]
fn the_schema_names_the_fields_that_the_types_have() {
    check::<SimpleRunbook>("simple", &[]);
    check::<PhasedRunbook>("phased", &[]);
    check::<Environments>("environments", &[]);
    check::<Applicability>("applicability", &[]);
    check::<Prerequisite>("prerequisite", &[]);
    check::<Probe>("probe", &[]);
    check::<Limits>("limits", &[]);
    check::<Rollback>("rollback", &[]);
    check::<Escalation>("escalation", &[]);
    check::<Verification>("verification", &[]);
    check::<Phase>("phase", &[]);
    check::<Group>("group", &[]);
    check::<Step>("step", &[]);
    check::<Retry>("retry", &[]);
    check::<Irreversible>("irreversible", &[]);
    check::<Callback>("callback", &[]);
    check::<Case>("case", &[]);
    check::<GateSpec>("approval", &["covers"]);
    check::<WebhookAction>("webhook", &["type"]);
    check::<JiraAction>("jira", &["type"]);
    check::<LinearAction>("linear", &["type"]);
    check::<SlackAction>("slack", &["type"]);
    check::<TeamsAction>("teams", &["type"]);
    check::<RunbookAction>("runbook", &["type"]);
}

#[test]
fn the_schema_takes_a_valid_runbook_and_underlines_what_types_and_checks_refuse() {
    assert_eq!(editors_faults(&runbook()), Vec::<String>::new());
    for (pointer, value) in [
        ("/phases/0/steps/0/retries", json!(3)),
        ("/phases/0/steps/0/seconds", json!(3)),
        ("/phases/0/steps/0/id", json!("end")),
        ("/phases/0/steps/0/id", json!("a.b")),
        ("/phases/0/steps/1/parallel/concurrency", json!(17)),
        ("/phases/0/steps/1/parallel/steps/0/type", json!("delay")),
        ("/phases/0/steps/1/parallel/steps/0/onFailure", json!("rollback")),
        ("/phases/1/steps/0/approval/levels", json!([])),
        ("/phases/1/steps/1/irreversible", json!({"reason": "x"})),
        ("/phases/1/steps/1/undo", json!({"type": "slack", "text": "x"})),
        ("/phases/1/steps/3/action", json!({"type": "webhook", "url": "https://ops.example/"})),
        ("/phases/1/steps/4/expect", json!("true")),
        ("/limits", json!({"cooldownSeconds": 5})),
        ("/webhookUrl", json!("https://ops.example/")),
    ] {
        let wrong = changed(pointer, value);
        let accepted =
            crate::runbook::RunbookDefinition::of_json(&wrong).is_ok_and(|it| it.faults().is_empty());
        assert!(!accepted, "{pointer} is no fault");
        assert!(!editors_faults(&wrong).is_empty(), "{pointer}");
    }
}
