//! Requests as API Gateway sends them, usual and unusual.

use serde_json::json;

use super::installation::{DEAD_LETTERS_URL, Installation, QUEUE_URL, calling};
use super::samples::Request;
use crate::support::lambda::Function;

async fn api() -> (Installation, Function) {
    let installation = Installation::start().await;
    let api = installation.function("muster-api").await;
    (installation, api)
}

#[tokio::test]
async fn inv_c1_identity_comes_from_the_authorizer_and_never_from_a_header() {
    let (_installation, api) = api().await;
    let list = || Request::sample("get-execution").to("GET", "/api/runbooks");
    list().send(&api).await.expect(200);
    let forged = list()
        .without_claims()
        .with_header("authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.")
        .with_header("x-amzn-oidc-identity", "ann")
        .with_header("x-user-id", "ann")
        .with_header("cognito:groups", "platform-admin");
    let answer = forged.send(&api).await;
    assert!(answer.headers["www-authenticate"].as_str().unwrap().starts_with("Bearer"), "{answer:?}");
    assert_eq!(answer.expect(401)["type"], "/problems/unauthenticated");
    let approval = _installation.function("muster-approval").await;
    Request::sample("approve-runbook").without_claims().send(&approval).await.expect(401);
}

#[tokio::test]
async fn claims_that_name_nobody_are_nobody() {
    let (_installation, api) = api().await;
    let list = Request::sample("get-execution").to("GET", "/api/runbooks");
    list.by("not a user id", "[platform-admin]").send(&api).await.expect(401);
}

#[tokio::test]
async fn health_and_the_description_need_no_token() {
    let (_installation, api) = api().await;
    for path in ["/healthz", "/readyz", "/openapi.json", "/api/schemas/runbook"] {
        Request::sample("get-health").to("GET", path).send(&api).await.expect(200);
    }
    Request::sample("get-health").to("GET", "/metrics").send(&api).await.expect(404);
}

/// Lambda answers 502 for a function that panics; a client must not be able to ask for that.
#[tokio::test]
async fn inv_e4_no_path_query_or_header_breaks_the_function() {
    let (_installation, api) = api().await;
    let list = || Request::sample("get-execution").to("GET", "/api/runbooks");
    for path in [
        "",
        "/",
        "//",
        "/api/runbooks/a?b#c",
        "/api/runbooks/ %zz\u{0}é",
        "/api/runbooks/../audit",
        "http://a",
    ] {
        list().to("GET", path).send(&api).await.expect(404);
    }
    for query in ["q=<a> b", "q=%zz", "limit=\u{0}", "#", "limit=5&limit=6", "é=é"] {
        let status = list().query(query).send(&api).await.status;
        assert!([200, 400].contains(&status), "{query:?}: {status}");
    }
    list().with_header("x-name", "Zoë\u{7}").with_header("not a header", "é").send(&api).await.expect(200);
    list().to("BREW", "/api/runbooks").send(&api).await.expect(405);
    let large = json!({"name": "a".repeat(200_000)});
    Request::sample("create-runbook").with_body(&large).send(&api).await.expect(413);
}

#[tokio::test]
async fn the_statistics_count_both_queues() {
    let (installation, api) = api().await;
    installation.sqs.counts(QUEUE_URL, [5, 3, 2]);
    installation.sqs.counts(DEAD_LETTERS_URL, [1, 1, 0]);
    let stats = Request::sample("get-execution").to("GET", "/api/queue/stats").send(&api).await.expect(200);
    assert_eq!(stats, json!({"waiting": 5, "active": 3, "delayed": 2, "failed": 2}));
}

/// A nudge that is lost costs time, never work.
#[tokio::test]
async fn inv_a1_an_execution_is_accepted_while_the_queue_is_down() {
    let (installation, api) = api().await;
    let approval = installation.function("muster-approval").await;
    let definition = calling("https://control.example.com/restart");
    let created = Request::sample("create-runbook").with_body(&definition).send(&api).await.expect(201);
    let path = |verb: &str| format!("/api/runbooks/{}/{verb}", created["id"].as_str().unwrap());
    Request::sample("approve-runbook").to("POST", &path("approve")).send(&approval).await.expect(200);
    installation.sqs.goes_down();
    let execute = Request::sample("execute-runbook").to("POST", &path("execute")).with_body(&json!({}));
    let accepted = execute.send(&api).await.expect(202);
    let id = accepted["execution"]["id"].as_str().unwrap().parse().unwrap();
    assert!(installation.stored(&id).await.value.due_at.is_some(), "the sweeper will find it");
    let lines = api.stop();
    assert!(lines.iter().any(|line| line["NudgesLost"] == 1 && line["_aws"].is_object()), "{lines:?}");
    assert!(lines.iter().any(|line| line["level"] == "WARN" && line["message"] == "nudge lost"), "{lines:?}");
}
