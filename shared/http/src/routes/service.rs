//! The process itself: whether it lives, whether it can work, what it counts, and what its API is. None needs an identity.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;
use muster_app::App;
use serde::Serialize;
use utoipa::ToSchema;

use crate::openapi::Failing;
use crate::problem::Problem;

/// A process that works.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    status: &'static str,
}

/// Says that the process lives.
#[utoipa::path(
    get, path = "/healthz", tag = "Service", security(()),
    responses((status = 200, description = "It lives", body = Health)),
)]
pub(crate) async fn live() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Says whether the process can do its work: whether the table answers.
#[utoipa::path(
    get, path = "/readyz", tag = "Service", security(()),
    responses((status = 200, description = "It can work", body = Health), Failing),
)]
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Result<Json<Health>, Problem> {
    app.ready().await?;
    Ok(Json(Health { status: "ok" }))
}

/// Counters of this process, as Prometheus text.
#[utoipa::path(
    get, path = "/metrics", tag = "Service", security(()),
    responses((status = 200, description = "The counters", body = String, content_type = "text/plain")),
)]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let text = app.metrics().prometheus();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

/// This document.
#[utoipa::path(
    get, path = "/openapi.json", tag = "Service", security(()),
    responses((status = 200, description = "The document", body = Object, content_type = "application/json")),
)]
pub(crate) async fn describe() -> impl IntoResponse {
    const DOCUMENT: &str = include_str!("../../../../docs/openapi.json");
    ([(CONTENT_TYPE, "application/json")], DOCUMENT)
}

/// The JSON Schema of a runbook of phases, for editors.
#[utoipa::path(
    get, path = "/api/schemas/runbook", tag = "Service", security(()),
    responses((status = 200, description = "The schema", body = Object, content_type = "application/schema+json")),
)]
pub(crate) async fn runbook_schema() -> impl IntoResponse {
    const SCHEMA: &str = include_str!("../../../../docs/runbook.schema.json");
    ([(CONTENT_TYPE, "application/schema+json")], SCHEMA)
}
