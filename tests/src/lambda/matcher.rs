//! Events of the bus in the real matcher: what is ours is matched once, what nobody knows harms nothing.

use std::time::Duration;

use muster_app::table::{Key, Order, PageRequest, Query, Record, Table as _};
use muster_domain::ids::ExecutionId;
use muster_domain::time::Time;
use muster_domain::workflow::WhyRecord;
use serde_json::{Value, json};

use super::installation::{Installation, QUEUE_URL, WITHOUT_TABLE};
use super::samples::sample;
use crate::engine::matching::{keep, workflow};
use crate::support::lambda::Reply;

const INCIDENT_CREATED: &str = "eventbridge/incident-created";

/// With a workflow of the sample's team that its incident matches, and one that it does not.
async fn installation() -> Installation {
    let installation = Installation::start().await;
    let app = installation.app(Duration::ZERO);
    for (number, service) in [(1, "checkout"), (2, "search")] {
        let conditions = json!([{"field": "metadata.service", "value": service}]);
        let trigger = json!({"type": "incident_created", "conditions": conditions});
        let change = json!({"teamId": "payments", "trigger": trigger});
        keep(&app, &installation.table(), workflow(number, Time::EPOCH, change)).await;
    }
    installation
}

#[tokio::test]
async fn inv_b6_an_incident_that_is_delivered_twice_starts_its_workflow_once() {
    let installation = installation().await;
    let matcher = installation.function("muster-matcher").await;
    let event = sample(INCIDENT_CREATED);
    let first = matcher.answer(&event).await["matched"].clone();
    assert_eq!((&first["candidates"], &first["suppressed"]), (&json!(2), &json!(0)), "{first}");
    let [started] = first["started"].as_array().unwrap().as_slice() else { panic!("one start: {first}") };
    let again = matcher.answer(&event).await["matched"].clone();
    assert_eq!((&again["started"], &again["repeated"]), (&json!([]), &json!(1)), "{again}");

    let id: ExecutionId = started.as_str().unwrap().parse().unwrap();
    let execution = installation.stored(&id).await.value;
    assert_eq!(execution.cause.as_deref(), event["detail"]["metadata"]["idempotencyKey"].as_str());
    assert_eq!(installation.proven(&id).await, ["execution.accepted"]);
    let sent = installation.sqs.take();
    let [nudge] = sent.as_slice() else { panic!("one nudge, not {sent:?}") };
    let job: Value = serde_json::from_str(&nudge.body).unwrap();
    assert_eq!((nudge.queue.as_str(), &job["execution"]), (QUEUE_URL, started));
    assert_eq!(job["correlationId"], "c-1", "the request's that caused the event");
    assert_eq!(outcomes(&installation, &execution.incident.unwrap()).await, ["MATCHED", "NOT_MATCHED"]);
}

async fn outcomes(installation: &Installation, incident: &muster_domain::ids::IncidentId) -> Vec<String> {
    let query = Query::DecisionsOfIncident { incident: incident.clone(), up_to: None };
    let page = PageRequest { limit: 10, order: Order::Ascending, after: None };
    let page = installation.table().query(&query, &page).await.unwrap();
    let records = page.records.into_iter().flat_map(|stored| match stored.record {
        Record::Why(why) => why.records().collect::<Vec<_>>(),
        other => panic!("{:?}", other.key()),
    });
    let outcome = |why: WhyRecord| serde_json::to_value(why.outcome).unwrap().as_str().unwrap().to_owned();
    records.map(outcome).collect()
}

/// An event that cannot be understood would not be the next time either.
#[tokio::test]
async fn what_nobody_knows_is_in_the_log_and_fails_nothing() {
    let installation = installation().await;
    let matcher = installation.function("muster-matcher").await;
    let mut newer = sample(INCIDENT_CREATED);
    newer["detail"]["metadata"]["version"] = json!("2");
    let schedule = sample("eventbridge/each-minute");
    for event in
        [json!({}), json!([]), json!({"source": "muster.incidents"}), newer.clone(), schedule.clone()]
    {
        assert_eq!(matcher.answer(&event).await, json!("unknown"), "{event}");
    }
    assert_eq!(matcher.answer(&sample(INCIDENT_CREATED)).await["matched"]["candidates"], 2);
    let lines = matcher.stop();
    let warned: Vec<&Value> =
        lines.iter().filter(|line| line["message"] == "an event is not understood").collect();
    assert_eq!(warned.len(), 5);
    for (line, event) in warned.into_iter().skip(3).zip([newer, schedule]) {
        assert_eq!((&line["event_id"], &line["event_source"]), (&event["id"], &event["source"]));
    }
}

/// Lambda tries again and then keeps the event in a queue: it is not lost.
#[tokio::test]
async fn inv_a5_an_event_that_could_not_be_stored_is_a_failed_invocation() {
    let installation = installation().await;
    let broken = installation.function_with("muster-matcher", &WITHOUT_TABLE).await;
    let reply = broken.invoke(&sample(INCIDENT_CREATED)).await;
    assert!(matches!(reply, Reply::Error(_)), "{reply:?}");
    let matcher = installation.function("muster-matcher").await;
    let matched = matcher.answer(&sample(INCIDENT_CREATED)).await["matched"].clone();
    assert_eq!(matched["started"].as_array().unwrap().len(), 1, "{matched}");
    let id = matched["started"][0].as_str().unwrap().parse().unwrap();
    assert!(installation.table().get(&Key::Execution(id)).await.unwrap().is_some());
}
