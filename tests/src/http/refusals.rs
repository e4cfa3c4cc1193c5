//! Input that is refused: each with its status and problem, and nothing changed.

use http::Method;

use super::*;

const NO_RUNBOOK: &str = "rb_01ARZ3NDEKTSV4RRFFQ69G5FAV";
const NO_EXECUTION: &str = "ex_01ARZ3NDEKTSV4RRFFQ69G5FAV";
const NO_INCIDENT: &str = "inc_01ARZ3NDEKTSV4RRFFQ69G5FAV";

/// Creating a runbook so is refused, and the faults stand at these places.
async fn check_definition(world: &World, change: Value, places: &[&str]) {
    let new = with(definition(world, json!({})), change.clone());
    let problem = ann(world).post("/api/runbooks", new).await.expect_problem(400, "invalid");
    let errors = problem["errors"].as_array().unwrap();
    let seen: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(seen, places, "{change}: {problem}");
}

#[tokio::test]
async fn inv_c7_a_definition_with_faults_is_refused_with_all_of_them() {
    let world = World::sqlite().await;
    check_definition(&world, json!({"name": ""}), &["/name"]).await;
    check_definition(
        &world,
        json!({"name": "a".repeat(201), "timeoutSeconds": 0}),
        &["/name", "/timeoutSeconds"],
    )
    .await;
    check_definition(&world, json!({"tags": ["ok", ""]}), &["/tags/1"]).await;
    check_definition(&world, json!({"webhookUrl": "https://{{params.host}}/"}), &["/webhookUrl"]).await;
    check_definition(&world, json!({"webhookUrl": "file:///etc/passwd"}), &["/webhookUrl"]).await;
    check_definition(&world, json!({"webhookHeaders": {"Host": "x"}}), &["/webhookHeaders/Host"]).await;
    let plain_secret = json!({"webhookHeaders": {"Authorization": "Bearer abc"}});
    check_definition(&world, plain_secret, &["/webhookHeaders/Authorization"]).await;
    check_definition(&world, json!({"changeNote": "first"}), &["/changeNote"]).await;
    let list = ann(&world).get("/api/runbooks").await.expect(200);
    assert_eq!(list, json!({"items": []}));
}

#[tokio::test]
async fn inv_c7_unknown_and_read_only_members_are_refused() {
    let world = World::sqlite().await;
    for member in ["approvalStatus", "approvedVersion", "version", "id", "author", "digest", "createdBy", "x"]
    {
        check_definition(&world, json!({member: "APPROVED"}), &[&format!("/{member}")]).await;
    }
    check_definition(&world, json!({"webhookAuth": {"type": "none", "token": "a"}}), &["/webhookAuth"]).await;
    let value = json!({"webhookAuth": {"type": "bearer", "token": "a secret value"}});
    check_definition(&world, value, &["/webhookAuth"]).await;
}

#[tokio::test]
async fn inv_e2_hostile_templates_and_schemas_are_refused() {
    let world = World::sqlite().await;
    for hostile in [
        "{{{params.x}}}",
        "{{&params.x}}",
        "{{#each params}}{{/each}}",
        "{{> partial}}",
        "{{lookup params 'a'}}",
        "{{#if a}}",
        "{{",
    ] {
        check_definition(&world, json!({"payloadTemplate": {"a": hostile}}), &["/payloadTemplate/a"]).await;
    }
    for hostile in [
        json!({"$ref": "https://evil.example/schema.json"}),
        json!({"$ref": "file:///etc/passwd"}),
        json!({"type": "nonsense"}),
        json!(7),
    ] {
        let new = definition(&world, json!({"parameters": hostile}));
        let problem = ann(&world).post("/api/runbooks", new).await.expect_problem(400, "invalid");
        let pointer = text(&problem["errors"][0]["pointer"]);
        assert!(pointer.starts_with("/parameters"), "{problem}");
    }
    let deep = (0..120).fold(json!("x"), |inner, _| json!([inner]));
    let new = definition(&world, json!({"payloadTemplate": deep}));
    ann(&world).post("/api/runbooks", new).await.expect_problem(400, "invalid");
}

#[tokio::test]
async fn inv_e4_bodies_that_cannot_be_read_are_refused() {
    let world = World::sqlite().await;
    let ann = ann(&world);
    let send =
        async |client: &Client, body: &[u8]| client.send(Method::POST, "/api/runbooks", body.to_vec()).await;
    let problem = send(&ann, b"{\n  \"name\": }").await.expect_problem(400, "malformed");
    assert_eq!(problem["detail"], "expected value at line 2 column 11");
    send(&ann, b"{").await.expect_problem(400, "malformed");
    send(&ann, b"\xff\xfe").await.expect_problem(400, "malformed");
    send(&ann, "[".repeat(10_000).as_bytes()).await.expect_problem(400, "malformed");
    send(&ann, b"[]").await.expect_problem(400, "invalid");
    send(&ann, b"").await.expect_problem(400, "invalid");
}

#[tokio::test]
async fn inv_e4_bodies_that_are_not_said_to_be_json_are_refused() {
    let world = World::sqlite().await;
    let ann = ann(&world);
    let send =
        async |client: &Client, body: &[u8]| client.send(Method::POST, "/api/runbooks", body.to_vec()).await;
    let body = definition(&world, json!({})).to_string().into_bytes();
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
        let client = ann.with("content-type", media_type);
        send(&client, &body).await.expect_problem(415, "unsupported-media-type");
    }
    let twice = ann.with("content-type", "application/json").with("content-type", "text/plain");
    send(&twice, &body).await.expect_problem(415, "unsupported-media-type");
    send(&ann.with("content-type", "Application/JSON; charset=utf-8"), &body).await.expect(201);
}

#[tokio::test]
async fn inv_e4_a_body_over_the_limit_is_refused() {
    let world = World::sqlite().await;
    let whole = definition(&world, json!({"description": "a"})).to_string();
    let padded = |bytes: usize| format!("{whole}{}", " ".repeat(bytes - whole.len())).into_bytes();
    let ann = ann(&world);
    ann.send(Method::POST, "/api/runbooks", padded(128 * 1024)).await.expect(201);
    let answer = ann.send(Method::POST, "/api/runbooks", padded(128 * 1024 + 1)).await;
    answer.expect_problem(413, "too-large");
}

#[tokio::test]
async fn queries_that_cannot_be_read_are_refused_by_name() {
    let world = World::sqlite().await;
    for (path, parameter) in [
        ("/api/runbooks?limit=0", "limit"),
        ("/api/runbooks?limit=101", "limit"),
        ("/api/runbooks?limit=ten", "limit"),
        ("/api/runbooks?limit=5&limit=6", "limit"),
        ("/api/runbooks?teamID=ops", "teamID"),
        ("/api/runbooks?approvalStatus=approved", "approvalStatus"),
        ("/api/runbooks?q=", "q"),
        ("/api/incidents?teamId=a%23b", "teamId"),
        ("/api/audit?day=yesterday", "day"),
        ("/api/queue/stats?verbose=1", "verbose"),
    ] {
        let problem = ann(&world).get(path).await.expect_problem(400, "invalid");
        assert_eq!(problem["errors"][0]["parameter"], parameter, "{path}: {problem}");
    }
    let new = definition(&world, json!({}));
    let problem = ann(&world).post("/api/runbooks?dryRun=true", new).await.expect_problem(400, "invalid");
    assert_eq!(problem["errors"][0]["parameter"], "dryRun");
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    let world = World::sqlite().await;
    let bob = bob(&world);
    for path in [
        &format!("/api/runbooks/{NO_RUNBOOK}"),
        &format!("/api/runbooks/{NO_RUNBOOK}/versions"),
        &format!("/api/runbooks/{NO_RUNBOOK}/versions/1"),
        &format!("/api/runbooks/{NO_RUNBOOK}/executions"),
        &format!("/api/runbooks/executions/{NO_EXECUTION}"),
        &format!("/api/executions/{NO_EXECUTION}"),
        &format!("/api/executions/{NO_EXECUTION}/steps/webhook/request"),
        &format!("/api/incidents/{NO_INCIDENT}"),
        &format!("/api/incidents/{NO_INCIDENT}/runbooks/executions"),
        &format!("/api/audit/{NO_RUNBOOK}"),
        "/api/audit/control:global",
    ] {
        bob.get(path).await.expect_problem(404, "not-found");
    }
    for action in ["approve", "deprecate", "execute"] {
        let path = format!("/api/runbooks/{NO_RUNBOOK}/{action}");
        bob.post(&path, json!({})).await.expect_problem(404, "not-found");
    }
    let path = format!("/api/runbooks/{NO_RUNBOOK}");
    let change = definition(&world, json!({}));
    bob.put(&path, change).await.expect_problem(404, "not-found");
    let path = format!("/api/executions/{NO_EXECUTION}/cancel");
    bob.post(&path, json!({})).await.expect_problem(404, "not-found");
}

#[tokio::test]
async fn what_cannot_be_an_id_is_404_as_well() {
    let world = World::sqlite().await;
    for path in [
        "/api/runbooks/7",
        "/api/runbooks/%FF",
        &format!("/api/runbooks/{NO_EXECUTION}"),
        &format!("/api/runbooks/{}", NO_RUNBOOK.to_lowercase()),
        &format!("/api/runbooks/{NO_RUNBOOK}/versions/one"),
        &format!("/api/runbooks/{NO_RUNBOOK}/versions/-1"),
        "/api/kill-switches/everything",
        "/api/kill-switches/team:",
        "/api/audit/x",
        "/api",
        "/api/runbooks/",
        "/",
    ] {
        bob(&world).get(path).await.expect_problem(404, "not-found");
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_405_and_told_which_it_has() {
    let world = World::sqlite().await;
    let answer = bob(&world).delete("/api/runbooks").await;
    assert_eq!(answer.header("allow"), "GET,HEAD,POST");
    answer.expect_problem(405, "method-not-allowed");
    bob(&world).post("/healthz", json!({})).await.expect_problem(405, "method-not-allowed");
}

#[tokio::test]
async fn a_runbook_that_is_executing_is_not_deleted() {
    let world = World::sqlite().await;
    let id = approved(&world, json!({})).await;
    executed(&world, &id, json!({})).await;
    ann(&world).delete(&format!("/api/runbooks/{id}")).await.expect_problem(409, "conflict");
    world.drain().await;
    assert_eq!(ann(&world).delete(&format!("/api/runbooks/{id}")).await.status, 204);
}

#[tokio::test]
async fn reasons_and_notes_are_bounded() {
    let world = World::sqlite().await;
    let id = approved(&world, json!({})).await;
    let execution = executed(&world, &id, json!({})).await;
    let long = "é".repeat(501);
    let deprecate = bob(&world).post(&format!("/api/runbooks/{id}/deprecate"), json!({"reason": long})).await;
    assert_eq!(deprecate.expect_problem(400, "invalid")["errors"][0]["pointer"], "/reason");
    let cancel =
        bob(&world).post(&format!("/api/executions/{execution}/cancel"), json!({"reason": long})).await;
    assert_eq!(cancel.expect_problem(400, "invalid")["errors"][0]["pointer"], "/reason");
    let edit = definition(&world, json!({"name": "other", "changeNote": long}));
    let edit = ann(&world).put(&format!("/api/runbooks/{id}"), edit).await;
    assert_eq!(edit.expect_problem(400, "invalid")["errors"][0]["pointer"], "/changeNote");
    for reason in ["", " ", &long] {
        let set = json!({"engaged": true, "reason": reason});
        bob(&world).put("/api/kill-switches/global", set).await.expect_problem(400, "invalid");
    }
}
