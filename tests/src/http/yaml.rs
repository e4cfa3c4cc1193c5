//! Runbooks as YAML: the same definition as in JSON, with the line of each fault.

use http::Method;
use rstest::rstest;

use super::*;
use crate::support::world::Engine;

const SIMPLE: &str = "\
# Comments are no part of it.
name: Restart
teamId: ops
webhookUrl: https://ops.example/restart
timeoutSeconds: 5
";

fn sender(world: &World, media_type: &str) -> Client {
    ann(world).with("content-type", media_type)
}

async fn create(world: &World, media_type: &str, text: &str) -> crate::support::client::Answer {
    sender(world, media_type).send(Method::POST, "/api/runbooks", text.as_bytes().to_vec()).await
}

#[rstest]
#[tokio::test]
async fn a_runbook_is_created_and_changed_as_yaml(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    for media_type in ["application/yaml", "Application/X-YAML", "text/yaml; charset=utf-8"] {
        let created = create(&world, media_type, SIMPLE).await.expect(201);
        assert_eq!((&created["name"], &created["timeoutSeconds"]), (&json!("Restart"), &json!(5)));
    }
    let created = create(&world, "application/yaml", SIMPLE).await.expect(201);
    let path = format!("/api/runbooks/{}", text(&created["id"]));
    let yaml = sender(&world, "application/yaml");
    let same = yaml.send(Method::PUT, &path, SIMPLE.as_bytes().to_vec()).await.expect(200);
    assert_eq!((&same["version"], &same["digest"]), (&json!(1), &created["digest"]));
    let phased = include_str!("../../../events/runbooks/memory-pressure.yaml")
        .replace("teamId: payments", "teamId: ops");
    let changed = yaml.send(Method::PUT, &path, phased.into_bytes()).await.expect(200);
    assert_eq!((&changed["version"], &changed["phases"][0]["id"]), (&json!(2), &json!("detect")));
}

#[rstest]
#[tokio::test]
async fn a_fault_in_yaml_has_its_line(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    for (more, pointer, line) in [
        ("webhokAuth: {}\n", "/webhokAuth", 6),
        ("tags: [a, '']\n", "/tags/1", 6),
        ("changeNote: new\n", "/changeNote", 6),
        ("idempotent: 'no'\n", "/idempotent", 6),
    ] {
        let problem = create(&world, "application/yaml", &format!("{SIMPLE}{more}")).await;
        let problem = problem.expect_problem(400, "invalid");
        let error = &problem["errors"][0];
        assert_eq!((&error["pointer"], &error["line"]), (&json!(pointer), &json!(line)), "{problem}");
    }
    for (text, place) in
        [("name: [a\n", "line 1"), ("name: a\nname: b\n", "line 2"), ("a: 1\n---\nb: 1\n", "line 3")]
    {
        let problem = create(&world, "application/yaml", text).await.expect_problem(400, "malformed");
        assert!(problem["detail"].as_str().unwrap().contains(place), "{problem}");
    }
    create(&world, "application/yaml", "[]").await.expect_problem(400, "invalid");
}

#[rstest]
#[tokio::test]
async fn inv_e2_aliases_and_what_is_too_deep_are_refused(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let long = "x".repeat(50_000);
    let bomb = format!("{SIMPLE}tags:\n  - &a {long}\n{}", "  - *a\n".repeat(1_000));
    let deep = format!("{SIMPLE}payloadTemplate: {}{}\n", "[".repeat(500), "]".repeat(500));
    let tagged = format!("{SIMPLE}payloadTemplate: !!python/object x\n");
    for hostile in [bomb, deep, tagged] {
        create(&world, "application/yaml", &hostile).await.expect_problem(400, "malformed");
    }
}

#[rstest]
#[tokio::test]
async fn other_routes_take_json_alone(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let yaml = sender(&world, "application/yaml");
    let incident = yaml.send(Method::POST, "/api/incidents", b"title: Down".to_vec()).await;
    incident.expect_problem(415, "unsupported-media-type");
    create(&world, "application/toml", SIMPLE).await.expect_problem(415, "unsupported-media-type");
}
