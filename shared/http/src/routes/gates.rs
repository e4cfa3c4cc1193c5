//! What executions ask of people, and their answers. In AWS the answers are the approval function's, whose role alone may write
//! decisions.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use muster_app::App;
use muster_domain::approval::Verdict;
use muster_domain::ids::{ExecutionId, StepId};

use super::idempotency::IdempotencyHeader;
use crate::extract::asked::Asked;
use crate::extract::named::Named;
use crate::extract::sent::Sent;
use crate::openapi::{Conflicting, Missing, Reading, Sending};
use crate::problem::Problem;
use crate::types::gate::{AnswerGate, ApprovalQuery, Approvals, StepApproval, WaitingFor, Withdraw};
use crate::types::page::{Page, paging};

/// Agrees that an execution goes on. Nobody approves what they asked for or wrote, by whatever name; the answer counts only for
/// what its digest says the person saw.
#[utoipa::path(
    post, path = "/api/executions/{id}/steps/{step}/approve", tag = "Approvals", request_body = AnswerGate,
    params(("id" = String, Path), ("step" = String, Path), IdempotencyHeader),
    responses((status = 200, description = "The approval", body = StepApproval), Sending, Missing, Conflicting),
)]
pub(crate) async fn approve_step(
    State(app): State<Arc<App>>,
    Named((id, step)): Named<(ExecutionId, StepId)>,
    Sent { caller, body }: Sent<AnswerGate>,
) -> Result<Json<StepApproval>, Problem> {
    let detail = app.answer_gate(&caller, (&id, &step), &body.saying(Verdict::Approve)).await?;
    Ok(Json(StepApproval::from(detail)))
}

/// Refuses that an execution goes on; one rejection suffices.
#[utoipa::path(
    post, path = "/api/executions/{id}/steps/{step}/reject", tag = "Approvals", request_body = AnswerGate,
    params(("id" = String, Path), ("step" = String, Path), IdempotencyHeader),
    responses((status = 200, description = "The approval", body = StepApproval), Sending, Missing, Conflicting),
)]
pub(crate) async fn reject_step(
    State(app): State<Arc<App>>,
    Named((id, step)): Named<(ExecutionId, StepId)>,
    Sent { caller, body }: Sent<AnswerGate>,
) -> Result<Json<StepApproval>, Problem> {
    let detail = app.answer_gate(&caller, (&id, &step), &body.saying(Verdict::Reject)).await?;
    Ok(Json(StepApproval::from(detail)))
}

/// Takes an approval back that the execution has not gone on by: one's own, or as a platform admin anybody's.
#[utoipa::path(
    post, path = "/api/executions/{id}/steps/{step}/withdraw", tag = "Approvals", request_body = Withdraw,
    params(("id" = String, Path), ("step" = String, Path), IdempotencyHeader),
    responses((status = 200, description = "The approval", body = StepApproval), Sending, Missing, Conflicting),
)]
pub(crate) async fn withdraw_decision(
    State(app): State<Arc<App>>,
    Named((id, step)): Named<(ExecutionId, StepId)>,
    Sent { caller, body }: Sent<Withdraw>,
) -> Result<Json<StepApproval>, Problem> {
    let detail = app.withdraw_decision(&caller, (&id, &step), &body.of, body.reason).await?;
    Ok(Json(StepApproval::from(detail)))
}

/// Lists every round that an execution's approval steps asked, with what was decided.
#[utoipa::path(
    get, path = "/api/executions/{id}/approvals", tag = "Approvals", params(("id" = String, Path)),
    responses((status = 200, description = "One entry for each round", body = Approvals), Reading, Missing),
)]
pub(crate) async fn list_execution_approvals(
    State(app): State<Arc<App>>,
    Named(id): Named<ExecutionId>,
    Asked { caller, .. }: Asked,
) -> Result<Json<Approvals>, Problem> {
    let details = app.approvals_of_execution(&caller, &id).await?;
    Ok(Json(Approvals { items: details.into_iter().map(StepApproval::from).collect() }))
}

/// Lists open approvals, what ends first first: those that the caller may read, or with `waitingFor=me` those that the caller
/// may decide now, of whatever team.
#[utoipa::path(
    get, path = "/api/approvals", tag = "Approvals", params(ApprovalQuery),
    responses((status = 200, description = "A page of approvals", body = Page<StepApproval>), Reading),
)]
pub(crate) async fn list_approvals(
    State(app): State<Arc<App>>,
    Asked { caller, query }: Asked<ApprovalQuery>,
) -> Result<Json<Page<StepApproval>>, Problem> {
    let paging = paging(query.limit, query.cursor);
    let list = match query.waiting_for {
        Some(WaitingFor::Me) => app.approvals_waiting_for(&caller, query.team_id, &paging).await?,
        None => app.open_approvals(&caller, query.team_id, &paging).await?,
    };
    Ok(Json(Page::of(list, StepApproval::from)))
}
