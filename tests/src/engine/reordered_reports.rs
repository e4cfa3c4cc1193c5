//! Reports of one alarm in whatever order they come: one incident, and each workflow once.

use std::time::Duration;

use muster_domain::incident::IncidentStatus;
use muster_domain::time::Time;
use rstest::rstest;

use super::workflows::{call, workflow};
use super::*;

/// A sample of `events/sources`, as the bus brings it, with its change so many minutes after its own.
fn report(name: &str, minutes: u32) -> Vec<u8> {
    let path = format!("{}/../events/sources/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let mut report: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    // The alarm's change is of noon, its end of twenty minutes later.
    let since_noon = if name == OK { minutes + 20 } else { minutes };
    let at = Time::from_millis(1_772_366_400_000).plus(Duration::from_secs(u64::from(since_noon) * 60));
    report["detail"]["state"]["timestamp"] = json!(at.to_string());
    report["id"] = json!(format!("{name}-{minutes}"));
    report.to_string().into_bytes()
}

/// Delivers these samples in turn, and each event that comes of them twice; the incidents' statuses, and the calls.
async fn outcome(engine: Engine, order: &[&str]) -> (Vec<IncidentStatus>, usize) {
    let world = World::on(engine).await;
    let mut definition = workflow(json!([call(&world, "call")]), &[("start", "call", None)]);
    definition["trigger"] = json!({"type": "incident_created"});
    definition.as_object_mut().unwrap().remove("teamId");
    world.app.create_workflow(&bob(), serde_json::from_value(definition).unwrap()).await.unwrap();
    for name in order {
        world.app.receive_event(&report(name, 0)).await.unwrap();
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

const ALARM: &str = "cloudwatch-event-alarm";
const OK: &str = "cloudwatch-event-ok";

/// Reports with the minutes by which each is later than its sample, and the hours that pass before it arrives.
async fn check(engine: Engine, reports: &[(&str, u32, u64)], expected: &[&str]) {
    let world = World::on(engine).await;
    for (name, minutes, hours) in reports {
        world.clock.advance(Duration::from_secs(hours * 3_600 + 1));
        world.app.receive_event(&report(name, *minutes)).await.unwrap();
        world.drain().await;
    }
    assert_eq!(statuses(&world).await, expected, "{reports:?}");
}

/// Newest first.
async fn statuses(world: &World) -> Vec<String> {
    let page = world.client("bob", &["platform-admin"]).get("/api/incidents").await.expect(200);
    let items = page["items"].as_array().unwrap();
    items.iter().map(|incident| incident["status"].as_str().unwrap().to_owned()).collect()
}

#[rstest]
#[tokio::test]
async fn the_order_of_reports_is_their_sources(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let over = ["RESOLVED"];
    check(engine, &[(ALARM, 0, 0), (OK, 0, 0)], &over).await;
    // A new firing is a new incident.
    check(engine, &[(ALARM, 0, 0), (OK, 0, 0), (ALARM, 60, 0)], &["OPEN", "RESOLVED"]).await;
    // The end of an earlier firing does not end the newer one.
    check(engine, &[(ALARM, 0, 0), (ALARM, 60, 0), (OK, 0, 0)], &["OPEN"]).await;
    check(engine, &[(ALARM, 0, 0), (ALARM, 60, 0), (OK, 0, 0), (OK, 90, 0)], &over).await;
    // A firing from before the end comes after it.
    check(engine, &[(ALARM, 0, 0), (OK, 60, 0), (ALARM, 30, 0)], &over).await;
}

#[rstest]
#[tokio::test]
async fn inv_g5_a_replay_of_any_age_opens_nothing(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let days = 24 * 40;
    check(engine, &[(ALARM, 0, 0), (OK, 0, 0), (ALARM, 0, days), (OK, 0, days)], &["RESOLVED"]).await;
}

#[rstest]
#[tokio::test]
async fn inv_g5_what_a_person_resolved_is_not_opened_by_a_replay(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    world.app.receive_event(&report(ALARM, 0)).await.unwrap();
    let bob = world.client("bob", &["platform-admin"]);
    let page = bob.get("/api/incidents").await.expect(200);
    let incident = format!("/api/incidents/{}", page["items"][0]["id"].as_str().unwrap());
    bob.patch(&incident, json!({"status": "RESOLVED"})).await.expect(200);
    world.clock.advance(Duration::from_hours(72));
    world.app.receive_event(&report(ALARM, 0)).await.unwrap();
    assert_eq!(statuses(&world).await, ["RESOLVED"]);
    world.app.receive_event(&report(ALARM, 5)).await.unwrap();
    assert_eq!(statuses(&world).await, ["OPEN", "RESOLVED"]);
}
