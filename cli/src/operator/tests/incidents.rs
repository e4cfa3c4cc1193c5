//! Changing and following incidents.

use serde_json::{Value, json};

use super::stub::Answer;
use super::*;

/// The one request of a line.
async fn check(line: &str, expected: &str) {
    let stub = Stub::with([Answer::ok(&json!({}))]).await;
    let ran = run_on(&stub, line).await;
    assert_eq!(ran.code, 0, "{line}: {}", ran.stderr);
    let [sent] = stub.lines().try_into().expect(line);
    assert_eq!(sent.replace(INCIDENT, "INC"), expected, "{line}");
}

#[tokio::test]
async fn incidents_are_changed() {
    check("incident ack INC", r#"PATCH /api/incidents/INC {"status":"ACKNOWLEDGED"}"#).await;
    check(
        "incident ack INC --assignee ada --reason mine",
        r#"PATCH /api/incidents/INC {"assignee":"ada","reason":"mine","status":"ACKNOWLEDGED"}"#,
    )
    .await;
    check(
        "incident resolve INC --reason fixed",
        r#"PATCH /api/incidents/INC {"reason":"fixed","status":"RESOLVED"}"#,
    )
    .await;
    check("incident decisions INC", "GET /api/incidents/INC/decisions?limit=20").await;
    check("incident runbooks INC", "GET /api/incidents/INC/runbooks").await;
    check("incident runbooks INC --limit 5", "GET /api/incidents/INC/runbooks?limit=5").await;
    check("incident escalate INC", "POST /api/incidents/INC/escalate {}").await;
    check("incident escalate INC --reason stuck", r#"POST /api/incidents/INC/escalate {"reason":"stuck"}"#)
        .await;
}

#[tokio::test]
async fn a_change_names_the_etag_it_was_made_on_and_an_escalation_its_key() {
    let stub = Stub::with([Answer::ok(&json!({}))]).await;
    run_on(&stub, "incident resolve INC --if-match 7").await;
    run_on(&stub, "incident escalate INC --if-match 8 --idempotency-key k1").await;
    let asked = stub.asked();
    assert_eq!((asked[0].header("if-match"), asked[1].header("if-match")), ("\"7\"", "\"8\""));
    assert_eq!(asked[1].header("idempotency-key"), "k1");
}

fn incident(status: &str) -> Answer {
    Answer::ok(&json!({"id": INCIDENT, "status": status, "title": "Down"}))
}

/// The newest of the events of a life, as many as are told.
fn events(count: usize) -> Answer {
    let person = json!({"type": "person", "user": "ada"});
    let life = [
        json!({"seq": 1, "at": "2026-03-01T12:00:00.000Z", "type": "created", "actor": {"type": "source", "name": "cloudwatch"}}),
        json!({"seq": 2, "at": "2026-03-01T12:01:00.000Z", "type": "stateChanged", "from": "OPEN", "to": "ACKNOWLEDGED", "actor": person}),
        json!({"seq": 3, "at": "2026-03-01T12:02:00.000Z", "type": "escalated", "level": 1, "actor": person}),
        json!({"seq": 4, "at": "2026-03-01T12:03:00.000Z", "type": "stateChanged", "from": "ACKNOWLEDGED", "to": "RESOLVED", "actor": person}),
    ];
    let newest_first: Vec<Value> = life.into_iter().take(count).rev().collect();
    Answer::ok(&json!({"items": newest_first}))
}

#[tokio::test]
async fn a_watch_shows_each_event_once_and_ends_when_nothing_is_left_to_do() {
    let looks = [
        [incident("OPEN"), events(1)],
        [incident("OPEN"), events(1)],
        [incident("ACKNOWLEDGED"), events(3)],
        [incident("RESOLVED"), events(4)],
    ];
    let stub = Stub::with(looks.into_iter().flatten().collect::<Vec<_>>()).await;
    let ran = run_on(&stub, "incident watch INC").await;
    insta::assert_snapshot!("incident_watch", ran.stdout);
    assert_eq!((ran.code, ran.stderr.as_str(), stub.lines().len()), (0, "", 8));
}

#[tokio::test]
async fn a_watch_in_other_forms_ends_with_the_incident() {
    let stub = Stub::with([incident("CLOSED"), events(2)]).await;
    let ran = run_on(&stub, "incident watch INC -o json").await;
    let data: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &data["status"]), (0, &json!("CLOSED")));
    assert_eq!(ran.stderr.lines().count(), 2);
}

#[tokio::test]
async fn a_status_of_a_newer_server_ends_the_watch() {
    let ran = run_on(&Stub::with([incident("SNOOZED"), events(1)]).await, "incident watch INC").await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("has no status that this version of muster knows"), "{}", ran.stderr);
}
