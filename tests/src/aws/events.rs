//! From an event on the bus to a webhook.

use rstest::rstest;
use serde_json::{Value, json};

use super::muster::Sender;
use super::proof::proven;
use super::*;

/// Calls `/urgent` for what is HIGH, after a moment, and `/other` for the rest.
fn workflow(muster: &Muster) -> Value {
    let call = |id: &str| {
        let action = json!({
            "type": "webhook", "url": muster.url(&format!("/{id}")), "payload": {"title": "{{incident.title}}"},
        });
        json!({"type": "action", "id": id, "name": id, "action": action})
    };
    let graph = json!({
        "nodes": [
            {"type": "trigger", "id": "start"},
            {"type": "condition", "id": "ask", "field": "incident.priority", "equals": "HIGH"},
            {"type": "delay", "id": "settle", "seconds": 2},
            call("urgent"),
            call("other"),
        ],
        "edges": [
            {"from": "start", "to": "ask"},
            {"from": "ask", "to": "settle", "when": "true"},
            {"from": "settle", "to": "urgent"},
            {"from": "ask", "to": "other", "when": "false"},
        ],
    });
    let conditions = json!([{"field": "metadata.service", "value": "checkout"}]);
    json!({
        "name": "Call for checkout", "teamId": muster.team, "definition": graph,
        "trigger": {"type": "incident_created", "conditions": conditions},
    })
}

async fn opened(muster: &Muster, priority: &str, service: &str) -> Value {
    let new = json!({
        "title": format!("{service} is {priority}"), "priority": priority, "teamId": muster.team,
        "metadata": {"service": service},
    });
    muster.ann().post("/api/incidents", new).await.expect(201)
}

#[rstest]
#[case::local(Target::Local)]
#[ignore = "needs the local AWS: scripts/aws-local test"]
#[case::aws(Target::Aws)]
#[tokio::test]
async fn an_incident_starts_the_workflow_that_wants_it_once(#[case] target: Target) {
    let muster = Muster::start(target).await;
    let ann = muster.ann();
    let saved = ann.post("/api/workflows", workflow(&muster)).await.expect(201);
    let path = format!("/api/workflows/{}", text(&saved["id"]));
    let urgent = opened(&muster, "HIGH", "checkout").await;
    let other = opened(&muster, "LOW", "checkout").await;
    let foreign = opened(&muster, "HIGH", "search").await;
    for (incident, call) in [(&urgent, "/urgent"), (&other, "/other")] {
        eventually(&format!("the call of {call}"), async || {
            (!muster.received(call).is_empty()).then_some(())
        })
        .await;
        let body: Value = serde_json::from_str(&muster.received(call)[0].body).unwrap();
        assert_eq!(body["title"], incident["title"]);
    }
    // The same event again, as a bus that delivers at least once may bring it, and one after it that shows it was read.
    muster.deliver(Sender::Muster, &created(&muster, &urgent)).await;
    let last = opened(&muster, "LOW", "checkout").await;
    eventually("the second call of /other", async || (muster.received("/other").len() == 2).then_some(()))
        .await;
    assert_eq!(muster.received("/urgent").len(), 1);
    assert_eq!(executions(&ann, &path).await.len(), 3, "{foreign} and {last}");
    for execution in executions(&ann, &path).await {
        ends(&ann, &execution, "COMPLETED").await;
        proven(&muster.eve(), &execution).await;
    }
    let why = ann.get(&format!("/api/incidents/{}/decisions", text(&foreign["id"]))).await.expect(200);
    assert_eq!(why["items"][0]["outcome"], "NOT_MATCHED", "{why}");
}

/// The first event of an incident, as the bus carries it.
fn created(muster: &Muster, incident: &Value) -> Value {
    let sample = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../events/eventbridge/incident-created.json"
    ));
    let mut event: Value = serde_json::from_str(&sample.unwrap()).unwrap();
    let id = text(&incident["id"]);
    event["resources"] = json!([id]);
    event["detail"]["metadata"]["idempotencyKey"] = json!(format!("{id}-1"));
    let facts = &mut event["detail"]["data"]["incident"];
    for member in ["id", "title", "priority", "metadata", "createdAt"] {
        facts[member] = incident[member].clone();
    }
    facts["teamId"] = json!(muster.team);
    event["detail"]["data"]["at"] = incident["createdAt"].clone();
    event
}

#[rstest]
#[case::local(Target::Local)]
#[ignore = "needs the local AWS: scripts/aws-local test"]
#[case::aws(Target::Aws)]
#[tokio::test]
async fn an_alarm_of_cloudwatch_opens_an_incident(#[case] target: Target) {
    let muster = Muster::start(target).await;
    let sample = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../events/sources/cloudwatch-event-alarm.json"
    ));
    let mut alarm: Value = serde_json::from_str(&sample.unwrap()).unwrap();
    let name = format!("checkout errors of {}", muster.team);
    alarm["resources"] = json!([format!("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}")]);
    alarm["detail"]["alarmName"] = json!(name);
    muster.deliver(Sender::Aws, &alarm).await;
    let eve = muster.eve();
    let incident = eventually("the alarm's incident", async || {
        let page = eve.get("/api/incidents?limit=100").await.expect(200);
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["title"].as_str().unwrap().contains(&name))
            .cloned()
    })
    .await;
    assert_eq!(
        (&incident["status"], &incident["priority"]),
        (&json!("OPEN"), &json!("CRITICAL")),
        "{incident}"
    );
}
