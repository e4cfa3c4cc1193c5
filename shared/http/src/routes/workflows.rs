//! Workflows: create, list, read, change, switch, delete.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse};
use http::StatusCode;
use http::header::{ETAG, LOCATION};
use muster_app::App;
use muster_app::workflows::{Activation, WorkflowDetail, WorkflowFilter};
use muster_domain::ids::{TeamId, WorkflowId};
use serde::Deserialize;

use super::change_note::refuse_note;
use super::idempotency::IdempotencyHeader;
use crate::extract::asked::Asked;
use crate::extract::if_match::{IfMatch, etag};
use crate::extract::named::Named;
use crate::extract::sent::Sent;
use crate::openapi::{Conflicting, Missing, Reading, Sending, StaleEdit};
use crate::problem::Problem;
use crate::types::page::{Limit, Page, paging};
use crate::types::search::{SearchText, Switch};
use crate::types::trial::NothingMore;
use crate::types::workflow::{NewWorkflow, TriggerType, Workflow, WorkflowSummary};

/// Creates a workflow. It is in force at once unless `enabled` is false.
#[utoipa::path(
    post, path = "/api/workflows", tag = "Workflows", request_body = NewWorkflow, params(IdempotencyHeader),
    responses(
        (status = 201, description = "The new workflow", body = Workflow, headers(("Location" = String), ("ETag" = String))),
        Sending,
    ),
)]
pub(crate) async fn create_workflow(
    State(app): State<Arc<App>>,
    Sent { caller, body }: Sent<NewWorkflow>,
) -> Result<impl IntoResponse, Problem> {
    refuse_note(body.change_note.as_deref(), "workflow")?;
    let detail = app.create_workflow(&caller, body.into()).await?;
    let location = format!("/api/workflows/{}", detail.workflow.id);
    Ok((StatusCode::CREATED, AppendHeaders([(LOCATION, location)]), show(detail)))
}

/// Lists workflows that the caller may read, newest first.
#[utoipa::path(
    get, path = "/api/workflows", tag = "Workflows", params(WorkflowQuery),
    responses((status = 200, description = "A page of workflows", body = Page<WorkflowSummary>), Reading),
)]
pub(crate) async fn list_workflows(
    State(app): State<Arc<App>>,
    Asked { caller, query }: Asked<WorkflowQuery>,
) -> Result<Json<Page<WorkflowSummary>>, Problem> {
    let filter = WorkflowFilter {
        team: query.team_id,
        enabled: query.enabled.map(bool::from),
        trigger: query.trigger_type.map(Into::into),
        text: query.q.map(String::from),
    };
    let list = app.workflows(&caller, &filter, &paging(query.limit, query.cursor)).await?;
    Ok(Json(Page::of(list, WorkflowSummary::from)))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WorkflowQuery {
    /// Only this team's; the caller must be able to read them.
    #[param(value_type = Option<String>)]
    team_id: Option<TeamId>,
    /// Only those that events may start, or only those that they may not.
    #[param(value_type = Option<bool>)]
    enabled: Option<Switch>,
    /// Only those that this starts.
    #[param(inline)]
    trigger_type: Option<TriggerType>,
    /// A part of the name, in any case.
    #[param(value_type = Option<String>)]
    q: Option<SearchText>,
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Option<Limit>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Reads a workflow with its newest version.
#[utoipa::path(
    get, path = "/api/workflows/{id}", tag = "Workflows", params(("id" = String, Path)),
    responses((status = 200, description = "The workflow", body = Workflow, headers(("ETag" = String))), Reading, Missing),
)]
pub(crate) async fn read_workflow(
    State(app): State<Arc<App>>,
    Named(id): Named<WorkflowId>,
    Asked { caller, .. }: Asked,
) -> Result<impl IntoResponse, Problem> {
    Ok(show(app.workflow(&caller, &id).await?))
}

/// Changes a workflow: the whole definition becomes a new version, which is in force at once. The same definition again
/// changes nothing. Executions that have begun keep their version.
#[utoipa::path(
    put, path = "/api/workflows/{id}", tag = "Workflows", request_body = NewWorkflow,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "The ETag of what was read")),
    responses(
        (status = 200, description = "The workflow with its new version", body = Workflow, headers(("ETag" = String))),
        Sending, Missing, Conflicting, StaleEdit,
    ),
)]
pub(crate) async fn change_workflow(
    State(app): State<Arc<App>>,
    Named(id): Named<WorkflowId>,
    IfMatch(revision): IfMatch,
    Sent { caller, mut body }: Sent<NewWorkflow>,
) -> Result<impl IntoResponse, Problem> {
    let note = body.change_note.take();
    Ok(show(app.update_workflow(&caller, &id, body.into(), note, revision).await?))
}

/// Lets events start the workflow: a new version that differs in `enabled` alone.
#[utoipa::path(
    post, path = "/api/workflows/{id}/enable", tag = "Workflows", request_body = NothingMore,
    params(("id" = String, Path), IdempotencyHeader),
    responses(
        (status = 200, description = "The workflow", body = Workflow, headers(("ETag" = String))),
        Sending, Missing, Conflicting,
    ),
)]
pub(crate) async fn enable_workflow(
    State(app): State<Arc<App>>,
    Named(id): Named<WorkflowId>,
    Sent { caller, body: NothingMore {} }: Sent<NothingMore>,
) -> Result<impl IntoResponse, Problem> {
    Ok(show(app.switch_workflow(&caller, &id, Activation::Enabled).await?))
}

/// Keeps events from starting the workflow: a new version that differs in `enabled` alone. What runs goes on.
#[utoipa::path(
    post, path = "/api/workflows/{id}/disable", tag = "Workflows", request_body = NothingMore,
    params(("id" = String, Path), IdempotencyHeader),
    responses(
        (status = 200, description = "The workflow", body = Workflow, headers(("ETag" = String))),
        Sending, Missing, Conflicting,
    ),
)]
pub(crate) async fn disable_workflow(
    State(app): State<Arc<App>>,
    Named(id): Named<WorkflowId>,
    Sent { caller, body: NothingMore {} }: Sent<NothingMore>,
) -> Result<impl IntoResponse, Problem> {
    Ok(show(app.switch_workflow(&caller, &id, Activation::Disabled).await?))
}

/// Deletes a workflow: nothing starts it any more, and what runs begins no further node. Its versions, executions and audit
/// log stay readable.
#[utoipa::path(
    delete, path = "/api/workflows/{id}", tag = "Workflows",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "The ETag of what was read")),
    responses((status = 204, description = "It is deleted"), Reading, Missing, Conflicting, StaleEdit),
)]
pub(crate) async fn delete_workflow(
    State(app): State<Arc<App>>,
    Named(id): Named<WorkflowId>,
    IfMatch(revision): IfMatch,
    Asked { caller, .. }: Asked,
) -> Result<StatusCode, Problem> {
    app.delete_workflow(&caller, &id, revision).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A workflow with the ETag that an edit names in `If-Match`.
pub(super) fn show(detail: WorkflowDetail) -> impl IntoResponse {
    let etag = etag(detail.revision);
    (AppendHeaders([(ETAG, etag)]), Json(Workflow::from(detail)))
}
