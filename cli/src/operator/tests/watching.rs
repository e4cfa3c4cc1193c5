//! Following an execution to its end.

use serde_json::{Value, json};

use super::stub::Answer;
use super::*;

/// An execution after as many of its events as are told.
fn execution(status: &str, events: usize) -> Answer {
    let trail = [
        json!({"at": "2026-03-01T12:00:00.000Z", "event": "accepted", "by": "ada"}),
        json!({"at": "2026-03-01T12:00:00.010Z", "event": "claimed", "by": "w1", "epoch": 1}),
        json!({"at": "2026-03-01T12:00:00.010Z", "event": "intent", "step": "webhook", "attempt": 1}),
        json!({"at": "2026-03-01T12:00:03.210Z", "event": "outcome", "step": "webhook", "attempt": 1, "outcome": "x"}),
    ];
    let trail: Vec<Value> = trail.into_iter().take(events).collect();
    Answer::ok(&json!({
        "id": EXECUTION, "status": status, "createdAt": "2026-03-01T12:00:00.000Z", "durationMs": 3200, "trail": trail,
    }))
}

async fn check(status: &str, code: u8) {
    let stub = Stub::with([execution("PENDING", 1), execution("RUNNING", 3), execution(status, 4)]).await;
    let ran = run_on(&stub, "execution watch EX").await;
    assert_eq!((ran.code, stub.lines().len()), (code, 3), "{status}: {}", ran.stderr);
}

#[tokio::test]
async fn a_watch_ends_with_the_execution_and_its_code_says_how() {
    check("SUCCESS", 0).await;
    check("FAILED", 1).await;
    check("CANCELLED", 1).await;
    check("NEEDS_REVIEW", 7).await;
}

#[tokio::test]
async fn each_event_is_shown_once() {
    let steps = [
        execution("PENDING", 1),
        execution("PENDING", 1),
        execution("RUNNING", 3),
        execution("RUNNING", 3),
        execution("SUCCESS", 4),
    ];
    let ran = run_on(&Stub::with(steps).await, "execution watch EX").await;
    insta::assert_snapshot!(ran.stdout);
    assert_eq!(ran.stderr, "");
}

#[tokio::test]
async fn other_forms_keep_the_data_apart_from_the_progress() {
    let steps = [execution("RUNNING", 3), execution("NEEDS_REVIEW", 4)];
    let ran = run_on(&Stub::with(steps).await, "execution watch EX -o json").await;
    let data: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &data["status"]), (7, &json!("NEEDS_REVIEW")));
    assert!(ran.stderr.starts_with("   +0.000 s  accepted from ada\n"), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("--outcome happened|resend --reason TEXT\n"), "{}", ran.stderr);
}

#[tokio::test]
async fn executing_and_watching_is_one_command() {
    let accepted = Answer::ok(&json!({"execution": {"id": EXECUTION, "status": "PENDING"}}));
    let stub = Stub::with([accepted, execution("RUNNING", 3), execution("FAILED", 4)]).await;
    let ran = run_on(&stub, "runbook execute RB --watch").await;
    assert_eq!(ran.code, 1);
    assert_eq!(stub.lines()[1], format!("GET /api/executions/{EXECUTION}"));
    assert!(ran.stdout.ends_with("FAILED in 3.200 s\n"), "{}", ran.stdout);
    assert_eq!(ran.stderr, format!("Accepted as {EXECUTION}\n"));
}

#[tokio::test]
async fn a_status_of_a_newer_server_is_an_error_and_no_endless_watch() {
    let ran = run_on(&Stub::with([execution("DREAMING", 1)]).await, "execution watch EX").await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("has no status that this version of muster knows"), "{}", ran.stderr);
}

#[tokio::test]
async fn what_is_taken_back_on_request_has_ended_well() {
    let taken_back = |more: Value| {
        let mut body = json!({"id": EXECUTION, "status": "ROLLED_BACK", "reason": "wrong service"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Answer::ok(&body)
    };
    let accepted = Answer::ok(&json!({"execution": {"id": EXECUTION, "status": "PENDING"}}));
    let rollback = || taken_back(json!({"undoes": EXECUTION}));
    let run = async |answers: [Answer; 2], line: &str| run_on(&Stub::with(answers).await, line).await.code;
    assert_eq!(run([accepted.clone(), rollback()], "execution rollback EX --reason no --watch").await, 0);
    assert_eq!(run([rollback(), rollback()], "execution watch EX --once").await, 0);
    let aborted = || taken_back(json!({"stop": {"mode": "abort"}}));
    assert_eq!(run([aborted(), aborted()], "execution abort EX --reason no --watch").await, 0);
    assert_eq!(run([accepted, aborted()], "runbook execute RB --watch").await, 1, "it was to run");
}
