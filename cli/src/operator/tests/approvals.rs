//! What approvers see before they answer.

use serde_json::{Value, json};

use super::stub::Answer;
use super::*;

fn asking(round: u32, status: &str, more: Value) -> Value {
    let mut asking = json!({
        "executionId": EXECUTION, "step": "drain-ok", "round": round, "status": status, "digest": "ab12",
        "runbook": {"id": RUNBOOK, "name": "Drain a node", "version": 3, "digest": "d3"}, "requestedBy": "ann",
        "levels": [{"of": ["team:ops:responder"], "needed": 2}, {"of": ["platform-admin"], "needed": 1}],
        "askedAt": "2026-03-01T12:00:05.000Z", "until": "2026-03-01T12:30:05.000Z", "decisions": [],
        "shown": [
            {"step": "cordon", "request": {
                "method": "PUT", "url": "https://k8s.example/cordon", "headers": [["X-Key", {"$secret": "k8s"}]],
                "auth": {"type": "bearer", "token": {"$secret": "ops"}}, "contentType": "json", "body": "{\"node\":\"n1\"}",
             }, "undo": {"url": "https://k8s.example/uncordon", "contentType": "json", "body": "{}"}},
            {"step": "drain", "undecidable": "it needs what cordon answers"},
        ],
    });
    asking.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    asking
}

fn askings() -> Value {
    let decisions = json!([
        {"by": "carl", "verdict": "APPROVE", "at": "2026-03-01T12:01:00.000Z", "reason": "nodes are spare"},
        {"by": "dan", "verdict": "APPROVE", "at": "2026-03-01T12:02:00.000Z", "withdrawn": {"by": "dan"}},
    ]);
    json!({"items": [
        asking(2, "OPEN", json!({"decisions": decisions})),
        asking(1, "VOID", json!({"because": "what would run has changed", "shown": []})),
    ]})
}

#[tokio::test]
async fn an_execution_shows_who_asked_what_would_be_sent_and_who_said_what() {
    let ran = run_on(&Stub::with([Answer::ok(&askings())]).await, "execution approvals EX").await;
    insta::assert_snapshot!(ran.stdout);
}

#[tokio::test]
async fn the_inbox_says_who_asked_and_how_many_agreed() {
    let ran = run_on(&Stub::with([Answer::ok(&askings())]).await, "approvals list").await;
    insta::assert_snapshot!(ran.stdout);
    assert_eq!(ran.stderr, "See what one would let run: muster execution approvals EXECUTION\n");
}

#[tokio::test]
async fn a_watch_of_the_inbox_shows_what_the_command_beneath_would_let_run() {
    let answers = [Answer::ok(&askings()), Answer::problem(401, &json!({"title": "No"}))];
    let ran = run_on(&Stub::with(answers).await, "approvals watch").await;
    assert_eq!(ran.code, 4);
    insta::assert_snapshot!(ran.stdout);
}

#[tokio::test]
async fn an_answer_to_something_else_is_sent_to_look_and_gets_no_digest_to_copy() {
    let body = json!({
        "type": "/problems/other-digest", "title": "What would run is not what you saw",
        "detail": "what would run is not what you saw: its digest is cd34; look again",
    });
    let digest = "0".repeat(64);
    let line = format!("execution approve EX drain-ok --digest {digest}");
    let ran = run_on(&Stub::with([Answer::problem(409, &body)]).await, &line).await;
    assert_eq!(ran.code, 5);
    insta::assert_snapshot!(ran.stderr);
}
