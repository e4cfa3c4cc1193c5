//! Where receivers of calls say that they are done. There is no account: what counts is the token that the call brought.

use std::sync::Arc;

use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use muster_app::App;
use muster_domain::ids::{ExecutionId, StepId};

use crate::extract::json;
use crate::extract::named::Named;
use crate::extract::raw::Raw;
use crate::openapi::{Conflicting, Failing, Missing, Unproven};
use crate::problem::Problem;
use crate::types::callback::{Callback, CallbackTaken};

const MAX_BODY_BYTES: usize = 16 * 1024;
/// As in the call itself.
const TOKEN: HeaderName = HeaderName::from_static("muster-callback-token");

/// Says that what a step's call asked for is done, or has failed: once, with the token that the call brought, in
/// `Muster-Callback-Token` or as `Authorization: Bearer`. The same again is answered the same and changes nothing.
#[utoipa::path(
    post, path = "/api/executions/{id}/steps/{step}/callback", tag = "Deliveries", security(()),
    params(("id" = String, Path), ("step" = String, Path)),
    request_body(content = Callback, description = "At most 16 KiB of JSON, whatever its media type"),
    responses(
        (status = 200, description = "It is stored; the execution goes on", body = CallbackTaken),
        Unproven, Missing, Conflicting, Failing,
    ),
)]
pub(crate) async fn call_back(
    State(app): State<Arc<App>>,
    Named((id, step)): Named<(ExecutionId, StepId)>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Json<CallbackTaken>, Problem> {
    // First of all: what the body is like is for nobody else to find out.
    let proven = app.prove_callback(&id, &step, token(&headers)).await?;
    let said = json::parse::<Callback>(&body)?.said()?;
    Ok(Json(app.call_back(&proven, &said).await?.into()))
}

/// Of this route alone: an answer, and no payload.
pub(crate) fn body_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(MAX_BODY_BYTES)
}

/// The token in its own header, else the bearer token.
fn token(headers: &HeaderMap) -> Option<&str> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok();
    let bearer = || {
        let (scheme, token) = text(AUTHORIZATION)?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    };
    text(TOKEN).or_else(bearer)
}
