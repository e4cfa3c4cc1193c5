//! Where senders deliver. There is no token: what proves the sender is the delivery itself, over its raw bytes.

use std::sync::Arc;

use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use http::{HeaderMap, StatusCode};
use muster_app::App;
use muster_domain::ids::IntegrationId;
use muster_domain::sources::MAX_BODY_BYTES;
use muster_domain::sources::verification::Headers;

use crate::extract::named::Named;
use crate::extract::raw::{Raw, pairs};
use crate::openapi::{Failing, Missing, Undelivered};
use crate::problem::Problem;
use crate::types::delivery::Delivered;

/// Takes a delivery of an integration, verified as the integration says, and once.
#[utoipa::path(
    post, path = "/api/hooks/{integrationId}", tag = "Deliveries", security(()),
    params(("integrationId" = String, Path)),
    request_body(content = Object, description = "As the source sends it, at most 256 KiB, of any media type"),
    responses(
        (status = 202, description = "What it says is stored", body = Delivered),
        Undelivered, Missing, Failing,
    ),
)]
pub(crate) async fn receive_delivery(
    State(app): State<Arc<App>>,
    Named(id): Named<IntegrationId>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<(StatusCode, Json<Delivered>), Problem> {
    let delivered = app.receive_delivery(&id, &Headers::new(&pairs(&headers)), &body).await?;
    Ok((StatusCode::ACCEPTED, Json(delivered.into())))
}

/// Of these routes alone: what EventBridge and SNS carry at most.
pub(crate) fn body_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(MAX_BODY_BYTES)
}
