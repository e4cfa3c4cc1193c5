//! What the functions write (F3).

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::installation::{Installation, WITHOUT_TABLE, calling};
use super::samples::{Request, batch};

/// The lines that are records; the others are metrics.
fn records(lines: &[Value]) -> impl Iterator<Item = &Value> {
    lines.iter().filter(|line| line["_aws"].is_null())
}

#[track_caller]
fn check_record(line: &Value, service: &str) {
    for name in
        ["timestamp", "level", "message", "service", "environment", "function_request_id", "correlation_id"]
    {
        assert!(line[name].is_string(), "no {name} in {line}");
    }
    assert_eq!((&line["service"], &line["environment"]), (&json!(service), &json!("test")));
    let stamp = line["timestamp"].as_str().unwrap();
    assert!(stamp.ends_with('Z') && stamp.len() == 24, "{stamp}");
}

#[tokio::test]
async fn a_record_of_the_api_says_when_where_for_whom_and_in_which_request() {
    let installation = Installation::start().await;
    let api = installation.function("muster-api").await;
    let request =
        Request::sample("create-runbook").with_body(&calling("https://control.example.com/restart"));
    let answer = request.with_header("x-correlation-id", "c-42").send(&api).await;
    assert_eq!(answer.headers["x-correlation-id"], "c-42");
    let lines = api.stop();
    let line = records(&lines).find(|line| line["message"] == "request").unwrap();
    check_record(line, "muster-api");
    assert_eq!((&line["correlation_id"], &line["user_id"]), (&json!("c-42"), &json!("ann")));
    assert_eq!((&line["status"], &line["level"]), (&json!(201), &json!("INFO")));
    let text = Value::from(lines.clone()).to_string();
    for private in ["Bearer token", "Restart checkout", "control.example.com"] {
        assert!(!text.contains(private), "{private} was logged: {text}");
    }
}

#[tokio::test]
async fn a_record_of_the_worker_names_the_execution_and_the_request_that_asked_for_it() {
    let installation = Installation::start().await;
    let worker = installation.function_with("muster-worker", &WITHOUT_TABLE).await;
    let execution = "ex_01J9Z3W2B4C6D8E0F2G4H6J8K0";
    let body = json!({"v": 1, "job": "run", "execution": execution, "correlationId": "c-42"}).to_string();
    worker.answer(&batch([body.as_str()])).await;
    let lines = worker.stop();
    let line = records(&lines).find(|line| line["level"] == "ERROR").unwrap();
    check_record(line, "muster-worker");
    assert_eq!((&line["correlation_id"], &line["execution_id"]), (&json!("c-42"), &json!(execution)));
}

#[tokio::test]
async fn a_line_of_metrics_is_what_cloudwatch_reads() {
    let installation = Installation::start().await;
    let worker = installation.function("muster-worker").await;
    let id = installation.accepted(Duration::from_secs(1), calling("http://127.0.0.1:9/")).await;
    let body = json!({"v": 1, "job": "run", "execution": id}).to_string();
    worker.answer(&batch([body.as_str()])).await;
    worker.answer(&batch([body.as_str()])).await;
    let lines = worker.stop();
    let metrics: Vec<&Value> = lines.iter().filter(|line| line["_aws"].is_object()).collect();
    let [line] = metrics.as_slice() else { panic!("only what changed is reported: {metrics:?}") };
    check_metrics(line);
    assert_eq!((&line["ExecutionsFailed"], &line["Attempts"]), (&json!(1), &json!(1)));
    let told: Vec<&Value> =
        records(&lines).filter(|line| line["message"] == "an execution did not succeed").collect();
    let [failure] = told.as_slice() else { panic!("a failure is logged once: {told:?}") };
    assert_eq!((&failure["execution_id"], &failure["status"]), (&json!(id), &json!("FAILED")));
    assert!(failure["subject_id"].as_str().unwrap().starts_with("rb_"), "{failure}");
}

/// The specification: every metric and dimension that is defined has a value beside `_aws`, and nothing is nested there.
fn check_metrics(line: &Value) {
    let directive = &line["_aws"]["CloudWatchMetrics"][0];
    assert!(line["_aws"]["Timestamp"].as_i64().is_some_and(|at| at > 1_700_000_000_000), "{line}");
    assert_eq!(
        (&directive["Namespace"], &directive["Dimensions"]),
        (&json!("Muster"), &json!([["Environment"]]))
    );
    assert_eq!(line["Environment"], "test");
    let defined = directive["Metrics"].as_array().unwrap().iter();
    let defined: BTreeSet<&str> = defined.map(|metric| metric["Name"].as_str().unwrap()).collect();
    let numbers = line.as_object().unwrap().iter().filter(|(_, value)| value.is_number());
    assert_eq!(defined, numbers.map(|(name, _)| name.as_str()).collect());
}

/// Only what is severe enough is written, and metrics always.
#[tokio::test]
async fn the_level_leaves_records_out_but_no_metrics() {
    let installation = Installation::start().await;
    let sweeper = installation.function_with("muster-sweeper", &[("MUSTER_LOG", "error")]).await;
    sweeper.answer(&json!({})).await;
    let lines = sweeper.stop();
    assert_eq!(records(&lines).count(), 0, "{lines:?}");
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["OldestOwedAgeSeconds"], 0);
}
