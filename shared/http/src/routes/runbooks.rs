//! Runbooks: create, list, read, change, delete.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse};
use http::StatusCode;
use http::header::{ETAG, LOCATION};
use muster_app::App;
use muster_app::runbooks::{RunbookDetail, RunbookFilter};
use muster_domain::ids::{RunbookId, TeamId};
use serde::Deserialize;

use super::change_note::refuse_note;
use super::idempotency::IdempotencyHeader;
use crate::extract::asked::Asked;
use crate::extract::if_match::{IfMatch, etag};
use crate::extract::named::Named;
use crate::extract::sent::Sent;
use crate::openapi::{Conflicting, Missing, Reading, Sending, StaleEdit};
use crate::problem::Problem;
use crate::types::definition::NewDefinition;
use crate::types::page::{Limit, Page, paging};
use crate::types::runbook::{Runbook, RunbookSummary, VersionStatus};
use crate::types::search::SearchText;
use crate::types::written::Written;

/// Creates a runbook: version 1, a DRAFT.
#[utoipa::path(
    post, path = "/api/runbooks", tag = "Runbooks", params(IdempotencyHeader),
    request_body(content((NewDefinition = "application/json"), (NewDefinition = "application/yaml"))),
    responses(
        (status = 201, description = "The new runbook", body = Runbook, headers(("Location" = String), ("ETag" = String))),
        Sending,
    ),
)]
pub(crate) async fn create_runbook(
    State(app): State<Arc<App>>,
    Sent { caller, body: Written { definition, places } }: Sent<Written>,
) -> Result<impl IntoResponse, Problem> {
    let (definition, note) = definition.into_parts();
    refuse_note(note.as_deref(), "runbook").map_err(|problem| problem.located(&places))?;
    let created = app.create_runbook(&caller, definition).await;
    let detail = created.map_err(|error| Problem::from(error).located(&places))?;
    let location = format!("/api/runbooks/{}", detail.runbook.id);
    Ok((StatusCode::CREATED, AppendHeaders([(LOCATION, location)]), show(detail)))
}

/// Lists runbooks that the caller may read, newest first.
#[utoipa::path(
    get, path = "/api/runbooks", tag = "Runbooks", params(RunbookQuery),
    responses((status = 200, description = "A page of runbooks", body = Page<RunbookSummary>), Reading),
)]
pub(crate) async fn list_runbooks(
    State(app): State<Arc<App>>,
    Asked { caller, query }: Asked<RunbookQuery>,
) -> Result<Json<Page<RunbookSummary>>, Problem> {
    let filter = RunbookFilter {
        team: query.team_id,
        status: query.approval_status.map(Into::into),
        tag: query.tag.map(String::from),
        text: query.q.map(String::from),
    };
    let list = app.runbooks(&caller, &filter, &paging(query.limit, query.cursor)).await?;
    Ok(Json(Page::of(list, RunbookSummary::from)))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RunbookQuery {
    /// Only this team's; the caller must be able to read them.
    #[param(value_type = Option<String>)]
    team_id: Option<TeamId>,
    /// Status of the newest version.
    #[param(inline)]
    approval_status: Option<VersionStatus>,
    /// Only those with this tag.
    #[param(value_type = Option<String>)]
    tag: Option<SearchText>,
    /// A part of the name, in any case.
    #[param(value_type = Option<String>)]
    q: Option<SearchText>,
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Option<Limit>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Reads a runbook with its newest version.
#[utoipa::path(
    get, path = "/api/runbooks/{id}", tag = "Runbooks", params(("id" = String, Path)),
    responses((status = 200, description = "The runbook", body = Runbook, headers(("ETag" = String))), Reading, Missing),
)]
pub(crate) async fn read_runbook(
    State(app): State<Arc<App>>,
    Named(id): Named<RunbookId>,
    Asked { caller, .. }: Asked,
) -> Result<impl IntoResponse, Problem> {
    Ok(show(app.runbook(&caller, &id).await?))
}

/// Changes a runbook: the whole definition becomes a new version, a DRAFT. Approved versions stay as they are and runnable.
/// The same definition again changes nothing.
#[utoipa::path(
    put, path = "/api/runbooks/{id}", tag = "Runbooks",
    request_body(content((NewDefinition = "application/json"), (NewDefinition = "application/yaml"))),
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "The ETag of what was read")),
    responses(
        (status = 200, description = "The runbook with its new version", body = Runbook, headers(("ETag" = String))),
        Sending, Missing, Conflicting, StaleEdit,
    ),
)]
pub(crate) async fn change_runbook(
    State(app): State<Arc<App>>,
    Named(id): Named<RunbookId>,
    IfMatch(revision): IfMatch,
    Sent { caller, body: Written { definition, places } }: Sent<Written>,
) -> Result<impl IntoResponse, Problem> {
    let (definition, note) = definition.into_parts();
    let updated = app.update_runbook(&caller, &id, definition, note, revision).await;
    Ok(show(updated.map_err(|error| Problem::from(error).located(&places))?))
}

/// Deletes a runbook that nothing is executing. Its versions, executions and audit log stay readable.
#[utoipa::path(
    delete, path = "/api/runbooks/{id}", tag = "Runbooks",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "The ETag of what was read")),
    responses((status = 204, description = "It is deleted"), Reading, Missing, Conflicting, StaleEdit),
)]
pub(crate) async fn delete_runbook(
    State(app): State<Arc<App>>,
    Named(id): Named<RunbookId>,
    IfMatch(revision): IfMatch,
    Asked { caller, .. }: Asked,
) -> Result<StatusCode, Problem> {
    app.delete_runbook(&caller, &id, revision).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A runbook with the ETag that an edit names in `If-Match`.
pub(super) fn show(detail: RunbookDetail) -> impl IntoResponse {
    let etag = etag(detail.revision);
    (AppendHeaders([(ETAG, etag)]), Json(Runbook::from(detail)))
}
