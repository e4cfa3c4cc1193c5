//! From what happens to an incident to the workflows that it starts, through the API alone: the events go round by
//! `POST /api/events`, as a bus would bring them.

use std::time::Duration;

use muster_app::metrics::Counter;
use rstest::rstest;

use super::*;
use crate::support::world::Engine;

/// A workflow of this trigger; its path.
async fn waits_for(world: &World, trigger: Value, change: Value) -> String {
    let definition = with(workflows::definition(world, json!({"trigger": trigger})), change);
    let created = bob(world).post("/api/workflows", definition).await.expect(201);
    format!("/api/workflows/{}", text(&created["id"]))
}

/// Brings the events that the bus has taken since the first `seen` to the matcher.
async fn deliver(world: &World, seen: &mut usize) {
    world.drain_due().await;
    for event in world.bus.taken().into_iter().skip(*seen) {
        bob(world).post("/api/events", event.envelope()).await.expect(202);
        *seen += 1;
    }
}

async fn started(world: &World, workflow: &str) -> usize {
    let list = bob(world).get(&format!("{workflow}/executions")).await.expect(200);
    list["items"].as_array().unwrap().len()
}

async fn change(world: &World, incident: &str, status: &str) {
    let path = format!("/api/incidents/{incident}");
    ann(world).patch(&path, json!({"status": status})).await.expect(200);
}

#[rstest]
#[tokio::test]
async fn each_trigger_starts_for_what_it_names_and_for_nothing_else(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let changed = |transition: Value| json!({"type": "state_changed", "stateTransition": transition});
    let mut workflows = Vec::new();
    for trigger in [
        json!({"type": "incident_created"}),
        changed(json!({"to": "ACKNOWLEDGED"})),
        changed(json!({"to": "ACKNOWLEDGED", "from": "RESOLVED"})),
        changed(json!({"to": "RESOLVED", "from": "ACKNOWLEDGED"})),
        json!({"type": "escalation"}),
        json!({"type": "manual"}),
    ] {
        workflows.push(waits_for(&world, trigger, json!({})).await);
    }
    let counts = async || {
        let mut counts = Vec::new();
        for workflow in &workflows {
            counts.push(started(&world, workflow).await);
        }
        counts
    };
    let (incident, mut seen) = (incident(&world, json!({})).await, 0);
    deliver(&world, &mut seen).await;
    assert_eq!(counts().await, [1, 0, 0, 0, 0, 0], "opened");
    change(&world, &incident, "ACKNOWLEDGED").await;
    deliver(&world, &mut seen).await;
    assert_eq!(counts().await, [1, 1, 0, 0, 0, 0], "OPEN → ACKNOWLEDGED");
    ann(&world).post(&format!("/api/incidents/{incident}/escalate"), json!({})).await.expect(200);
    deliver(&world, &mut seen).await;
    assert_eq!(counts().await, [1, 1, 0, 0, 1, 0], "escalated");
    change(&world, &incident, "RESOLVED").await;
    deliver(&world, &mut seen).await;
    assert_eq!(counts().await, [1, 1, 0, 1, 1, 0], "ACKNOWLEDGED → RESOLVED");
    change(&world, &incident, "ACKNOWLEDGED").await;
    deliver(&world, &mut seen).await;
    assert_eq!(counts().await, [1, 2, 1, 1, 1, 0], "RESOLVED → ACKNOWLEDGED");
    let by_hand = json!({"incidentId": incident});
    ann(&world).post(&format!("{}/run", workflows[5]), by_hand).await.expect(202);
    assert_eq!(counts().await, [1, 2, 1, 1, 1, 1], "by hand");
}

#[rstest]
#[tokio::test]
async fn all_that_match_start_and_each_candidate_says_why(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let when = |value: &str| {
        json!({"type": "incident_created", "conditions": [
            {"field": "metadata.service", "value": value}, {"field": "priority", "value": "HIGH"},
        ]})
    };
    let one = waits_for(&world, when("web"), json!({})).await;
    let two = waits_for(&world, when("web"), json!({"teamId": null})).await;
    let none = waits_for(&world, when("db"), json!({})).await;
    let foreign = waits_for(&world, when("web"), json!({"teamId": "web"})).await;
    let incident = incident(&world, json!({"metadata": {"service": "web"}})).await;
    deliver(&world, &mut 0).await;
    for (workflow, expected) in [(&one, 1), (&two, 1), (&none, 0), (&foreign, 0)] {
        assert_eq!(started(&world, workflow).await, expected);
    }
    let viewer = world.client("vic", &["team:ops:viewer"]);
    let decisions = viewer.get(&format!("/api/incidents/{incident}/decisions")).await.expect(200);
    let mut seen: Vec<(String, String)> = decisions["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|why| (format!("/api/workflows/{}", text(&why["workflowId"])), text(&why["outcome"])))
        .collect();
    let mut expected =
        vec![(one, "MATCHED".to_owned()), (two, "MATCHED".to_owned()), (none, "NOT_MATCHED".to_owned())];
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
}

/// The event of an incident that workflows led to, as the bus would bring it.
async fn caused_by(world: &World, chain: &[&str]) -> (String, Value) {
    let incident = incident(world, json!({})).await;
    world.drain_due().await;
    let event = world.bus.taken().pop().unwrap();
    let mut envelope = event.envelope();
    envelope["detail"]["metadata"]["chain"] = json!(chain);
    (incident, envelope)
}

#[rstest]
#[tokio::test]
async fn a_workflow_in_its_own_chain_is_refused_and_the_incident_says_so(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let path = waits_for(&world, json!({"type": "incident_created"}), json!({})).await;
    let own = path.rsplit('/').next().unwrap().to_owned();
    let [a, b, c] =
        ["wf_01J9Z3Y6E8F0G2H4J6K8M0N2PA", "wf_01J9Z3Y6E8F0G2H4J6K8M0N2PB", "wf_01J9Z3Y6E8F0G2H4J6K8M0N2PC"];
    for (chain, expected) in [
        (vec![own.as_str()], Some("chain")),
        (vec![a, own.as_str()], Some("chain")),
        (vec![a, b, c], Some("depth")),
        (vec![a, b], None),
    ] {
        let before = started(&world, &path).await;
        let (incident, envelope) = caused_by(&world, &chain).await;
        bob(&world).post("/api/events", envelope).await.expect(202);
        let decisions = ann(&world).get(&format!("/api/incidents/{incident}/decisions")).await.expect(200);
        let why = &decisions["items"][0];
        let refused = why["reasons"].as_array().unwrap().iter().find(|reason| reason["holds"] == false);
        assert_eq!(refused.map(|reason| reason["name"].as_str().unwrap()), expected, "{why}");
        let outcome = if expected.is_some() { "REFUSED_BY_LOOP_GUARD" } else { "MATCHED" };
        assert_eq!(why["outcome"], outcome);
        assert_eq!(started(&world, &path).await, before + usize::from(expected.is_none()));
    }
    assert_eq!(world.app.metrics().value(Counter::WorkflowsRefused), 3);
}

const MINUTE: Duration = Duration::from_secs(60);

async fn outcomes(world: &World, incident: &str) -> Vec<Value> {
    let decisions = ann(world).get(&format!("/api/incidents/{incident}/decisions")).await.expect(200);
    decisions["items"].as_array().unwrap().iter().map(|why| why["outcome"].clone()).collect()
}

#[rstest]
#[tokio::test]
async fn an_age_workflow_enabled_later_sees_what_is_old_enough_and_an_outage_is_reported(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let settings = json!({"enabled": false, "settings": {"timeout": "5min", "misfireMinutes": 20}});
    let path = waits_for(&world, json!({"type": "age", "ageThresholdMinutes": 30}), settings).await;
    let old = incident(&world, json!({})).await;
    let over = incident(&world, json!({})).await;
    change(&world, &over, "RESOLVED").await;
    world.clock.advance(300 * MINUTE);
    world.app.sweep().await.unwrap();
    assert_eq!((started(&world, &path).await, outcomes(&world, &old).await), (0, vec![]), "it is disabled");
    ann(&world).post(&format!("{path}/enable"), json!({})).await.expect(200);
    for _ in 0..2 {
        world.app.sweep().await.unwrap();
        assert_eq!((started(&world, &path).await, outcomes(&world, &old).await), (1, vec![json!("MATCHED")]));
        world.clock.advance(MINUTE);
    }
    assert!(outcomes(&world, &over).await.is_empty(), "it is no longer open");
    let missed = incident(&world, json!({})).await;
    world.clock.advance(51 * MINUTE);
    world.app.sweep().await.unwrap();
    assert_eq!(outcomes(&world, &missed).await, ["MISFIRED"]);
    assert_eq!(started(&world, &path).await, 1);
    assert_eq!(world.app.metrics().value(Counter::WorkflowsMisfired), 1);
}

/// What a viewer, a responder and an admin of the team may do with incidents and workflows (C1, C2), on each engine.
#[rstest]
#[tokio::test]
async fn viewers_read_responders_act_and_admins_write(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let incident = incident(&world, json!({})).await;
    let workflow = waits_for(&world, json!({"type": "manual"}), json!({})).await;
    let new = json!({"title": "Down", "priority": "LOW", "teamId": "ops"});
    let definition = workflows::definition(&world, json!({}));
    for (role, reads, acts, writes) in [
        ("team:ops:viewer", true, false, false),
        ("team:ops:responder", true, true, false),
        ("team:ops:admin", true, true, true),
        ("team:web:admin", false, false, false),
        ("auditor", true, false, false),
    ] {
        let client = world.client("eve", &[role]);
        let path = format!("/api/incidents/{incident}");
        for (allowed, answer) in [
            (reads, client.get(&path).await),
            (reads, client.get("/api/incidents?teamId=ops").await),
            (reads, client.get(&format!("{path}/events")).await),
            (reads, client.get(&format!("{path}/decisions")).await),
            (reads, client.get(&workflow).await),
            (reads, client.get(&format!("{workflow}/executions")).await),
            (acts, client.post("/api/incidents", new.clone()).await),
            (acts, client.patch(&path, json!({"priority": "LOW"})).await),
            (acts, client.post(&format!("{path}/escalate"), json!({})).await),
            (acts, client.post(&format!("{workflow}/run"), json!({"incidentId": incident})).await),
            (writes, client.post("/api/workflows", definition.clone()).await),
            (writes, client.put(&workflow, with(definition.clone(), json!({"changeNote": role}))).await),
        ] {
            assert_eq!(answer.status < 300, allowed, "{role}: {answer:?}");
            assert!(allowed || answer.status == 403, "{role}: {answer:?}");
        }
    }
}
