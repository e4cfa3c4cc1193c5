//! Approving and deprecating versions. In AWS a function of its own serves these, whose role alone may write decisions.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use muster_app::App;
use muster_domain::ids::RunbookId;

use super::idempotency::IdempotencyHeader;
use super::runbooks::show;
use crate::extract::named::Named;
use crate::extract::sent::Sent;
use crate::openapi::{Conflicting, Missing, Sending};
use crate::problem::Problem;
use crate::types::decision::{Approve, Deprecate};
use crate::types::runbook::Runbook;

/// Makes a DRAFT version runnable: the newest, or the one named. Nobody approves what they wrote themselves.
#[utoipa::path(
    post, path = "/api/runbooks/{id}/approve", tag = "Approvals", request_body = Approve,
    params(("id" = String, Path), IdempotencyHeader),
    responses(
        (status = 200, description = "The runbook", body = Runbook, headers(("ETag" = String))),
        Sending, Missing, Conflicting,
    ),
)]
pub(crate) async fn approve_runbook(
    State(app): State<Arc<App>>,
    Named(id): Named<RunbookId>,
    Sent { caller, body }: Sent<Approve>,
) -> Result<impl IntoResponse, Problem> {
    Ok(show(app.approve_runbook(&caller, &id, body.version, body.digest).await?))
}

/// Takes approved versions out of use: the one named, or all. A call that has begun ends; no other begins.
#[utoipa::path(
    post, path = "/api/runbooks/{id}/deprecate", tag = "Approvals", request_body = Deprecate,
    params(("id" = String, Path), IdempotencyHeader),
    responses(
        (status = 200, description = "The runbook", body = Runbook, headers(("ETag" = String))),
        Sending, Missing, Conflicting,
    ),
)]
pub(crate) async fn deprecate_runbook(
    State(app): State<Arc<App>>,
    Named(id): Named<RunbookId>,
    Sent { caller, body }: Sent<Deprecate>,
) -> Result<impl IntoResponse, Problem> {
    Ok(show(app.deprecate_runbook(&caller, &id, body.version, body.reason).await?))
}
