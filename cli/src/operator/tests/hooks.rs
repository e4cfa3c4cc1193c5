//! Hooks and events: what is sent, with what, and what is never shown.

use serde_json::json;

use super::stub::Answer;
use super::*;

const HOOK: &str = "int_01JNF0Q2M0000000000000000D";

fn integration(source: &str, scheme: &serde_json::Value) -> serde_json::Value {
    json!({
        "id": HOOK, "name": "Alerts", "source": source, "scheme": scheme, "secrets": ["hooks/key"], "teamId": "ops",
        "enabled": true, "deliveryPath": format!("/api/hooks/{HOOK}"), "createdBy": "ada",
        "createdAt": "2026-03-01T12:00:00.000Z", "updatedAt": "2026-03-01T12:00:00.000Z",
    })
}

async fn check(line: &str, expected: &str) {
    let stub = Stub::with([Answer::ok(&json!({"items": []}))]).await;
    let ran = run_on(&stub, &line.replace("HOOK", HOOK)).await;
    assert_eq!(ran.code, 0, "{line}: {}", ran.stderr);
    let [sent] = stub.lines().try_into().expect(line);
    assert_eq!(sent.replace(HOOK, "HOOK"), expected, "{line}");
}

#[tokio::test]
async fn hooks_are_set_up_read_and_deleted() {
    check("hook list --team ops", "GET /api/integrations?teamId=ops&limit=20").await;
    check("hook get HOOK", "GET /api/integrations/HOOK").await;
    check("hook delete HOOK", "DELETE /api/integrations/HOOK").await;
    check(
        "hook create --name A --source awsHealth --scheme basic --username muster --secret a --secret b",
        r#"POST /api/integrations {"name":"A","scheme":{"type":"basic","username":"muster"},"secrets":["a","b"],"source":"awsHealth"}"#,
    )
    .await;
    check(
        "hook create --name A --source grafana --scheme grafana --timestamp-header X-T --secret a --team ops",
        r#"POST /api/integrations {"name":"A","scheme":{"timestampHeader":"X-T","type":"grafana"},"secrets":["a"],"source":"grafana","teamId":"ops"}"#,
    )
    .await;
}

#[tokio::test]
async fn hooks_are_shown_as_tables() {
    let body = integration("grafana", &json!({"type": "bearer"}));
    let shown = async |line: &str, body: &serde_json::Value| {
        run_on(&Stub::with([Answer::ok(body)]).await, &line.replace("HOOK", HOOK)).await.stdout
    };
    insta::assert_snapshot!("hook", shown("hook get HOOK", &body).await);
    insta::assert_snapshot!("hooks", shown("hook list", &json!({"items": [body]})).await);
}

/// A file with a secret, and what a delivery with it sent.
async fn delivered(scheme: serde_json::Value, line: &str) -> (Ran, Vec<stub::Asked>) {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "hunter2\n").unwrap();
    let answer = json!({"accepted": 1, "ignored": [], "incidents": [INCIDENT]});
    let stub = Stub::with([Answer::ok(&integration("pagerduty", &scheme)), Answer::ok(&answer)]).await;
    let line = line.replace("HOOK", HOOK).replace("SECRET", secret.to_str().unwrap());
    let ran = run_on(&stub, &line).await;
    (ran, stub.asked())
}

#[tokio::test]
async fn inv_f3_a_test_sends_a_proven_sample_and_not_the_token() {
    let (ran, asked) = delivered(json!({"type": "pagerduty"}), "hook test HOOK --secret-file SECRET").await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let [read, sent] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(read.header("authorization"), "Bearer t");
    assert!(sent.line.starts_with(&format!("POST /api/hooks/{HOOK} {{")), "{}", sent.line);
    assert!(sent.line.contains("incident.triggered"), "{}", sent.line);
    assert!(sent.header("x-pagerduty-signature").starts_with("v1="));
    assert_eq!((sent.header("authorization"), sent.header("content-type")), ("", "application/json"));
    assert!(ran.stdout.contains(INCIDENT), "{}", ran.stdout);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("hunter2"));
}

#[tokio::test]
async fn a_delivery_under_bearer_carries_the_secret_in_the_place_of_the_token() {
    let line = "hook test HOOK --secret-file SECRET --report resolved";
    let (_, asked) = delivered(json!({"type": "bearer"}), line).await;
    assert_eq!(asked[1].header("authorization"), "Bearer hunter2");
    assert!(asked[1].line.contains("incident.resolved"), "{}", asked[1].line);
}

#[tokio::test]
async fn an_event_goes_to_the_bus_as_it_is_and_a_webhooks_body_needs_its_hook() {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../events/sources");
    let stub = Stub::with([Answer::ok(&json!({"received": "taken"}))]).await;
    for name in ["cloudwatch-event-alarm", "cloudwatch-action-alarm", "cloudwatch-sns-records"] {
        let file = format!("{samples}/{name}.json");
        let ran = run_on(&stub, &format!("event send {file}")).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(stub.lines().last().unwrap(), format!("POST /api/events {text}").trim_end());
    }
    let sent = stub.lines().len();
    let ran = run_on(&stub, &format!("event send {samples}/grafana-firing.json")).await;
    assert_eq!((ran.code, stub.lines().len()), (2, sent));
    assert!(ran.stderr.contains("say with --hook and --secret-file"), "{}", ran.stderr);
    let line =
        format!("event send {samples}/pagerduty-webhook-triggered.json --hook HOOK --secret-file SECRET");
    let (ran, asked) = delivered(json!({"type": "pagerduty"}), &line).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(asked[1].line.starts_with(&format!("POST /api/hooks/{HOOK} ")));
}
