//! Reports of one alarm in whatever order they come: one incident, and each workflow once.

use muster_domain::incident::IncidentStatus;
use rstest::rstest;

use super::workflows::{call, workflow};
use super::*;

/// A sample of `events/sources`, as the bus brings it.
fn report(name: &str) -> Vec<u8> {
    let path = format!("{}/../events/sources/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

/// Delivers these samples in turn, and each event that comes of them twice; the incidents' statuses, and the calls.
async fn outcome(engine: Engine, order: &[&str]) -> (Vec<IncidentStatus>, usize) {
    let world = World::on(engine).await;
    let mut definition = workflow(json!([call(&world, "call")]), &[("start", "call", None)]);
    definition["trigger"] = json!({"type": "incident_created"});
    definition.as_object_mut().unwrap().remove("teamId");
    world.app.create_workflow(&bob(), serde_json::from_value(definition).unwrap()).await.unwrap();
    for name in order {
        world.app.receive_event(&report(name)).await.unwrap();
        world.drain().await;
    }
    let events = world.bus.taken();
    for event in events.iter().rev().chain(&events) {
        world.app.receive_event(event.envelope().to_string().as_bytes()).await.unwrap();
        world.drain().await;
    }
    let page = world.client("bob", &["platform-admin"]).get("/api/incidents").await.expect(200);
    let statuses = page["items"].as_array().unwrap().iter().map(|incident| incident["status"].clone());
    let statuses = statuses.map(|status| serde_json::from_value(status).unwrap()).collect();
    (statuses, world.receiver.received().len())
}

#[rstest]
#[case(&["ALARM", "ALARM", "OK"], IncidentStatus::Resolved)]
#[case(&["ALARM", "OK", "ALARM"], IncidentStatus::Resolved)]
#[case(&["ALARM", "OK", "OK", "ALARM"], IncidentStatus::Resolved)]
// The end of what nobody knew of is not kept: the incident stays open for people rather than being lost.
#[case(&["OK", "ALARM", "ALARM"], IncidentStatus::Open)]
#[tokio::test]
async fn inv_b6_in_whatever_order_reports_come_they_open_one_incident(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
    #[case] states: &[&str],
    #[case] expected: IncidentStatus,
) {
    let samples: Vec<&str> = states
        .iter()
        .map(|state| if *state == "OK" { "cloudwatch-event-ok" } else { "cloudwatch-event-alarm" })
        .collect();
    assert_eq!(outcome(engine, &samples).await, (vec![expected], 1), "{states:?}");
}
