//! Running a runbook, or showing what it would do.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse, Response};
use http::StatusCode;
use http::header::LOCATION;
use muster_app::App;
use muster_app::executions::Executed;
use muster_domain::ids::{IncidentId, RunbookId};

use super::idempotency::IdempotencyHeader;
use crate::extract::named::Named;
use crate::extract::sent::Sent;
use crate::openapi::{Conflicting, Missing, Sending};
use crate::problem::Problem;
use crate::types::dry_run::DryRun;
use crate::types::execution::{Accepted, Execute, ExecuteOnIncident, Triggered};

/// Executes an approved version. 202 means that the execution is stored and will come to an end; `Location` is where to read
/// it. With `dryRun`, shows the exact requests instead and sends nothing.
#[utoipa::path(
    post, path = "/api/runbooks/{id}/execute", tag = "Executions", request_body = Execute,
    params(("id" = String, Path), IdempotencyHeader),
    responses(
        (status = 202, description = "It is stored", body = Accepted, headers(("Location" = String))),
        (status = 200, description = "What it would send", body = DryRun),
        Sending, Missing, Conflicting,
    ),
)]
pub(crate) async fn execute_runbook(
    State(app): State<Arc<App>>,
    Named(id): Named<RunbookId>,
    Sent { caller, body }: Sent<Execute>,
) -> Result<Response, Problem> {
    let executed = app.execute_runbook(&caller, &id, &body.into()).await?;
    Ok(match executed {
        Executed::Accepted(accepted) => {
            let location = format!("/api/executions/{}", accepted.id);
            let accepted = Json(Accepted::new(accepted.id));
            (StatusCode::ACCEPTED, AppendHeaders([(LOCATION, location)]), accepted).into_response()
        }
        Executed::DryRun(forecast) => Json(DryRun::of(*forecast)).into_response(),
    })
}

/// Runs the newest approved version of a runbook on an incident. 201 means that the execution is stored and will come to an
/// end; `Location` is where to read it.
#[utoipa::path(
    post, path = "/api/incidents/{id}/runbooks/{runbookId}/execute", tag = "Executions",
    request_body = ExecuteOnIncident,
    params(("id" = String, Path), ("runbookId" = String, Path), IdempotencyHeader),
    responses(
        (status = 201, description = "It is stored", body = Triggered, headers(("Location" = String))),
        Sending, Missing, Conflicting,
    ),
)]
pub(crate) async fn execute_on_incident(
    State(app): State<Arc<App>>,
    Named((incident, runbook)): Named<(IncidentId, RunbookId)>,
    Sent { caller, body }: Sent<ExecuteOnIncident>,
) -> Result<impl IntoResponse, Problem> {
    let triggered = app.execute_on_incident(&caller, &incident, &runbook, body.parameters).await?;
    let location = format!("/api/executions/{}", triggered.accepted.id);
    Ok((StatusCode::CREATED, AppendHeaders([(LOCATION, location)]), Json(Triggered::from(triggered))))
}
