//! Reading and steering executions.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use muster_app::paging::List;
use muster_app::{App, Caller, Error};
use muster_domain::execution as domain;
use muster_domain::ids::{ExecutionId, IncidentId, RunbookId};
use muster_domain::incident::Incident;

use super::idempotency::IdempotencyHeader;
use super::versions::PageQuery;
use crate::extract::asked::Asked;
use crate::extract::named::Named;
use crate::extract::sent::Sent;
use crate::openapi::{Conflicting, Missing, Reading, Sending};
use crate::problem::Problem;
use crate::types::decision::{Cancel, Resolve};
use crate::types::execution::{Accepted, Execution};
use crate::types::page::{Page, paging};
use crate::types::stop::{Because, DecideUndo, Nothing};

/// Reads an execution with its steps, attempts and trail.
#[utoipa::path(
    get, path = "/api/executions/{id}", tag = "Executions", params(("id" = String, Path)),
    responses((status = 200, description = "The execution", body = Execution), Reading, Missing),
)]
pub(crate) async fn read_execution(
    State(app): State<Arc<App>>,
    Named(id): Named<ExecutionId>,
    Asked { caller, .. }: Asked,
) -> Result<Json<Execution>, Problem> {
    let execution = app.execution(&caller, &id).await?;
    whole(&app, &caller, execution).await
}

/// The same as `GET /api/executions/{id}`.
#[utoipa::path(
    get, path = "/api/runbooks/executions/{executionId}", tag = "Executions", params(("executionId" = String, Path)),
    responses((status = 200, description = "The execution", body = Execution), Reading, Missing),
)]
pub(crate) async fn read_runbook_execution(
    state: State<Arc<App>>,
    id: Named<ExecutionId>,
    asked: Asked,
) -> Result<Json<Execution>, Problem> {
    read_execution(state, id, asked).await
}

/// Lists the executions of a runbook, newest first; of a deleted one too.
#[utoipa::path(
    get, path = "/api/runbooks/{id}/executions", tag = "Executions", params(("id" = String, Path), PageQuery),
    responses((status = 200, description = "A page of executions", body = Page<Execution>), Reading, Missing),
)]
pub(crate) async fn list_runbook_executions(
    State(app): State<Arc<App>>,
    Named(id): Named<RunbookId>,
    Asked { caller, query }: Asked<PageQuery>,
) -> Result<Json<Page<Execution>>, Problem> {
    let list = app.executions_of_runbook(&caller, &id, &paging(query.limit, query.cursor)).await?;
    listed(&app, &caller, list).await
}

/// Lists the executions for an incident, newest first.
#[utoipa::path(
    get, path = "/api/incidents/{id}/runbooks/executions", tag = "Executions", params(("id" = String, Path), PageQuery),
    responses((status = 200, description = "A page of executions", body = Page<Execution>), Reading, Missing),
)]
pub(crate) async fn list_incident_executions(
    State(app): State<Arc<App>>,
    Named(id): Named<IncidentId>,
    Asked { caller, query }: Asked<PageQuery>,
) -> Result<Json<Page<Execution>>, Problem> {
    let list = app.executions_of_incident(&caller, &id, &paging(query.limit, query.cursor)).await?;
    listed(&app, &caller, list).await
}

/// Cancels an execution: one that has not begun ends at once, one that runs ends before its next call. What was done stays.
#[utoipa::path(
    post, path = "/api/executions/{id}/cancel", tag = "Executions", request_body = Cancel,
    params(("id" = String, Path), IdempotencyHeader),
    responses((status = 200, description = "The execution", body = Execution), Sending, Missing, Conflicting),
)]
pub(crate) async fn cancel_execution(
    State(app): State<Arc<App>>,
    Named(id): Named<ExecutionId>,
    Sent { caller, body }: Sent<Cancel>,
) -> Result<Json<Execution>, Problem> {
    let execution = app.cancel_execution(&caller, &id, body.reason).await?;
    whole(&app, &caller, execution).await
}

/// Stops an execution and takes back what it did, the last step first. What is in flight ends before that.
#[utoipa::path(
    post, path = "/api/executions/{id}/abort", tag = "Executions", request_body = Because,
    params(("id" = String, Path), IdempotencyHeader),
    responses((status = 200, description = "The execution", body = Execution), Sending, Missing, Conflicting),
)]
pub(crate) async fn abort_execution(
    State(app): State<Arc<App>>,
    Named(id): Named<ExecutionId>,
    Sent { caller, body }: Sent<Because>,
) -> Result<Json<Execution>, Problem> {
    let execution = app.abort_execution(&caller, &id, body.reason).await?;
    whole(&app, &caller, execution).await
}

/// Pauses an execution: no further call begins until somebody resumes it. What is in flight ends, and is shown until then.
#[utoipa::path(
    post, path = "/api/executions/{id}/pause", tag = "Executions", request_body = Because,
    params(("id" = String, Path), IdempotencyHeader),
    responses((status = 200, description = "The execution", body = Execution), Sending, Missing, Conflicting),
)]
pub(crate) async fn pause_execution(
    State(app): State<Arc<App>>,
    Named(id): Named<ExecutionId>,
    Sent { caller, body }: Sent<Because>,
) -> Result<Json<Execution>, Problem> {
    let execution = app.pause_execution(&caller, &id, body.reason).await?;
    whole(&app, &caller, execution).await
}

/// Lets a paused execution go on. The time that it may take did not run meanwhile.
#[utoipa::path(
    post, path = "/api/executions/{id}/resume", tag = "Executions", request_body = Nothing,
    params(("id" = String, Path), IdempotencyHeader),
    responses((status = 200, description = "The execution", body = Execution), Sending, Missing, Conflicting),
)]
pub(crate) async fn resume_execution(
    State(app): State<Arc<App>>,
    Named(id): Named<ExecutionId>,
    Sent { caller, body: Nothing {} }: Sent<Nothing>,
) -> Result<Json<Execution>, Problem> {
    let execution = app.resume_execution(&caller, &id).await?;
    whole(&app, &caller, execution).await
}

/// Takes back what an ended execution did, by an execution of its own, of which there is one at most.
#[utoipa::path(
    post, path = "/api/executions/{id}/rollback", tag = "Executions", request_body = Because,
    params(("id" = String, Path), IdempotencyHeader),
    responses(
        (status = 202, description = "The execution that takes it back", body = Accepted),
        Sending, Missing, Conflicting,
    ),
)]
pub(crate) async fn roll_back_execution(
    State(app): State<Arc<App>>,
    Named(id): Named<ExecutionId>,
    Sent { caller, body }: Sent<Because>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let rollback = app.roll_back_execution(&caller, &id, body.reason).await?;
    Ok((StatusCode::ACCEPTED, Json(Accepted::new(rollback.id))))
}

/// Answers for an execution that is UNDO_FAILED: send the undo again, let it be, or it was done by hand.
#[utoipa::path(
    post, path = "/api/executions/{id}/undo", tag = "Executions", request_body = DecideUndo,
    params(("id" = String, Path), IdempotencyHeader),
    responses((status = 200, description = "The execution", body = Execution), Sending, Missing, Conflicting),
)]
pub(crate) async fn decide_undo(
    State(app): State<Arc<App>>,
    Named(id): Named<ExecutionId>,
    Sent { caller, body }: Sent<DecideUndo>,
) -> Result<Json<Execution>, Problem> {
    let execution = app.decide_undo(&caller, &id, body.decision.into(), body.reason).await?;
    whole(&app, &caller, execution).await
}

/// Answers for an execution that is NEEDS_REVIEW: the call took effect, or it must be sent again.
#[utoipa::path(
    post, path = "/api/executions/{id}/resolve", tag = "Executions", request_body = Resolve,
    params(("id" = String, Path), IdempotencyHeader),
    responses((status = 200, description = "The execution", body = Execution), Sending, Missing, Conflicting),
)]
pub(crate) async fn resolve_execution(
    State(app): State<Arc<App>>,
    Named(id): Named<ExecutionId>,
    Sent { caller, body }: Sent<Resolve>,
) -> Result<Json<Execution>, Problem> {
    let execution = app.resolve_execution(&caller, &id, body.outcome.into(), body.reason).await?;
    whole(&app, &caller, execution).await
}

async fn whole(app: &App, caller: &Caller, execution: domain::Execution) -> Result<Json<Execution>, Problem> {
    let incidents = incidents_of(app, caller, std::slice::from_ref(&execution)).await?;
    let incident = execution.incident.as_ref().and_then(|id| incidents.get(id));
    let nodes = app.nodes_of(&execution).await?;
    let undone_by = app.rollback_of(&execution).await?;
    Ok(Json(Execution::whole(execution, incident, &nodes).undone_by(undone_by.as_ref())))
}

pub(super) async fn listed(
    app: &App,
    caller: &Caller,
    list: List<domain::Execution>,
) -> Result<Json<Page<Execution>>, Problem> {
    let incidents = incidents_of(app, caller, &list.items).await?;
    let show = |execution: domain::Execution| {
        let incident = execution.incident.as_ref().and_then(|id| incidents.get(id));
        Execution::listed(execution, incident)
    };
    Ok(Json(Page::of(list, show)))
}

/// The incidents of executions that the caller may read.
async fn incidents_of(
    app: &App,
    caller: &Caller,
    executions: &[domain::Execution],
) -> Result<BTreeMap<IncidentId, Incident>, Error> {
    let ids = executions.iter().filter_map(|execution| execution.incident.clone()).collect();
    app.readable_incidents(caller, ids).await
}
