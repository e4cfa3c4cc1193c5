//! What each command sends.

use serde_json::json;

use super::stub::Answer;
use super::*;

/// The one request of a line; ids are shown by their short names.
async fn check(line: &str, expected: &str) {
    let stub = Stub::with([Answer::ok(&json!({"items": []}))]).await;
    let ran = run_on(&stub, line).await;
    assert_eq!(ran.code, 0, "{line}: {}", ran.stderr);
    let [sent] = stub.lines().try_into().expect(line);
    let sent = sent.replace(RUNBOOK, "RB").replace(EXECUTION, "EX").replace(INCIDENT, "INC");
    assert_eq!(sent, expected, "{line}");
}

#[tokio::test]
async fn runbooks_are_read() {
    check("runbook get RB", "GET /api/runbooks/RB").await;
    check("runbook list", "GET /api/runbooks?limit=20").await;
    check("runbook list --all --cursor abc", "GET /api/runbooks?limit=100&cursor=abc").await;
    check(
        "runbook list --team ops --status APPROVED --tag db&x --search a+b --limit 5",
        "GET /api/runbooks?teamId=ops&approvalStatus=APPROVED&tag=db%26x&q=a%2Bb&limit=5",
    )
    .await;
    check("runbook versions RB", "GET /api/runbooks/RB/versions?limit=20").await;
    check("runbook versions RB 3", "GET /api/runbooks/RB/versions/3").await;
    check("runbook diff RB 1 3", "GET /api/runbooks/RB/versions/1/diff/3").await;
}

#[tokio::test]
async fn runbooks_are_decided_on() {
    check("runbook approve RB", "POST /api/runbooks/RB/approve {}").await;
    check(
        "runbook approve RB --version 2 --digest d1",
        r#"POST /api/runbooks/RB/approve {"digest":"d1","version":2}"#,
    )
    .await;
    check("runbook deprecate RB", "POST /api/runbooks/RB/deprecate {}").await;
    check(
        "runbook deprecate RB --version 2 --reason old",
        r#"POST /api/runbooks/RB/deprecate {"reason":"old","version":2}"#,
    )
    .await;
    check("runbook rollback RB 1", r#"POST /api/runbooks/RB/rollback {"toVersion":1}"#).await;
    check("runbook delete RB", "DELETE /api/runbooks/RB").await;
}

#[tokio::test]
async fn runbooks_are_executed() {
    check("runbook execute RB", r#"POST /api/runbooks/RB/execute {"parameters":{}}"#).await;
    check(
        "runbook execute RB --incident INC --version 2 --parameters {\"a\":1,\"b\":2} -p b=x -p c=[1]",
        r#"POST /api/runbooks/RB/execute {"incidentId":"INC","parameters":{"a":1,"b":"x","c":[1]},"version":2}"#,
    )
    .await;
    check("runbook plan RB", r#"POST /api/runbooks/RB/execute {"dryRun":true,"parameters":{}}"#).await;
    check("runbook execute RB --dry-run", r#"POST /api/runbooks/RB/execute {"dryRun":true,"parameters":{}}"#)
        .await;
}

#[tokio::test]
async fn executions_are_read_and_steered() {
    check("execution get EX", "GET /api/executions/EX").await;
    check("execution list RB", "GET /api/runbooks/RB/executions?limit=20").await;
    check("execution list INC", "GET /api/incidents/INC/runbooks/executions?limit=20").await;
    check("execution notifications EX", "GET /api/executions/EX/notifications").await;
    check("execution cancel EX", "POST /api/executions/EX/cancel {}").await;
    check("execution kill EX", "POST /api/executions/EX/cancel {}").await;
    check("execution abort EX --reason no", r#"POST /api/executions/EX/abort {"reason":"no"}"#).await;
    check("execution pause EX --reason no", r#"POST /api/executions/EX/pause {"reason":"no"}"#).await;
    check("execution resume EX", "POST /api/executions/EX/resume {}").await;
    check("execution rollback EX --reason no", r#"POST /api/executions/EX/rollback {"reason":"no"}"#).await;
    for (command, decision) in [("retry-undo", "retry"), ("skip-undo", "skip"), ("mark-undone", "done")] {
        let sent = format!(r#"POST /api/executions/EX/undo {{"decision":"{decision}","reason":"no"}}"#);
        check(&format!("execution {command} EX --reason no"), &sent).await;
    }
    check("execution cancel EX --reason no", r#"POST /api/executions/EX/cancel {"reason":"no"}"#).await;
    check(
        "execution resolve EX --outcome resend --reason seen",
        r#"POST /api/executions/EX/resolve {"outcome":"resend","reason":"seen"}"#,
    )
    .await;
}

#[tokio::test]
async fn approvals_are_listed_and_answered() {
    check("approvals list", "GET /api/approvals?waitingFor=me&limit=20").await;
    check("approvals list --readable --team ops", "GET /api/approvals?teamId=ops&limit=20").await;
    check("execution approvals EX", "GET /api/executions/EX/approvals").await;
    let digest = "0".repeat(64);
    let path = "POST /api/executions/EX/steps/ask";
    check(
        &format!("execution approve EX ask --digest {digest} --reason seen"),
        &format!(r#"{path}/approve {{"digest":"{digest}","reason":"seen"}}"#),
    )
    .await;
    check(
        &format!("execution reject EX ask --digest {digest} --form {{\"ticket\":1}}"),
        &format!(r#"{path}/reject {{"digest":"{digest}","form":{{"ticket":1}}}}"#),
    )
    .await;
    check("execution withdraw EX ask --of ann", &format!(r#"{path}/withdraw {{"of":"ann"}}"#)).await;
}

#[tokio::test]
async fn incidents_switches_queue_and_audit() {
    check(
        "incident create --title Down",
        r#"POST /api/incidents {"metadata":{},"priority":"MEDIUM","title":"Down"}"#,
    )
    .await;
    check(
        "incident create --title Down --priority CRITICAL --team ops --assignee ada -m service=api",
        concat!(
            r#"POST /api/incidents {"assignee":"ada","metadata":{"service":"api"},"priority":"CRITICAL","#,
            r#""teamId":"ops","title":"Down"}"#
        ),
    )
    .await;
    check("incident get INC", "GET /api/incidents/INC").await;
    check("incident list --team ops", "GET /api/incidents?teamId=ops&limit=20").await;
    check("kill-switch get team:ops", "GET /api/kill-switches/team:ops").await;
    check(
        "kill-switch engage global --reason drill",
        r#"PUT /api/kill-switches/global {"engaged":true,"reason":"drill"}"#,
    )
    .await;
    check(
        "kill-switch release global --reason over",
        r#"PUT /api/kill-switches/global {"engaged":false,"reason":"over"}"#,
    )
    .await;
    check_freezes().await;
    check("queue stats", "GET /api/queue/stats").await;
    check("audit list --team ops --day 2026-03-01", "GET /api/audit?teamId=ops&day=2026-03-01&limit=20")
        .await;
    check("audit export RB", "GET /api/audit/RB").await;
}

async fn check_freezes() {
    let window = "fz_01J9Z3V5K7M9N1P3Q5R7S9T1V3";
    check("freeze list", "GET /api/freezes").await;
    check("freeze list --team ops", "GET /api/freezes?teamId=ops").await;
    check(
        "freeze add team:ops --name Sale --until 2026-12-01T00:00:00Z --reason busy",
        r#"POST /api/freezes/team:ops {"name":"Sale","reason":"busy","until":"2026-12-01T00:00:00Z"}"#,
    )
    .await;
    check(&format!("freeze remove global {window}"), &format!("DELETE /api/freezes/global/{window}")).await;
    let glass = "bg_01J9Z3V5K7M9N1P3Q5R7S9T1V3";
    check(
        "break-glass start global --reason down --minutes 30",
        r#"POST /api/break-glass {"durationSeconds":1800,"reason":"down","scope":"global"}"#,
    )
    .await;
    check("break-glass list", "GET /api/break-glass").await;
    check("break-glass list --unreviewed", "GET /api/break-glass?unreviewed=true").await;
    check(&format!("break-glass revoke {glass}"), &format!("POST /api/break-glass/{glass}/revoke {{}}"))
        .await;
    check(
        &format!("break-glass review {glass} --note right"),
        &format!(r#"POST /api/break-glass/{glass}/review {{"note":"right"}}"#),
    )
    .await;
}

#[tokio::test]
async fn every_post_has_a_key_of_its_own_or_the_one_given() {
    let stub = Stub::with([Answer::ok(&json!({}))]).await;
    for line in ["runbook approve RB", "runbook approve RB", "runbook approve RB --idempotency-key k1"] {
        run_on(&stub, line).await;
    }
    let asked = stub.asked();
    let keys: Vec<&str> = asked.iter().map(|asked| asked.header("idempotency-key")).collect();
    assert!(keys[0].starts_with("muster-") && keys[0].len() == 33, "{keys:?}");
    assert_ne!(keys[0], keys[1]);
    assert_eq!(keys[2], "k1");
    assert!(asked.iter().all(|asked| asked.header("authorization") == "Bearer t"));
}

#[tokio::test]
async fn an_edit_names_the_etag_it_was_made_on() {
    let stub = Stub::with([Answer::ok(&json!({}))]).await;
    run_on(&stub, "runbook delete RB --if-match 7").await;
    assert_eq!(stub.asked()[0].header("if-match"), "\"7\"");
}

#[tokio::test]
async fn a_list_follows_its_cursors_as_far_as_is_wanted() {
    let page = |ids: [&str; 2], next: Option<&str>| {
        let items = ids.map(|id| json!({"id": id}));
        Answer::ok(&match next {
            Some(cursor) => json!({"items": items, "nextCursor": cursor}),
            None => json!({"items": items}),
        })
    };
    let pages = || [page(["a", "b"], Some("c1")), page(["c", "d"], Some("c2")), page(["e", "f"], None)];
    let stub = Stub::with(pages()).await;
    let ran = run_on(&stub, "runbook list --all -o json").await;
    let shown: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(shown["items"].as_array().unwrap().len(), 6);
    assert_eq!(stub.lines()[2], "GET /api/runbooks?limit=100&cursor=c2");

    let stub = Stub::with(pages()).await;
    let ran = run_on(&stub, "runbook list --limit 4").await;
    assert_eq!(stub.lines(), ["GET /api/runbooks?limit=4", "GET /api/runbooks?limit=2&cursor=c1"]);
    assert_eq!(ran.stderr, "There is more: --all, or --cursor c2\n");
    assert_eq!(run_on(&Stub::with(pages()).await, "runbook list --limit 4 -q").await.stderr, "");
}

#[tokio::test]
async fn a_list_that_never_ends_is_an_error() {
    let stub = Stub::with([Answer::ok(&json!({"items": [], "nextCursor": "same"}))]).await;
    let ran = run_on(&stub, "runbook list --all").await;
    assert_eq!((ran.code, stub.lines().len()), (1, 2));
}
