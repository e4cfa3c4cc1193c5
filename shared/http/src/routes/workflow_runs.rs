//! Running a workflow by hand, and trying what it would do.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse};
use http::StatusCode;
use http::header::LOCATION;
use muster_app::App;
use muster_domain::ids::WorkflowId;

use super::executions::listed;
use super::idempotency::IdempotencyHeader;
use super::versions::PageQuery;
use crate::extract::asked::Asked;
use crate::extract::named::Named;
use crate::extract::sent::Sent;
use crate::openapi::{Conflicting, Missing, Reading, Sending};
use crate::problem::Problem;
use crate::types::execution::{Accepted, Execution};
use crate::types::page::{Page, paging};
use crate::types::trial::{AskBacktest, Backtest, RunWorkflow, Trial, TryWorkflow};

/// Runs the newest version, enabled or not. 202 means that the execution is stored and will come to an end; `Location` is
/// where to read it.
#[utoipa::path(
    post, path = "/api/workflows/{id}/run", tag = "Workflows", request_body = RunWorkflow,
    params(("id" = String, Path), IdempotencyHeader),
    responses(
        (status = 202, description = "It is stored", body = Accepted, headers(("Location" = String))),
        Sending, Missing, Conflicting,
    ),
)]
pub(crate) async fn run_workflow(
    State(app): State<Arc<App>>,
    Named(id): Named<WorkflowId>,
    Sent { caller, body }: Sent<RunWorkflow>,
) -> Result<impl IntoResponse, Problem> {
    let id = app.run_workflow(&caller, &id, &body.into()).await?;
    let location = format!("/api/executions/{id}");
    Ok((StatusCode::ACCEPTED, AppendHeaders([(LOCATION, location)]), Json(Accepted::new(id))))
}

/// Lists the executions of a workflow, newest first; of a deleted one too.
#[utoipa::path(
    get, path = "/api/workflows/{id}/executions", tag = "Workflows", params(("id" = String, Path), PageQuery),
    responses((status = 200, description = "A page of executions", body = Page<Execution>), Reading, Missing),
)]
pub(crate) async fn list_workflow_executions(
    State(app): State<Arc<App>>,
    Named(id): Named<WorkflowId>,
    Asked { caller, query }: Asked<PageQuery>,
) -> Result<Json<Page<Execution>>, Problem> {
    let list = app.executions_of_workflow(&caller, &id, &paging(query.limit, query.cursor)).await?;
    listed(&app, &caller, list).await
}

/// Says what one event, or an incident as it is now, would do to the workflow and why. Nothing is changed or started.
#[utoipa::path(
    post, path = "/api/workflows/{id}/test", tag = "Workflows", request_body = TryWorkflow,
    params(("id" = String, Path), IdempotencyHeader),
    responses((status = 200, description = "What it would do", body = Trial), Sending, Missing, Conflicting),
)]
pub(crate) async fn try_workflow(
    State(app): State<Arc<App>>,
    Named(id): Named<WorkflowId>,
    Sent { caller, body }: Sent<TryWorkflow>,
) -> Result<Json<Trial>, Problem> {
    let tried = body.try_into()?;
    Ok(Json(app.try_workflow(&caller, &id, &tried).await?.into()))
}

/// Replays the events of the last days against the workflow, or against a draft of it. Nothing is changed or started.
#[utoipa::path(
    post, path = "/api/workflows/{id}/backtest", tag = "Workflows", request_body = AskBacktest,
    params(("id" = String, Path), IdempotencyHeader),
    responses(
        (status = 200, description = "What would have happened", body = Backtest),
        Sending, Missing, Conflicting,
    ),
)]
pub(crate) async fn backtest_workflow(
    State(app): State<Arc<App>>,
    Named(id): Named<WorkflowId>,
    Sent { caller, body }: Sent<AskBacktest>,
) -> Result<Json<Backtest>, Problem> {
    Ok(Json(app.backtest_workflow(&caller, &id, &body.into()).await?.into()))
}
