//! Team settings and notifications over the API.

use rstest::rstest;

use super::*;
use crate::support::world::Engine;

const PATH: &str = "/api/teams/ops/settings";

fn settings() -> Value {
    json!({
        "people": {"ann": {"email": "ann@example.com", "slackUserId": "U012AB3CD"}},
        "slack": {"token": {"$secret": "slack/bot"}, "channel": "#ops"},
        "teams": {"webhookUrl": {"$secret": "teams/ops"}},
        "notifier": {"url": "https://mail.example/send", "auth": {"type": "bearer", "token": {"$secret": "mail"}}},
    })
}

#[rstest]
#[tokio::test]
async fn settings_are_set_read_and_audited(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let (ann, viewer) = (ann(&world), world.client("vic", &["team:ops:viewer"]));
    let empty = viewer.get(PATH).await;
    assert_eq!(empty.header("etag"), "", "there is nothing yet");
    assert_eq!(empty.expect(200), json!({"teamId": "ops", "people": {}}));

    let answer = ann.put(PATH, settings()).await;
    assert_eq!(answer.header("etag"), "\"1\"");
    let set = answer.expect(200);
    for (name, value) in settings().as_object().unwrap() {
        assert_eq!(&set[name], value, "{name}");
    }
    assert_eq!((&set["updatedBy"], &set["updatedAt"]), (&json!("ann"), &json!("2026-03-01T12:00:00.000Z")));
    assert_eq!(viewer.get(PATH).await.expect(200), set);
    assert_eq!(ann.put(PATH, settings()).await.header("etag"), "\"1\"", "the same again changes nothing");

    let webhook = with(settings(), json!({"slack": {"webhookUrl": {"$secret": "slack/url"}}, "teams": null}));
    let changed = ann.with("if-match", "\"1\"").put(PATH, webhook).await;
    assert_eq!(changed.header("etag"), "\"2\"");
    let changed = changed.expect(200);
    assert_eq!(changed["slack"], json!({"webhookUrl": {"$secret": "slack/url"}}));
    assert!(changed.get("teams").is_none(), "{changed}");
    ann.with("if-match", "\"1\"").put(PATH, settings()).await.expect_problem(412, "stale");
    let web = world.client("web", &["team:web:admin"]).with("if-match", "\"1\"");
    // What nobody has set matches no ETag.
    web.put("/api/teams/web/settings", json!({})).await.expect_problem(412, "stale");

    let export = bob(&world).get("/api/audit/team:ops").await.expect(200);
    let export: muster_app::audit::AuditExport = serde_json::from_value(export).unwrap();
    assert_eq!(export.verify(), Ok(()));
    let actions: Vec<&str> = export.entries.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["team.settings_changed"; 2]);
    assert_eq!(export.entries[0].detail["slack"]["token"], json!({"$secret": "slack/bot"}));
    let day = bob(&world).get("/api/audit?teamId=ops&day=2026-03-01").await.expect(200);
    assert_eq!(day["items"][0]["resource"], "team:ops");
}

/// Where the faults of settings with this change are.
async fn check(world: &World, change: Value, expected: &[&str]) {
    let problem = ann(world).put(PATH, with(settings(), change.clone())).await.expect_problem(400, "invalid");
    let errors = problem["errors"].as_array().unwrap();
    let seen: Vec<String> = errors.iter().map(|error| text(&error["pointer"])).collect();
    assert_eq!(seen, expected, "{change}: {problem}");
    assert!(!problem.to_string().contains("hunter2"), "what may be a secret is not repeated: {problem}");
}

#[tokio::test]
async fn inv_c7_values_of_secrets_and_unknown_members_are_refused_with_their_place() {
    let world = World::sqlite().await;
    check(&world, json!({"pager": {}}), &["/pager"]).await;
    check(&world, json!({"people": {"ann": {"phone": "1"}}}), &["/people/ann/phone"]).await;
    check(&world, json!({"people": {"ann": {"email": "ann"}}}), &["/people/ann/email"]).await;
    check(&world, json!({"people": {"ann": {}}}), &["/people/ann"]).await;
    let many: serde_json::Map<String, Value> =
        (0..501).map(|number| (format!("u{number}"), json!({"slackUserId": "U1"}))).collect();
    check(&world, json!({"people": many}), &["/people"]).await;
    check(
        &world,
        json!({"slack": {"webhookUrl": "https://hooks.slack.example/hunter2"}}),
        &["/slack/webhookUrl"],
    )
    .await;
    check(&world, json!({"slack": {"token": "hunter2", "channel": "#ops"}}), &["/slack/token"]).await;
    check(&world, json!({"slack": {"token": {"$secret": "a"}}}), &["/slack"]).await;
    check(&world, json!({"slack": {"token": {"$secret": "a"}, "channel": "{{x}}"}}), &["/slack/channel"])
        .await;
    check(&world, json!({"teams": {"webhookUrl": "https://hunter2.example"}}), &["/teams/webhookUrl"]).await;
    let bearer = json!({"type": "bearer", "token": "hunter2"});
    check(&world, json!({"notifier": {"url": "https://a.example", "auth": bearer}}), &["/notifier/auth"])
        .await;
    check(&world, json!({"notifier": {"url": "ftp://a.example"}}), &["/notifier/url"]).await;
    check(&world, json!({"notifier": {"url": "https://a.example", "headers": {}}}), &["/notifier/headers"])
        .await;
    assert_eq!(ann(&world).get(PATH).await.header("etag"), "", "nothing was stored");
    ann(&world).get("/api/teams/a%20b/settings").await.expect_problem(404, "not-found");
}

#[rstest]
#[tokio::test]
async fn an_execution_shows_who_was_told(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let notifier = json!({"url": world.receiver.url("/notify")});
    let people = json!({"bob": {"email": "bob@example.com"}});
    ann(&world).put(PATH, json!({"notifier": notifier, "people": people})).await.expect(200);
    let definition = workflows::definition(&world, json!({}));
    let workflow = text(&bob(&world).post("/api/workflows", definition).await.expect(201)["id"]);
    world.receiver.will([crate::support::receiver::Reply::Status(404)]);
    let started = ann(&world).post(&format!("/api/workflows/{workflow}/run"), json!({})).await.expect(202);
    let path = format!("/api/executions/{}/notifications", text(&started["execution"]["id"]));
    assert_eq!(ann(&world).get(&path).await.expect(200), json!({"items": []}));
    world.drain().await;
    let shown = ann(&world).get(&path).await.expect(200);
    let [item] = shown["items"].as_array().unwrap().as_slice() else { panic!("{shown}") };
    assert_eq!(
        (&item["number"], &item["status"], &item["node"]),
        (&json!(1), &json!("FAILED"), &json!("call"))
    );
    let recipient = &item["recipients"][0];
    assert_eq!((&recipient["kind"], &recipient["user"]), (&json!("notifier"), &json!("bob")));
    assert_eq!((&recipient["state"], &recipient["attempts"]), (&json!("DELIVERED"), &json!(1)));
    assert!(!shown.to_string().contains("bob@example.com"), "addresses stay in the settings");
    ann(&world)
        .get("/api/executions/ex_01JNF0Q2M0000000000000000A/notifications")
        .await
        .expect_problem(404, "not-found");
}
