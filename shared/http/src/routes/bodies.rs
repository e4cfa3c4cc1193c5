//! What was sent, and what came back: small bodies stand in the execution itself, large ones beside it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use muster_app::table::BodyPart;
use muster_app::{App, Caller, Error};
use muster_domain::execution::{Attempt, StoredRequest};
use muster_domain::ids::{ExecutionId, StepId};
use muster_domain::outcome::Outcome;

use crate::extract::asked::Asked;
use crate::extract::named::Named;
use crate::openapi::{Missing, Reading};
use crate::problem::{Kind, Problem};
use crate::types::request::RenderedRequest;
use crate::types::step::ResponseBody;

/// Reads what every attempt of a step sends, secrets as references.
#[utoipa::path(
    get, path = "/api/executions/{id}/steps/{step}/request", tag = "Executions",
    params(("id" = String, Path), ("step" = String, Path)),
    responses((status = 200, description = "The request", body = RenderedRequest), Reading, Missing),
)]
pub(crate) async fn read_step_request(
    State(app): State<Arc<App>>,
    Named((id, step)): Named<(ExecutionId, StepId)>,
    Asked { caller, .. }: Asked,
) -> Result<Json<RenderedRequest>, Problem> {
    let mut execution = app.execution(&caller, &id).await?;
    let run = execution.steps.remove(&step).ok_or_else(|| not_begun(&step))?;
    let request = match run.request.ok_or_else(|| makes_no_call(&step))? {
        StoredRequest::Inline(request) => request,
        StoredRequest::Beside { .. } => {
            let body = app.execution_body(&caller, &id, &step, BodyPart::Request).await?;
            serde_json::from_str(&body.text).map_err(|error| unreadable(&error))?
        }
    };
    Ok(Json(request.into()))
}

/// Reads the body of the response to an attempt, counted from 1.
#[utoipa::path(
    get, path = "/api/executions/{id}/steps/{step}/attempts/{attempt}/response", tag = "Executions",
    params(("id" = String, Path), ("step" = String, Path), ("attempt" = u32, Path)),
    responses((status = 200, description = "The response's body", body = ResponseBody), Reading, Missing),
)]
pub(crate) async fn read_attempt_response(
    State(app): State<Arc<App>>,
    Named((id, step, number)): Named<(ExecutionId, StepId, u32)>,
    Asked { caller, .. }: Asked,
) -> Result<Json<ResponseBody>, Problem> {
    let execution = app.execution(&caller, &id).await?;
    let run = execution.steps.get(&step).ok_or_else(|| not_begun(&step))?;
    let index = usize::try_from(number).unwrap_or(usize::MAX).checked_sub(1);
    let attempt = index.and_then(|index| run.attempts.get(index));
    let answer = attempt.and_then(Answer::of).ok_or_else(|| unanswered(number))?;
    let body = match answer.cut {
        false => answer.start,
        true => whole_body(&app, &caller, (id, step, number)).await?.unwrap_or(answer.start),
    };
    Ok(Json(ResponseBody { status_code: answer.status, body }))
}

/// What the execution itself holds of a response.
struct Answer {
    status: u16,
    start: String,
    cut: bool,
}

impl Answer {
    fn of(attempt: &Attempt) -> Option<Self> {
        let known = [attempt.outcome.as_ref(), attempt.late.as_ref()];
        known.into_iter().flatten().find_map(|outcome| match outcome {
            Outcome::Answered { status, body, truncated, .. } => {
                Some(Self { status: *status, start: body.clone(), cut: *truncated })
            }
            Outcome::Unsent { .. } | Outcome::Refused { .. } | Outcome::Unknown { .. } => None,
        })
    }
}

/// The body kept beside the execution; `None` if the answer was cut before there was more than the execution holds.
async fn whole_body(
    app: &App,
    caller: &Caller,
    (id, step, number): (ExecutionId, StepId, u32),
) -> Result<Option<String>, Error> {
    match app.execution_body(caller, &id, &step, BodyPart::Response(number)).await {
        Ok(body) => Ok(Some(body.text)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn not_begun(step: &StepId) -> Problem {
    Problem::new(Kind::NotFound, format!("step {step} has not begun"))
}

fn makes_no_call(step: &StepId) -> Problem {
    Problem::new(Kind::NotFound, format!("step {step} makes no call"))
}

fn unanswered(attempt: u32) -> Problem {
    Problem::new(Kind::NotFound, format!("attempt {attempt} has no answer"))
}

fn unreadable(error: &serde_json::Error) -> Problem {
    tracing::error!(error = muster_app::error::chain(error), "reading the stored request of a step");
    Problem::new(Kind::Internal, "The stored request cannot be read")
}
