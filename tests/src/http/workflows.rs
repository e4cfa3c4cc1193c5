//! Workflows through the API: writing, reading, running, trying.

use std::time::Duration;

use muster_domain::ids::WorkflowId;
use muster_domain::incident::IncidentEvent;
use rstest::rstest;

use super::*;
use crate::support::world::Engine;

/// The definition most tests create: new incidents of the service `web` call the world's receiver.
pub(super) fn definition(world: &World, change: Value) -> Value {
    let call = json!({"type": "webhook", "url": world.receiver.url("/call")});
    let definition = json!({
        "name": "Restart on alarm",
        "teamId": "ops",
        "trigger": {"type": "incident_created", "conditions": [{"field": "metadata.service", "value": "web"}]},
        "definition": {
            "nodes": [{"type": "trigger", "id": "start"}, {"type": "action", "id": "call", "name": "Call", "action": call}],
            "edges": [{"from": "start", "to": "call"}],
        },
    });
    with(definition, change)
}

/// The path of a new workflow.
async fn created(world: &World, change: Value) -> String {
    // Lists sort by time.
    world.clock.advance(Duration::from_secs(1));
    let created = bob(world).post("/api/workflows", definition(world, change)).await.expect(201);
    format!("/api/workflows/{}", text(&created["id"]))
}

#[rstest]
#[tokio::test]
async fn a_workflow_is_written_read_changed_and_rolled_back(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let ann = ann(&world);
    let new = definition(&world, json!({}));
    let answer = ann.post("/api/workflows", new.clone()).await;
    let path = answer.header("location").to_owned();
    let first = answer.expect(201);
    assert_eq!(
        (&first["version"], &first["enabled"], &first["brokenReferences"]),
        (&json!(1), &json!(true), &json!([]))
    );
    assert_eq!(first["settings"], json!({"timeout": "5min", "maxStartsPerMinute": 30, "misfireMinutes": 15}));
    assert_eq!(first["trigger"], new["trigger"]);
    assert_eq!(first["definition"]["edges"], new["definition"]["edges"]);

    let read = ann.get(&path).await;
    let etag = read.header("etag").to_owned();
    let changed = with(new.clone(), json!({"name": "Other", "changeNote": "clearer"}));
    let second = ann.with("if-match", etag.clone()).put(&path, changed.clone()).await.expect(200);
    assert_eq!((&second["version"], &second["name"]), (&json!(2), &json!("Other")));
    ann.with("if-match", etag).put(&path, changed.clone()).await.expect_problem(412, "stale");
    assert_eq!(ann.put(&path, with(changed, json!({"changeNote": null}))).await.expect(200)["version"], 2);
    let moved =
        ann.put(&path, with(new.clone(), json!({"teamId": null}))).await.expect_problem(400, "invalid");
    assert_eq!(moved["errors"][0]["pointer"], "/teamId");

    let third = ann.post(&format!("{path}/rollback"), json!({"toVersion": 1})).await.expect(200);
    assert_eq!((&third["version"], &third["digest"]), (&json!(3), &first["digest"]));
    let diff = ann.get(&format!("{path}/versions/2/diff/3")).await.expect(200);
    assert_eq!(
        diff["changes"],
        json!([{"pointer": "/name", "before": "Other", "after": "Restart on alarm"}])
    );
    assert_eq!(ann.delete(&path).await.status, 204);
    ann.get(&path).await.expect_problem(404, "not-found");
    let versions = ann.get(&format!("{path}/versions")).await.expect(200);
    let of = |name: &str| {
        versions["items"].as_array().unwrap().iter().map(|item| item[name].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("version"), [3, 2, 1]);
    assert_eq!(of("changeNote"), [json!("Rollback to version 1"), json!("clearer"), Value::Null]);
    assert_eq!(ann.get(&format!("{path}/versions/2")).await.expect(200)["definition"]["name"], "Other");
}

#[rstest]
#[tokio::test]
async fn a_list_shows_what_is_asked_for(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    created(&world, json!({"name": "One"})).await;
    created(&world, json!({"name": "Two", "enabled": false})).await;
    created(&world, json!({"name": "Three", "trigger": {"type": "age", "ageThresholdMinutes": 30}})).await;
    created(&world, json!({"name": "Four", "teamId": null})).await;
    let bob = bob(&world);
    for (query, expected) in [
        ("", "Four Three Two One"),
        ("?teamId=ops", "Three Two One"),
        ("?enabled=false", "Two"),
        ("?enabled=true&teamId=ops", "Three One"),
        ("?triggerType=age", "Three"),
        ("?q=fo", "Four"),
        ("?q=o&triggerType=incident_created", "Four Two One"),
    ] {
        let page = bob.get(&format!("/api/workflows{query}")).await.expect(200);
        let names: Vec<String> =
            page["items"].as_array().unwrap().iter().map(|item| text(&item["name"])).collect();
        assert_eq!(names.join(" "), expected, "{query}");
    }
    for query in ["?enabled=yes", "?triggerType=never", "?status=x"] {
        bob.get(&format!("/api/workflows{query}")).await.expect_problem(400, "invalid");
    }
}

/// Where the faults of a definition with this graph are.
async fn faults(world: &World, nodes: Value, edges: Value) -> Vec<String> {
    let graph = json!({"definition": {"nodes": nodes, "edges": edges}});
    let problem =
        bob(world).post("/api/workflows", definition(world, graph)).await.expect_problem(400, "invalid");
    problem["errors"].as_array().unwrap().iter().map(|error| text(&error["pointer"])).collect()
}

#[rstest]
#[tokio::test]
async fn every_fault_of_a_graph_is_told_at_its_node(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let start = json!({"type": "trigger", "id": "start"});
    let pause = |id: &str, seconds: u64| json!({"type": "delay", "id": id, "seconds": seconds});
    let ask = |field: &str| json!({"type": "condition", "id": "ask", "field": field, "equals": 1});
    let call = |url: &str| json!({"type": "action", "id": "a", "action": {"type": "webhook", "url": url}});
    let edge = |from: &str, to: &str| json!({"from": from, "to": to});
    let to_a = edge("start", "a");
    for (nodes, edges, expected) in [
        (json!([]), json!([]), vec!["/definition/nodes"]),
        (json!([pause("a", 1)]), json!([]), vec!["/definition/nodes"]),
        (json!([start, {"type": "trigger", "id": "b"}]), json!([]), vec!["/definition/nodes/1"]),
        (json!([start, pause("start", 1)]), json!([]), vec!["/definition/nodes/1/id"]),
        (json!([start, pause("a", 1)]), json!([]), vec!["/definition/nodes/1"]),
        (json!([start, pause("a", 1)]), json!([to_a, edge("a", "b")]), vec!["/definition/edges/1/to"]),
        (json!([start, pause("a", 1)]), json!([to_a, to_a]), vec!["/definition/edges/1"]),
        (
            json!([start, pause("a", 1)]),
            json!([to_a, edge("a", "start")]),
            vec!["/definition/edges/1/to", "/definition/nodes/0"],
        ),
        (
            json!([start, pause("a", 1), pause("b", 1)]),
            json!([to_a, edge("a", "b"), edge("b", "a")]),
            vec!["/definition/nodes/1"],
        ),
        (
            json!([start, pause("a", 1)]),
            json!([{"from": "start", "to": "a", "when": "true"}]),
            vec!["/definition/edges/0/when"],
        ),
        (
            json!([start, ask("incident.title"), pause("a", 1)]),
            json!([edge("start", "ask"), {"from": "ask", "to": "a", "when": "true"}]),
            vec!["/definition/nodes/1"],
        ),
        (
            json!([start, ask("ghost.title"), pause("a", 1)]),
            json!([edge("start", "ask"), {"from": "ask", "to": "a", "when": "true"}, {"from": "ask", "to": "a", "when": "false"}]),
            vec!["/definition/nodes/1/field"],
        ),
        (json!([start, pause("a", 301)]), json!([to_a]), vec!["/definition/nodes/1/seconds"]),
        (
            json!([start, pause("a", 200), pause("b", 200)]),
            json!([to_a, edge("a", "b")]),
            vec!["/definition/nodes/2/seconds"],
        ),
        (json!([start, call("ftp://a.example/")]), json!([to_a]), vec!["/definition/nodes/1/action/url"]),
        (json!([start, call("https://a.example/{{")]), json!([to_a]), vec!["/definition/nodes/1/action/url"]),
        (json!([start, {"type": "teleport", "id": "a"}]), json!([to_a]), vec!["/definition/nodes/1/type"]),
        (
            json!([start, {"type": "action", "id": "a", "action": {"type": "teleport"}}]),
            json!([to_a]),
            vec!["/definition/nodes/1"],
        ),
        (json!({}), json!([]), vec!["/definition/nodes"]),
    ] {
        assert_eq!(faults(&world, nodes.clone(), edges.clone()).await, expected, "{nodes} {edges}");
    }
}

#[rstest]
#[tokio::test]
async fn runbooks_and_their_parameters_are_checked_at_save(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let schema =
        json!({"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]});
    let own = approved(&world, json!({"parameters": schema})).await;
    let unapproved = draft(&world, json!({})).await;
    let foreign = approved(&world, json!({"teamId": "web"})).await;
    let check = async |action: Value, expected: &[&str]| {
        let node =
            json!({"type": "action", "id": "a", "action": with(json!({"type": "runbook"}), action.clone())});
        let graph = json!({"nodes": [{"type": "trigger", "id": "start"}, node], "edges": [{"from": "start", "to": "a"}]});
        let answer =
            ann(&world).post("/api/workflows", definition(&world, json!({"definition": graph}))).await;
        let seen: Vec<String> = match answer.status {
            201 => Vec::new(),
            _ => answer.json()["errors"]
                .as_array()
                .unwrap()
                .iter()
                .map(|error| text(&error["pointer"]))
                .collect(),
        };
        assert_eq!(seen, expected, "{action}");
        answer.json()
    };
    let at = |member: &str| format!("/definition/nodes/1/action/{member}");
    let (missing, version, parameters) = (at("runbookId"), at("version"), at("parameters"));
    check(json!({"runbookId": own, "parameters": {"count": 1}}), &[]).await;
    check(json!({"runbookId": own, "parameters": {"count": "{{incident.metadata.count}}"}}), &[]).await;
    check(json!({"runbookId": own, "parameters": {"count": "many"}}), &[&format!("{parameters}/count")])
        .await;
    check(json!({"runbookId": own}), &[&parameters]).await;
    check(json!({"runbookId": own, "version": 2}), &[&version]).await;
    check(json!({"runbookId": foreign}), &[&missing]).await;
    check(json!({"runbookId": "rb_01JNF0Q2M0000000000000000A"}), &[&missing]).await;
    let saved = check(json!({"runbookId": unapproved}), &[]).await;
    let expected =
        json!([{"node": "a", "runbookId": unapproved, "reason": "Runbook is DRAFT, not APPROVED"}]);
    assert_eq!(saved["brokenReferences"], expected);
}

#[rstest]
#[tokio::test]
async fn an_execution_shows_its_nodes_and_a_workflows_words(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let graph = json!({
        "nodes": [
            {"type": "trigger", "id": "start"},
            {"type": "delay", "id": "pause", "name": "Let it settle", "seconds": 5},
            {"type": "action", "id": "call", "name": "Call", "action": {"type": "webhook", "url": world.receiver.url("/")}},
        ],
        "edges": [{"from": "start", "to": "pause"}, {"from": "pause", "to": "call"}],
    });
    let path = created(&world, json!({"definition": graph})).await;
    let ann = ann(&world);
    let answer = ann.post(&format!("{path}/run"), json!({})).await;
    let location = answer.header("location").to_owned();
    assert_eq!(answer.expect(202)["execution"]["status"], "PENDING");
    let shown = async || {
        let execution = ann.get(&location).await.expect(200);
        let step =
            |step: &Value| format!("{} {} {}", text(&step["id"]), text(&step["name"]), text(&step["status"]));
        let steps: Vec<String> = execution["steps"].as_array().unwrap().iter().map(step).collect();
        format!("{}: {}", text(&execution["status"]), steps.join(", "))
    };
    assert_eq!(shown().await, "PENDING: pause Let it settle PENDING, call Call PENDING");
    world.drain_due().await;
    assert_eq!(shown().await, "RUNNING: pause Let it settle WAITING, call Call PENDING");
    world.drain().await;
    assert_eq!(shown().await, "COMPLETED: pause Let it settle SUCCEEDED, call Call SUCCEEDED");
    let listed = ann.get(&format!("{path}/executions")).await.expect(200);
    assert_eq!(
        (listed["items"].as_array().unwrap().len(), &listed["items"][0]["status"]),
        (1, &json!("COMPLETED"))
    );
    let second = text(&ann.post(&format!("{path}/run"), json!({})).await.expect(202)["execution"]["id"]);
    let cancelled = ann.post(&format!("/api/executions/{second}/cancel"), json!({})).await.expect(200);
    assert_eq!(cancelled["status"], "CANCELLED");
}

/// An incident's first event, as the bus would carry it.
fn event(incident: &Value, change: Value) -> Value {
    let facts = with(
        json!({
            "id": incident["id"], "title": "Down", "priority": "HIGH", "status": "OPEN", "teamId": "ops",
            "metadata": incident["metadata"], "createdAt": incident["createdAt"],
        }),
        json!({}),
    );
    let key = format!("{}-1", text(&incident["id"]));
    let metadata =
        with(json!({"version": "1", "correlationId": "c-1", "chain": [], "idempotencyKey": key}), change);
    let actor = json!({"type": "person", "user": "ann"});
    json!({
        "version": "0", "id": "e-1", "source": "muster.incidents", "detail-type": "Incident Created",
        "detail": {"metadata": metadata, "data": {
            "incident": facts, "seq": 1, "at": incident["createdAt"], "actor": actor, "change": {"type": "created"},
        }},
    })
}

#[rstest]
#[tokio::test]
async fn a_test_says_what_would_start_and_why_and_starts_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let ann = ann(&world);
    let path = created(&world, json!({})).await;
    let id = path.rsplit('/').next().unwrap().to_owned();
    let new = |service: &str| json!({"title": "Down", "priority": "HIGH", "teamId": "ops", "metadata": {"service": service}});
    let web = ann.post("/api/incidents", new("web")).await.expect(201);
    let db = ann.post("/api/incidents", new("db")).await.expect(201);
    let tried = async |body: Value| {
        let trial = ann.post(&format!("{path}/test"), body).await.expect(200);
        let (matched, starts) = (trial["matched"].as_bool().unwrap(), trial["wouldStart"].as_bool().unwrap());
        (matched, text(&trial["outcome"]), starts, trial)
    };
    for body in [
        json!({"incidentId": web["id"]}),
        json!({"event": event(&web, json!({}))}),
        json!({"event": event(&web, json!({}))["detail"]}),
    ] {
        let (matched, outcome, starts, _) = tried(body.clone()).await;
        assert_eq!((matched, outcome.as_str(), starts), (true, "MATCHED", true), "{body}");
    }
    let (_, outcome, _, trial) = tried(json!({"incidentId": db["id"]})).await;
    assert_eq!(outcome, "NOT_MATCHED");
    let expected =
        json!({"name": "incident.metadata.service", "expected": "web", "seen": "db", "holds": false});
    assert_eq!(trial["reasons"].as_array().unwrap().last().unwrap(), &expected);
    let (matched, outcome, ..) = tried(json!({"event": event(&web, json!({"chain": [id]}))})).await;
    assert_eq!((matched, outcome.as_str()), (false, "REFUSED_BY_LOOP_GUARD"));

    ann.post(&format!("{path}/disable"), json!({})).await.expect(200);
    let (matched, _, starts, trial) = tried(json!({"incidentId": web["id"]})).await;
    assert_eq!((matched, starts, &trial["obstacle"]), (true, false, &json!("The workflow is disabled")));
    for (body, pointer) in [
        (json!({}), ""),
        (json!({"event": {"source": "aws.cloudwatch", "detail-type": "x", "detail": {}}}), "/event"),
        (json!({"event": {}}), "/event"),
    ] {
        let problem = ann.post(&format!("{path}/test"), body).await.expect_problem(400, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    assert!(ann.get(&format!("{path}/executions")).await.expect(200)["items"].as_array().unwrap().is_empty());
}

/// Opens an incident; its first event.
async fn happened(world: &World, service: &str) -> IncidentEvent {
    world.clock.advance(Duration::from_secs(1));
    let new = json!({"title": "Down", "priority": "HIGH", "teamId": "ops", "metadata": {"service": service}});
    let incident = bob(world).post("/api/incidents", new).await.expect(201);
    let bytes = event(&incident, json!({})).to_string();
    IncidentEvent::try_from(bytes.as_bytes()).unwrap()
}

#[rstest]
#[tokio::test]
async fn a_backtest_replays_the_last_days_against_a_draft(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let ann = ann(&world);
    let path = created(&world, json!({})).await;
    let id: WorkflowId = path.rsplit('/').next().unwrap().parse().unwrap();
    let old = happened(&world, "web").await;
    world.clock.advance(Duration::from_secs(3 * 24 * 3600));
    happened(&world, "db").await;
    let new = happened(&world, "web").await;
    let asked = async |body: Value| ann.post(&format!("{path}/backtest"), body).await.expect(200);

    let report = asked(json!({"days": 2})).await;
    assert_eq!(
        (&report["events"], &report["outcomes"]),
        (&json!(2), &json!({"MATCHED": 1, "NOT_MATCHED": 1}))
    );
    assert_eq!(report["starts"][0]["event"], new.idempotency_key());
    assert_eq!(report.get("cut"), None);
    let report = asked(json!({"days": 30})).await;
    assert_eq!(report["starts"][1]["incidentId"], old.incident.as_str());

    let any = definition(&world, json!({"trigger": {"type": "incident_created"}}));
    let report = asked(json!({"days": 30, "definition": any})).await;
    assert_eq!(report["outcomes"], json!({"MATCHED": 3}));
    let capped = with(any, json!({"settings": {"maxStartsPerMinute": 1}}));
    let report = asked(json!({"days": 30, "definition": capped})).await;
    assert_eq!(report["outcomes"], json!({"MATCHED": 2, "SUPPRESSED": 1}));
    let aged = definition(&world, json!({"trigger": {"type": "age", "ageThresholdMinutes": 60}}));
    let report = asked(json!({"days": 30, "definition": aged})).await;
    assert_eq!(
        (&report["outcomes"], &report["starts"][0]["incidentId"]),
        (&json!({"MATCHED": 1}), &json!(old.incident))
    );

    for (body, pointer) in [
        (json!({"days": 0}), "/days"),
        (json!({"days": 31}), "/days"),
        (json!({"days": 1, "definition": definition(&world, json!({"name": ""}))}), "/definition/name"),
        (
            json!({"days": 1, "definition": definition(&world, json!({"teamId": "web"}))}),
            "/definition/teamId",
        ),
    ] {
        let problem = ann.post(&format!("{path}/backtest"), body).await.expect_problem(400, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    let runs = ann.get(&format!("/api/workflows/{id}/executions")).await.expect(200);
    assert!(runs["items"].as_array().unwrap().is_empty());
}
