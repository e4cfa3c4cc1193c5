//! Broken glass: break it, list, revoke, review.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use muster_app::App;
use muster_domain::ids::BreakGlassId;

use super::idempotency::IdempotencyHeader;
use crate::extract::asked::Asked;
use crate::extract::named::Named;
use crate::extract::sent::Sent;
use crate::openapi::{Conflicting, Missing, Reading, Sending};
use crate::problem::Problem;
use crate::types::break_glass::{BreakGlass, GlassQuery, ReviewGlass, RevokeGlass, StartBreakGlass};
use crate::types::page::Page;

/// Breaks the glass: for a short time, changes of a scope begin in spite of freezes. Another platform admin reviews it.
#[utoipa::path(
    post, path = "/api/break-glass", tag = "Change freezes", request_body = StartBreakGlass,
    params(IdempotencyHeader),
    responses((status = 201, description = "It is in force", body = BreakGlass), Sending, Conflicting),
)]
pub(crate) async fn start_break_glass(
    State(app): State<Arc<App>>,
    Sent { caller, body }: Sent<StartBreakGlass>,
) -> Result<impl IntoResponse, Problem> {
    let glass = app.break_glass(&caller, &body.into()).await?;
    Ok((StatusCode::CREATED, Json(BreakGlass::from(glass))))
}

/// Lists who broke the glass and why, the newest first; the last 50 are on one page, and none is dropped before its review.
#[utoipa::path(
    get, path = "/api/break-glass", tag = "Change freezes", params(GlassQuery),
    responses((status = 200, description = "What was broken", body = Page<BreakGlass>), Reading),
)]
pub(crate) async fn list_break_glass(
    State(app): State<Arc<App>>,
    Asked { caller, query }: Asked<GlassQuery>,
) -> Result<Json<Page<BreakGlass>>, Problem> {
    let glasses = app.broken_glass(&caller, query.which()).await?;
    Ok(Json(Page { items: glasses.into_iter().map(BreakGlass::from).collect(), next_cursor: None }))
}

/// Ends a break-glass before its time. What has begun by it goes on.
#[utoipa::path(
    post, path = "/api/break-glass/{id}/revoke", tag = "Change freezes", request_body = RevokeGlass,
    params(("id" = String, Path), IdempotencyHeader),
    responses((status = 200, description = "It is over", body = BreakGlass), Sending, Missing, Conflicting),
)]
pub(crate) async fn revoke_break_glass(
    State(app): State<Arc<App>>,
    Named(id): Named<BreakGlassId>,
    Sent { caller, body: RevokeGlass {} }: Sent<RevokeGlass>,
) -> Result<Json<BreakGlass>, Problem> {
    Ok(Json(app.revoke_glass(&caller, &id).await?.into()))
}

/// Notes what another platform admin found of a break-glass that is over. Whoever broke it is refused, by whatever name.
#[utoipa::path(
    post, path = "/api/break-glass/{id}/review", tag = "Change freezes", request_body = ReviewGlass,
    params(("id" = String, Path), IdempotencyHeader),
    responses((status = 200, description = "It is reviewed", body = BreakGlass), Sending, Missing, Conflicting),
)]
pub(crate) async fn review_break_glass(
    State(app): State<Arc<App>>,
    Named(id): Named<BreakGlassId>,
    Sent { caller, body }: Sent<ReviewGlass>,
) -> Result<Json<BreakGlass>, Problem> {
    Ok(Json(app.review_glass(&caller, &id, &body.note).await?.into()))
}
