//! What stands in an event chooses nothing and breaks nothing: it is a value, wherever a workflow uses it (INVARIANTS C6, E1).

use muster_app::receive::Received;
use rstest::rstest;

use super::workflows::{begun, call, saved, story, workflow};
use super::*;

/// A CloudWatch alarm with this name and this service, as the bus brings it.
fn alarm(number: usize, name: &str, service: &str) -> String {
    let path = format!("{}/../events/sources/cloudwatch-event-alarm.json", env!("CARGO_MANIFEST_DIR"));
    let mut alarm: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    alarm["id"] = json!(format!("00000000-0000-0000-0000-{number:012}"));
    alarm["resources"] = json!([format!("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{number}")]);
    alarm["detail"]["alarmName"] = json!(name);
    alarm["detail"]["alarmTags"] = json!({"service": service, "team": "ops", "secret": "token"});
    alarm.to_string()
}

/// Delivers what the bus has taken since.
async fn carry(world: &World) {
    world.drain().await;
    for event in world.bus.taken() {
        world.app.receive_event(event.envelope().to_string().as_bytes()).await.unwrap();
    }
    world.drain().await;
}

/// A global workflow, for alarms of the bus are of no team, which puts values of the event into a path and a payload.
async fn calling(world: &World) {
    let mut node = call(world, "of/{{incident.metadata.service}}/end");
    node["id"] = json!("call");
    node["action"]["payload"] = json!({"title": "{{incident.title}}", "fixed": "value"});
    let mut definition = workflow(json!([node]), &[("start", "call", None)]);
    definition["trigger"] = json!({"type": "incident_created"});
    definition.as_object_mut().unwrap().remove("teamId");
    let definition = serde_json::from_value(definition).unwrap();
    world.app.create_workflow(&bob(), definition).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn inv_e1_c6_hostile_values_of_an_event_change_one_leaf_and_no_target(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    calling(&world).await;
    let hostile = [
        (r#"x", "admin": true, "y": ""#, "../../admin"),
        ("{{params.secret}} {{{incident.id}}} {{#each steps}}", "a/b?c=d#e"),
        ("<script>alert(1)</script> ${jndi:ldap://a.example}", "@169.254.169.254/"),
        ("line\r\nX-Admin: true\r\n\r\nGET / HTTP/1.1", "%2e%2e%2f"),
        ("\u{202e}\u{0}\u{7f} é 日本", "\\..\\ é\u{0}"),
    ];
    for (number, (name, service)) in hostile.iter().enumerate() {
        let received = world.app.receive_event(alarm(number, name, service).as_bytes()).await.unwrap();
        let Received::Taken(taken) = received else { panic!("{name}: {received:?}") };
        assert!(taken.outcomes[0].effect.is_accepted(), "{name}: {taken:?}");
    }
    carry(&world).await;
    let received = world.receiver.received();
    assert_eq!(received.len(), hostile.len());
    for call in &received {
        let body: Value = serde_json::from_str(&call.body).unwrap();
        assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
        assert_eq!(body["fixed"], "value");
        let path: Vec<&str> = call.uri.path().split('/').collect();
        assert_eq!((path.len(), path[1], path[3], call.uri.query()), (4, "of", "end", None), "{}", call.uri);
        assert_eq!(call.header("x-admin"), "");
    }
    let titles: Vec<String> = received.iter().map(|call| call.body.clone()).collect();
    assert!(
        titles.iter().any(|body| body.contains("{{params.secret}}")),
        "no value is a template: {titles:?}"
    );
}

/// A value that is a step up in the path is refused, for the receiver would read another path than the one that was written.
#[rstest]
#[tokio::test]
async fn inv_d4_a_value_of_an_event_does_not_leave_its_place_in_the_path(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    calling(&world).await;
    world.app.receive_event(alarm(1, "Down", "..").as_bytes()).await.unwrap();
    carry(&world).await;
    assert!(world.receiver.received().is_empty());
    let incident = world.bus.taken()[0].incident.clone();
    let paging = muster_app::paging::Paging { limit: 10, cursor: None };
    let started = world.app.executions_of_incident(&bob(), &incident, &paging).await.unwrap().items;
    let [run] = started.as_slice() else { panic!("one execution, not {}", started.len()) };
    let error = failure(&world, &run.id).await;
    assert!(error.contains("leave its place"), "{error}");
}

/// Teams come from who reports, never from what is reported: the alarms above say that they are of team `ops`.
#[rstest]
#[tokio::test]
async fn inv_c6_an_event_does_not_choose_its_team(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let mut definition = workflow(json!([call(&world, "call")]), &[("start", "call", None)]);
    definition["trigger"] = json!({"type": "incident_created"});
    let id = saved(&world, definition).await;
    world.app.receive_event(alarm(1, "Down", "web").as_bytes()).await.unwrap();
    carry(&world).await;
    let events = world.bus.taken();
    assert_eq!((events.len(), &events[0].snapshot.team_id), (1, &None));
    let paging = muster_app::paging::Paging { limit: 10, cursor: None };
    assert!(world.app.executions_of_workflow(&bob(), &id, &paging).await.unwrap().items.is_empty());
    assert!(world.receiver.received().is_empty());
}

/// An incident's team may have nobody and nothing: global workflows are asked all the same.
#[rstest]
#[tokio::test]
async fn an_event_of_a_team_that_nobody_knows_starts_global_workflows_alone(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let mut definition = workflow(json!([call(&world, "call")]), &[("start", "call", None)]);
    definition["trigger"] = json!({"type": "incident_created"});
    saved(&world, definition).await;
    calling(&world).await;
    let new =
        json!({"title": "Down", "priority": "LOW", "teamId": "nobody-knows", "metadata": {"service": "web"}});
    world.app.create_incident(&bob(), serde_json::from_value(new).unwrap()).await.unwrap();
    carry(&world).await;
    let paths: Vec<String> =
        world.receiver.received().iter().map(|call| call.uri.path().to_owned()).collect();
    assert_eq!(paths, ["/of/web/end"]);
}

/// Within a workflow too: what is not there equals nothing, and the answer is no.
#[rstest]
#[tokio::test]
async fn a_condition_on_a_missing_field_takes_the_other_branch(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    for field in ["incident.metadata.service", "incident.nothing.at.all", "params.a"] {
        let nodes = json!([
            {"type": "condition", "id": "ask", "field": field, "equals": null},
            call(&world, "yes"), call(&world, "no"),
        ]);
        let edges = [("start", "ask", None), ("ask", "yes", Some("true")), ("ask", "no", Some("false"))];
        let mut definition = workflow(nodes, &edges);
        definition["name"] = json!(field);
        let id = saved(&world, definition).await;
        let incident = super::workflows::incident(&world, json!({})).await;
        let run = begun(&world, &id, Some(incident)).await;
        world.drain().await;
        assert_eq!(story(&execution(&world, &run).await), "ask done, no done, yes skipped", "{field}");
    }
}
