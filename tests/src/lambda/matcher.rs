//! Events of the bus: for now the matcher says that they came.

use serde_json::json;

use super::installation::Installation;
use super::samples::sample;
use crate::support::lambda::Reply;

#[tokio::test]
async fn an_event_is_recorded_with_its_source_its_kind_and_its_id() {
    let matcher = Installation::start().await.function("muster-matcher").await;
    let names = ["eventbridge/incident-created", "eventbridge/cloudwatch-alarm"];
    for name in names {
        matcher.answer(&sample(name)).await;
    }
    let lines = matcher.stop();
    for name in names {
        let event = sample(name);
        let line = lines.iter().find(|line| line["event_id"] == event["id"]).unwrap();
        assert_eq!(line["event_source"], event["source"]);
        assert_eq!(line["detail_type"], event["detail-type"]);
        assert_eq!(line["message"], "an event was received");
    }
}

/// Lambda tries again and then keeps the event in a queue: it is not lost.
#[tokio::test]
async fn inv_a5_what_is_no_event_is_a_failed_invocation() {
    let matcher = Installation::start().await.function("muster-matcher").await;
    for event in [json!({}), json!([]), json!({"source": "muster.incidents"})] {
        let reply = matcher.invoke(&event).await;
        assert!(matches!(reply, Reply::Error(_)), "{event}: {reply:?}");
    }
    matcher.answer(&sample("eventbridge/incident-created")).await;
}
