//! Change freezes: list, set, remove.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use muster_app::App;
use muster_domain::freeze::FreezeScope;
use muster_domain::ids::FreezeId;

use super::idempotency::IdempotencyHeader;
use crate::extract::asked::Asked;
use crate::extract::named::Named;
use crate::extract::sent::Sent;
use crate::openapi::{Conflicting, Missing, Reading, Sending};
use crate::problem::Problem;
use crate::types::freeze::{Freeze, FreezeQuery, NewFreeze};
use crate::types::page::Page;

/// Lists the windows of change freezes: the global ones, and those of one team or of all teams that the caller is in. What ends
/// first comes first; what has ended is shown for 90 days. All of them are on one page.
#[utoipa::path(
    get, path = "/api/freezes", tag = "Change freezes", params(FreezeQuery),
    responses((status = 200, description = "The windows", body = Page<Freeze>), Reading),
)]
pub(crate) async fn list_freezes(
    State(app): State<Arc<App>>,
    Asked { caller, query }: Asked<FreezeQuery>,
) -> Result<Json<Page<Freeze>>, Problem> {
    let windows = app.freezes(&caller, query.team_id).await?;
    Ok(Json(Page { items: windows.into_iter().map(Freeze::from).collect(), next_cursor: None }))
}

/// Freezes the changes of a scope for a time: no run that would change something begins. What has begun goes on.
#[utoipa::path(
    post, path = "/api/freezes/{scope}", tag = "Change freezes", request_body = NewFreeze,
    params(("scope" = String, Path, description = "`global` or `team:<teamId>`"), IdempotencyHeader),
    responses((status = 201, description = "The window", body = Freeze), Sending, Missing, Conflicting),
)]
pub(crate) async fn add_freeze(
    State(app): State<Arc<App>>,
    Named(scope): Named<FreezeScope>,
    Sent { caller, body }: Sent<NewFreeze>,
) -> Result<impl IntoResponse, Problem> {
    let window = app.add_freeze(&caller, &scope, &body.into()).await?;
    Ok((StatusCode::CREATED, Json(Freeze::from(window))))
}

/// Removes a window, whether it has begun or not. The audit log keeps it.
#[utoipa::path(
    delete, path = "/api/freezes/{scope}/{freezeId}", tag = "Change freezes",
    params(
        ("scope" = String, Path, description = "`global` or `team:<teamId>`"),
        ("freezeId" = String, Path),
    ),
    responses((status = 204, description = "It freezes nothing any more"), Reading, Missing),
)]
pub(crate) async fn remove_freeze(
    State(app): State<Arc<App>>,
    Named((scope, id)): Named<(FreezeScope, FreezeId)>,
    Asked { caller, .. }: Asked,
) -> Result<StatusCode, Problem> {
    app.remove_freeze(&caller, &scope, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
