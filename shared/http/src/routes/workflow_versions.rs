//! Versions of a workflow: list, read, compare, roll back.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use muster_app::App;
use muster_domain::ids::WorkflowId;

use super::idempotency::IdempotencyHeader;
use super::versions::PageQuery;
use super::workflows::show;
use crate::extract::asked::Asked;
use crate::extract::named::Named;
use crate::extract::sent::Sent;
use crate::openapi::{Conflicting, Missing, Reading, Sending};
use crate::problem::Problem;
use crate::types::decision::RollBack;
use crate::types::page::{Page, paging};
use crate::types::version::{Change, VersionDiff};
use crate::types::workflow::{Workflow, WorkflowVersion, WorkflowVersionSummary};

/// Lists the versions of a workflow, newest first; of a deleted one too.
#[utoipa::path(
    get, path = "/api/workflows/{id}/versions", tag = "Workflows", params(("id" = String, Path), PageQuery),
    responses((status = 200, description = "A page of versions", body = Page<WorkflowVersionSummary>), Reading, Missing),
)]
pub(crate) async fn list_workflow_versions(
    State(app): State<Arc<App>>,
    Named(id): Named<WorkflowId>,
    Asked { caller, query }: Asked<PageQuery>,
) -> Result<Json<Page<WorkflowVersionSummary>>, Problem> {
    let list = app.workflow_versions(&caller, &id, &paging(query.limit, query.cursor)).await?;
    Ok(Json(Page::of(list, WorkflowVersionSummary::from)))
}

/// Reads one version with its definition.
#[utoipa::path(
    get, path = "/api/workflows/{id}/versions/{version}", tag = "Workflows",
    params(("id" = String, Path), ("version" = u32, Path)),
    responses((status = 200, description = "The version", body = WorkflowVersion), Reading, Missing),
)]
pub(crate) async fn read_workflow_version(
    State(app): State<Arc<App>>,
    Named((id, version)): Named<(WorkflowId, u32)>,
    Asked { caller, .. }: Asked,
) -> Result<Json<WorkflowVersion>, Problem> {
    Ok(Json(app.workflow_version(&caller, &id, version).await?.into()))
}

/// Shows what differs between two versions, from `before` to `after`.
#[utoipa::path(
    get, path = "/api/workflows/{id}/versions/{before}/diff/{after}", tag = "Workflows",
    params(("id" = String, Path), ("before" = u32, Path), ("after" = u32, Path)),
    responses((status = 200, description = "What differs", body = VersionDiff), Reading, Missing),
)]
pub(crate) async fn compare_workflow_versions(
    State(app): State<Arc<App>>,
    Named((id, before, after)): Named<(WorkflowId, u32, u32)>,
    Asked { caller, .. }: Asked,
) -> Result<Json<VersionDiff>, Problem> {
    let changes = app.workflow_version_diff(&caller, &id, before, after).await?;
    let changes = changes.into_iter().map(Change::from).collect();
    Ok(Json(VersionDiff { before, after, changes }))
}

/// Copies an old version to a new one, which is in force at once. History is never rewritten.
#[utoipa::path(
    post, path = "/api/workflows/{id}/rollback", tag = "Workflows", request_body = RollBack,
    params(("id" = String, Path), IdempotencyHeader),
    responses(
        (status = 200, description = "The workflow with its new version", body = Workflow, headers(("ETag" = String))),
        Sending, Missing, Conflicting,
    ),
)]
pub(crate) async fn roll_back_workflow(
    State(app): State<Arc<App>>,
    Named(id): Named<WorkflowId>,
    Sent { caller, body }: Sent<RollBack>,
) -> Result<impl IntoResponse, Problem> {
    Ok(show(app.roll_back_workflow(&caller, &id, body.to_version).await?))
}
