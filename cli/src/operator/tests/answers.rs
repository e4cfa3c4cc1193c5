//! What each command shows.

use serde_json::{Value, json};

use super::stub::Answer;
use super::*;

async fn shown(line: &str, answer: &Value) -> String {
    let ran = run_on(&Stub::with([Answer::ok(answer)]).await, line).await;
    assert_eq!(ran.code, 0, "{line}: {}", ran.stderr);
    ran.stdout
}

fn runbook() -> Value {
    json!({
        "id": RUNBOOK, "version": 2, "approvalStatus": "DRAFT", "approvedVersion": 1, "digest": "d2", "author": "ada",
        "createdBy": "ada", "createdAt": "2026-03-01T12:00:00.000Z", "updatedAt": "2026-03-01T12:05:00.250Z",
        "name": "Restart a service", "description": "", "teamId": "ops", "tags": ["db", "restart"],
        "webhookUrl": "https://ops.example/restart", "webhookMethod": "POST", "webhookHeaders": {},
        "webhookAuth": {"type": "none"}, "timeoutSeconds": 20, "idempotent": true,
    })
}

fn execution() -> Value {
    json!({
        "id": EXECUTION, "status": "SUCCESS",
        "runbook": {"id": RUNBOOK, "name": "Restart a service", "version": 2, "digest": "d2"},
        "teamId": "ops", "requestedBy": "bo", "incident": {"id": INCIDENT, "title": "Down"},
        "parameters": {"service": "api"},
        "createdAt": "2026-03-01T12:00:00.000Z", "startedAt": "2026-03-01T12:00:00.010Z",
        "endedAt": "2026-03-01T12:00:03.210Z", "durationMs": 3200,
        "steps": [{"id": "webhook", "status": "SUCCEEDED", "attempts": [
            {"number": 1, "outcome": "unsent", "reason": "connection refused", "durationMs": 1},
            {"number": 2, "outcome": "answered", "statusCode": 200, "durationMs": 45},
        ]}],
    })
}

#[tokio::test]
async fn a_runbook_as_a_table() {
    insta::assert_snapshot!(shown("runbook get RB", &runbook()).await);
}

#[tokio::test]
async fn a_runbook_as_yaml() {
    insta::assert_snapshot!(shown("runbook get RB -o yaml", &runbook()).await);
}

#[tokio::test]
async fn json_is_what_the_server_said() {
    let text = shown("runbook get RB -o json", &runbook()).await;
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), runbook());
}

#[tokio::test]
async fn runbooks_as_a_table() {
    insta::assert_snapshot!(shown("runbook list", &json!({"items": [runbook(), {"id": RUNBOOK}]})).await);
}

#[tokio::test]
async fn versions_as_a_table() {
    let versions = json!({"items": [
        {"version": 2, "approvalStatus": "DRAFT", "digest": "d2", "author": "bo",
         "createdAt": "2026-03-01T12:05:00.000Z", "changeNote": "faster"},
        {"version": 1, "approvalStatus": "APPROVED", "digest": "d1", "author": "ada",
         "createdAt": "2026-03-01T12:00:00.000Z", "approval": {"by": "bo", "at": "2026-03-01T12:01:00.000Z"}},
    ]});
    insta::assert_snapshot!(shown("runbook versions RB", &versions).await);
}

#[tokio::test]
async fn a_diff_as_a_table() {
    let diff = json!({"before": 1, "after": 2, "changes": [
        {"pointer": "/name", "before": "Restart", "after": "Restart a service"},
        {"pointer": "/tags/1", "after": "db"},
        {"pointer": "/timeoutSeconds", "before": 5},
    ]});
    insta::assert_snapshot!(shown("runbook diff RB 1 2", &diff).await);
}

#[tokio::test]
async fn a_dry_run_shows_the_exact_request() {
    let planned = json!({"dryRun": {"steps": [{"step": "webhook", "request": {
        "method": "POST", "url": "https://ops.example/restart", "auth": {"type": "bearer", "token": {"$secret": "ops"}},
        "headers": [{"name": "X-Team", "value": "ops"}, {"name": "X-Key", "value": {"$secret": "key"}}],
        "contentType": "application/json", "body": "{\"service\":\"api\"}",
    }}]}});
    insta::assert_snapshot!(shown("runbook execute RB --dry-run", &planned).await);
}

#[tokio::test]
async fn an_execution_as_a_table() {
    insta::assert_snapshot!(shown("execution get EX", &execution()).await);
}

#[tokio::test]
async fn what_a_run_waits_for_and_until_when_is_why_it_stands_there() {
    let waiting = json!({
        "id": EXECUTION, "status": "WAITING", "waitingOn": "approval", "waitingUntil": "2026-03-01T12:30:05.000Z",
    });
    let table = shown("execution get EX", &waiting).await;
    assert!(
        table.contains("Why           waits for people to decide, until 2026-03-01T12:30:05Z\n"),
        "{table}"
    );
}

#[tokio::test]
async fn executions_as_a_table() {
    let failed = json!({"id": EXECUTION, "status": "FAILED", "error": "the receiver answered 404"});
    let list = json!({"items": [execution(), failed]});
    insta::assert_snapshot!(shown("execution list RB", &list).await);
}

#[tokio::test]
async fn incidents_switches_queue_and_audit_as_tables() {
    let incident = json!({
        "id": INCIDENT, "title": "Down", "priority": "HIGH", "status": "OPEN", "teamId": "ops",
        "metadata": {"service": "api"}, "createdBy": "ada", "createdAt": "2026-03-01T12:00:00.000Z",
    });
    insta::assert_snapshot!("incident", shown("incident get INC", &incident).await);
    insta::assert_snapshot!("incidents", shown("incident list", &json!({"items": [incident]})).await);
    let switch = json!({"scope": "global", "engaged": true, "reason": "drill", "setBy": "ada"});
    insta::assert_snapshot!("kill_switch", shown("kill-switch get global", &switch).await);
    let window = json!({
        "id": "fz_1", "scope": "global", "name": "Sale", "from": "2026-03-01T12:00:00.000Z",
        "until": "2026-03-02T12:00:00.000Z", "reason": "busy", "setBy": "ada", "active": true,
    });
    insta::assert_snapshot!("freezes", shown("freeze list", &json!({"items": [window]})).await);
    let glass = json!({
        "id": "bg_1", "scope": "team:ops", "reason": "down", "by": "ada", "at": "2026-03-01T12:00:00.000Z",
        "expiresAt": "2026-03-01T13:00:00.000Z", "active": false,
    });
    insta::assert_snapshot!("break_glass", shown("break-glass list", &json!({"items": [glass]})).await);
    let stats = json!({"waiting": 3, "active": 1, "delayed": 0, "failed": 0});
    insta::assert_snapshot!("queue", shown("queue stats", &stats).await);
    let entry = json!({
        "resource": RUNBOOK, "seq": 1, "at": 1_772_366_400_000_i64, "actor": "ada", "action": "runbook.created",
        "detail": {"version": 1}, "hash": "h1",
    });
    insta::assert_snapshot!("audit", shown("audit list", &json!({"items": [entry]})).await);
}

#[tokio::test]
async fn reading_a_runbook_tells_its_etag_beside_the_data() {
    let stub = Stub::with([Answer::ok(&runbook()).with("etag", "\"7\"")]).await;
    assert_eq!(run_on(&stub, "runbook get RB").await.stderr, "ETag \"7\", for --if-match\n");
    assert_eq!(run_on(&stub, "runbook get RB --quiet").await.stderr, "");
}

#[tokio::test]
async fn accepting_tells_how_to_follow() {
    let stub = Stub::with([Answer::ok(&json!({"execution": {"id": EXECUTION, "status": "PENDING"}}))]).await;
    let ran = run_on(&stub, "runbook execute RB").await;
    assert_eq!(ran.stdout, format!("ID      {EXECUTION}\nStatus  PENDING\n"));
    assert_eq!(ran.stderr, format!("Follow it: muster execution watch {EXECUTION}\n"));
}

#[tokio::test]
async fn a_problem_is_told_whole_and_nothing_is_on_standard_output() {
    let body = json!({
        "type": "/problems/invalid", "title": "The input is not valid", "status": 400, "detail": "One fault in the input",
        "errors": [{"pointer": "/parameters/service", "message": "is required"}],
    });
    let answer = Answer::problem(400, &body).with("x-correlation-id", "01JNF0");
    let ran = run_on(&Stub::with([answer]).await, "runbook execute RB").await;
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    insta::assert_snapshot!(ran.stderr);
}

#[tokio::test]
async fn decisions_say_what_did_not_hold() {
    let asked = |name: &str, seen: &str, holds: bool| json!({"name": name, "expected": "checkout", "seen": seen, "holds": holds});
    let decision = |outcome: &str, reasons: Value| {
        json!({"at": "2026-03-01T12:00:00Z", "event": format!("{INCIDENT}-1"), "workflowName": "Restart",
               "outcome": outcome, "reasons": reasons})
    };
    let page = json!({"items": [
        decision("MATCHED", json!([asked("incident.metadata.service", "checkout", true)])),
        decision("NOT_MATCHED", json!([asked("incident.metadata.service", "search", false), asked("kind", "x", true)])),
    ]});
    let table = shown("incident decisions INC", &page).await;
    assert!(table.contains("MATCHED") && table.contains("all holds"), "{table}");
    assert!(table.contains("incident.metadata.service: expected checkout, seen search"), "{table}");
    assert!(!table.contains("kind"), "what holds is no reason against: {table}");
}

#[tokio::test]
async fn a_plan_of_what_is_not_approved_says_how_to_plan_it() {
    let body = json!({"type": "/problems/not-approved", "title": "Nothing approved to run", "currentStatus": "DRAFT"});
    let stub = Stub::with([Answer::problem(400, &body)]).await;
    let hint = "give --version N to plan what is not approved yet";
    for (line, hinted) in
        [("runbook plan RB", true), ("runbook plan RB --version 2", false), ("runbook execute RB", false)]
    {
        let ran = run_on(&stub, line).await;
        assert_eq!((ran.code, ran.stderr.contains(hint)), (5, hinted), "{line}: {}", ran.stderr);
    }
}
