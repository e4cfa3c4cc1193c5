//! Events of incidents on their way to EventBridge: the adapter, and the real worker and sweeper.

use std::time::Duration;

use http::StatusCode;
use muster_app::ports::{Bus, BusErrorKind};
use muster_aws::bus::EventBridge;
use muster_aws::config::BusName;
use muster_domain::incident::IncidentEvent;
use serde_json::{Value, json};

use super::installation::{BUS, Installation};
use super::samples::{batch, failures, sample};
use crate::support::event_bridge::Behaviour;

const MINUTE: Duration = Duration::from_secs(60);

async fn adapter(installation: &Installation) -> EventBridge {
    EventBridge::new(installation.event_bridge_client().await, BusName::parse(BUS).unwrap())
}

#[tokio::test]
async fn an_event_is_put_on_the_bus_as_it_is() {
    let installation = Installation::start().await;
    let envelope = sample("eventbridge/incident-created");
    adapter(&installation).await.publish(envelope.to_string().as_bytes()).await.unwrap();
    let taken = installation.event_bridge.taken();
    assert_eq!(taken.len(), 1);
    for (member, expected) in [
        ("EventBusName", json!(BUS)),
        ("Source", envelope["source"].clone()),
        ("DetailType", envelope["detail-type"].clone()),
        ("Resources", envelope["resources"].clone()),
    ] {
        assert_eq!(taken[0][member], expected, "{member}");
    }
    let detail: Value = serde_json::from_str(taken[0]["Detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail, envelope["detail"]);
}

#[tokio::test]
async fn inv_a5_what_the_bus_does_not_take_is_a_failure_of_its_class() {
    let installation = Installation::start().await;
    let adapter = adapter(&installation).await;
    let envelope = sample("eventbridge/incident-created").to_string();
    let answers = [
        (Behaviour::LeavesOut("ThrottlingException"), BusErrorKind::Unavailable),
        (Behaviour::LeavesOut("MalformedDetail"), BusErrorKind::Refused),
        (Behaviour::Refuses(StatusCode::BAD_REQUEST, "AccessDeniedException"), BusErrorKind::Refused),
        (
            Behaviour::Refuses(StatusCode::INTERNAL_SERVER_ERROR, "InternalException"),
            BusErrorKind::Unavailable,
        ),
    ];
    for (behaviour, kind) in answers {
        installation.event_bridge.will(behaviour);
        let error = adapter.publish(envelope.as_bytes()).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error:?}");
    }
    let garbage = adapter.publish(b"{}").await.unwrap_err();
    assert_eq!(garbage.kind, BusErrorKind::Refused);
    assert!(installation.event_bridge.taken().is_empty());
}

#[tokio::test]
async fn the_sweeper_finds_an_event_whose_nudge_was_lost_and_the_worker_delivers_it_once() {
    let installation = Installation::start().await;
    let incident = installation.opened(2 * MINUTE).await;
    let sweeper = installation.function("muster-sweeper").await;
    sweeper.answer(&sample("eventbridge/each-minute")).await;
    let nudges = installation.sqs.take();
    let body: Value = serde_json::from_str(&nudges[0].body).unwrap();
    assert_eq!(body, json!({"v": 1, "job": "deliver", "incident": incident, "seq": 1}));
    let worker = installation.function("muster-worker").await;
    for _ in 0..2 {
        assert_eq!(worker.answer(&batch([nudges[0].body.as_str()])).await, failures([]));
    }
    let taken = installation.event_bridge.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0]["Resources"], json!([incident]));
    assert_eq!(installation.first_event(&incident).await.due_at, None);
}

#[tokio::test]
async fn an_event_that_the_bus_leaves_out_stays_owed_and_its_message_comes_back() {
    let installation = Installation::start().await;
    let incident = installation.opened(Duration::ZERO).await;
    let job = json!({"v": 1, "job": "deliver", "incident": incident, "seq": 1}).to_string();
    let worker = installation.function("muster-worker").await;
    installation.event_bridge.will(Behaviour::LeavesOut("InternalFailure"));
    assert_eq!(worker.answer(&batch([job.as_str()])).await, failures(["m0"]));
    assert!(installation.first_event(&incident).await.due_at.is_some());
    let dead_letters = installation.function("muster-dead-letter").await;
    assert_eq!(dead_letters.answer(&batch([job.as_str()])).await, failures([]));
    assert!(installation.first_event(&incident).await.due_at.is_some(), "the sweeper asks again");
    installation.event_bridge.will(Behaviour::Takes);
    assert_eq!(worker.answer(&batch([job.as_str()])).await, failures([]));
    let delivered: IncidentEvent = installation.first_event(&incident).await;
    assert_eq!(delivered.due_at, None);
}
