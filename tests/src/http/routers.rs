//! The three routers, and what is open to everyone.

use std::sync::Arc;

use muster_http::{HttpSettings, api_router, approval_router};

use super::*;
use crate::support::contract::operations;

/// Which of the documented operations a router serves. Strangers meet 401 where there is a route, and 404 or 405 where not;
/// a hook meets strangers alone, so it must be one that is there.
async fn served(router: axum::Router, hook: &str) -> Vec<String> {
    let client = Client::new(router, None);
    let mut served = Vec::new();
    for name in operations().keys() {
        let (method, path) = name.split_once(' ').unwrap();
        let path = path.replace("{integrationId}", hook).replace("{step}", "drain");
        let path = path.replace("{id}", "ex_01J9Z3W2B4C6D8E0F2G4H6J8K0");
        let answer = client.status(method.parse().unwrap(), &path).await;
        if ![404, 405].contains(&answer) {
            served.push(name.clone());
        }
    }
    served
}

#[tokio::test]
async fn every_documented_operation_is_served_and_the_approvals_apart_from_the_rest() {
    let world = World::sqlite().await;
    let all: Vec<String> = operations().keys().cloned().collect();
    let hook = hooks::integration(&world, json!({})).await;
    assert_eq!(served(world.router.clone(), &hook).await, all);
    let approvals = [
        "POST /api/executions/{id}/steps/{step}/approve",
        "POST /api/executions/{id}/steps/{step}/reject",
        "POST /api/executions/{id}/steps/{step}/withdraw",
        "POST /api/runbooks/{id}/approve",
        "POST /api/runbooks/{id}/deprecate",
    ];
    let health = ["GET /healthz", "GET /readyz"];
    let slack = ["POST /api/hooks/slack/actions"];
    let app = || (Arc::clone(&world.app), HttpSettings::default());
    let approval = served(approval_router(app().0, app().1), &hook).await;
    let mut expected = [&health[..], &slack[..], &approvals[..]].concat();
    expected.sort_unstable();
    assert_eq!(approval, expected);
    let mut api = served(api_router(app().0, app().1), &hook).await;
    api.extend(approvals.into_iter().chain(slack).map(str::to_owned));
    api.extend(["GET /metrics".to_owned(), "POST /api/events".to_owned()]);
    api.sort_unstable();
    assert_eq!(api, all);
}

#[tokio::test]
async fn health_metrics_and_the_document_need_no_identity() {
    let world = World::sqlite().await;
    let stranger = world.stranger();
    assert_eq!(stranger.get("/healthz").await.expect(200), json!({"status": "ok"}));
    assert_eq!(stranger.get("/readyz").await.expect(200), json!({"status": "ok"}));
    let document = stranger.get("/openapi.json").await;
    assert_eq!(document.header("content-type"), "application/json");
    assert_eq!(document.text, muster_http::document());
    let schema = stranger.get("/api/schemas/runbook").await;
    assert_eq!(schema.header("content-type"), "application/schema+json");
    assert_eq!(schema.text, include_str!("../../../docs/runbook.schema.json"));
    let runbook = approved(&world, json!({})).await;
    executed(&world, &runbook, json!({})).await;
    let metrics = stranger.get("/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    assert!(metrics.text.contains("muster_executions_accepted_total 1\n"), "{}", metrics.text);
}

#[tokio::test]
async fn inv_c1_a_stranger_is_challenged_before_anything_is_read() {
    let world = World::sqlite().await;
    for path in ["/api/runbooks", "/api/runbooks/no-id", "/api/runbooks?limit=0"] {
        let answer = world.stranger().get(path).await;
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"muster\"");
        answer.expect_problem(401, "unauthenticated");
    }
}

#[tokio::test]
async fn a_correlation_id_is_kept_or_made_and_always_returned() {
    let world = World::sqlite().await;
    let given = ann(&world).with("x-correlation-id", "drill-7").get("/api/runbooks").await;
    assert_eq!(given.header("x-correlation-id"), "drill-7");
    let bad = ann(&world).with("x-correlation-id", "a b").get("/api/nothing").await;
    assert_eq!(bad.header("x-correlation-id").len(), 26);
    assert_ne!(bad.header("x-correlation-id"), ann(&world).get("/").await.header("x-correlation-id"));
}

#[tokio::test]
async fn no_answer_allows_another_origin() {
    let world = World::sqlite().await;
    let answer = ann(&world).with("origin", "https://evil.example").get("/api/runbooks").await;
    assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control-")));
}
