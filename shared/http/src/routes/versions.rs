//! Versions of a runbook: list, read, compare, roll back.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use muster_app::App;
use muster_domain::ids::RunbookId;
use serde::Deserialize;

use super::idempotency::IdempotencyHeader;
use super::runbooks::show;
use crate::extract::asked::Asked;
use crate::extract::named::Named;
use crate::extract::sent::Sent;
use crate::openapi::{Conflicting, Missing, Reading, Sending};
use crate::problem::Problem;
use crate::types::decision::RollBack;
use crate::types::page::{Limit, Page, paging};
use crate::types::runbook::Runbook;
use crate::types::version::{Change, RunbookVersion, VersionDiff, VersionSummary};

/// The page of a list without filters.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PageQuery {
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    pub(super) limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub(super) cursor: Option<String>,
}

/// Lists the versions of a runbook, newest first; of a deleted one too.
#[utoipa::path(
    get, path = "/api/runbooks/{id}/versions", tag = "Versions", params(("id" = String, Path), PageQuery),
    responses((status = 200, description = "A page of versions", body = Page<VersionSummary>), Reading, Missing),
)]
pub(crate) async fn list_versions(
    State(app): State<Arc<App>>,
    Named(id): Named<RunbookId>,
    Asked { caller, query }: Asked<PageQuery>,
) -> Result<Json<Page<VersionSummary>>, Problem> {
    let list = app.versions(&caller, &id, &paging(query.limit, query.cursor)).await?;
    Ok(Json(Page::of(list, VersionSummary::from)))
}

/// Reads one version with its definition.
#[utoipa::path(
    get, path = "/api/runbooks/{id}/versions/{version}", tag = "Versions",
    params(("id" = String, Path), ("version" = u32, Path)),
    responses((status = 200, description = "The version", body = RunbookVersion), Reading, Missing),
)]
pub(crate) async fn read_version(
    State(app): State<Arc<App>>,
    Named((id, version)): Named<(RunbookId, u32)>,
    Asked { caller, .. }: Asked,
) -> Result<Json<RunbookVersion>, Problem> {
    Ok(Json(app.version(&caller, &id, version).await?.into()))
}

/// Shows what differs between two versions, from `before` to `after`.
#[utoipa::path(
    get, path = "/api/runbooks/{id}/versions/{before}/diff/{after}", tag = "Versions",
    params(("id" = String, Path), ("before" = u32, Path), ("after" = u32, Path)),
    responses((status = 200, description = "What differs", body = VersionDiff), Reading, Missing),
)]
pub(crate) async fn compare_versions(
    State(app): State<Arc<App>>,
    Named((id, before, after)): Named<(RunbookId, u32, u32)>,
    Asked { caller, .. }: Asked,
) -> Result<Json<VersionDiff>, Problem> {
    let changes = app.version_diff(&caller, &id, before, after).await?;
    let changes = changes.into_iter().map(Change::from).collect();
    Ok(Json(VersionDiff { before, after, changes }))
}

/// Copies an old version to a new one, a DRAFT. History is never rewritten.
#[utoipa::path(
    post, path = "/api/runbooks/{id}/rollback", tag = "Versions", request_body = RollBack,
    params(("id" = String, Path), IdempotencyHeader),
    responses(
        (status = 200, description = "The runbook with its new version", body = Runbook, headers(("ETag" = String))),
        Sending, Missing, Conflicting,
    ),
)]
pub(crate) async fn roll_back_runbook(
    State(app): State<Arc<App>>,
    Named(id): Named<RunbookId>,
    Sent { caller, body }: Sent<RollBack>,
) -> Result<impl IntoResponse, Problem> {
    Ok(show(app.roll_back_runbook(&caller, &id, body.to_version).await?))
}
