//! The entrance for events of the bus: what is ours is matched, what nobody knows harms nothing.

use muster_app::metrics::Counter;
use muster_app::receive::Received;
use rstest::rstest;

use super::*;
use crate::support::world::Engine;

#[rstest]
#[tokio::test]
async fn an_event_is_read_as_the_bus_carries_it(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let workflow = kept(&world, 1, json!({})).await;
    let bytes = event(&world, 1, json!({})).envelope().to_string();
    for repeated in [0, 1] {
        let received = world.app.receive_event(bytes.as_bytes()).await.unwrap();
        assert!(
            matches!(&received, Received::Matched(matched) if matched.repeated == repeated),
            "{received:?}"
        );
    }
    assert_eq!(executions(&world, &workflow).await.len(), 1);
    assert_eq!(world.app.metrics().value(Counter::EventsMatched), 2);
}

async fn check_unknown(world: &World, bytes: &[u8]) {
    let received = world.app.receive_event(bytes).await.unwrap();
    assert_eq!(received, Received::Unknown, "{}", String::from_utf8_lossy(bytes));
}

#[tokio::test]
async fn what_is_not_understood_is_counted_and_no_error() {
    let world = World::sqlite().await;
    let sound = event(&world, 1, json!({})).envelope();
    let with = |pointer: &str, value: Value| {
        let mut changed = sound.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed.to_string().into_bytes()
    };
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let unknown: Vec<Vec<u8>> = vec![
        b"".into(),
        b"{}".into(),
        b"[]".into(),
        b"null".into(),
        b"\xff\xfe".into(),
        deep.into_bytes(),
        vec![b' '; 2_000_000],
        with("/source", json!("somebody.else")),
        with("/source", json!(7)),
        with("/detail-type", json!("Incident Forgotten")),
        with("/detail/metadata/version", json!("2")),
        with("/detail/metadata/idempotencyKey", json!("another")),
        with("/detail/data/change", json!({"type": "escalated", "level": 1})),
        with("/detail/data", json!({})),
        with("/detail", json!("text")),
    ];
    for bytes in &unknown {
        check_unknown(&world, bytes).await;
    }
    let metrics = world.app.metrics();
    assert_eq!(metrics.value(Counter::EventsUnknown), unknown.len() as u64);
    assert_eq!(metrics.value(Counter::EventsReceived), unknown.len() as u64);
}
