//! The bus of local mode, from outside: an event is put in as EventBridge would bring it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use muster_app::App;
use serde_json::Value;

use crate::extract::asked::Asked;
use crate::extract::raw::Raw;
use crate::openapi::{Reading, Undelivered};
use crate::problem::Problem;

/// Takes one event as the bus brings it. Only where one process does everything: in AWS, EventBridge brings them.
#[utoipa::path(
    post, path = "/api/events", tag = "Deliveries",
    request_body(content = Object, description = "An EventBridge envelope, at most 256 KiB"),
    responses((status = 202, description = "What became of it", body = Object), Undelivered, Reading),
)]
pub(crate) async fn receive_event(
    State(app): State<Arc<App>>,
    Asked { caller, .. }: Asked,
    Raw(body): Raw,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let received = app.inject_event(&caller, &body).await?;
    Ok((StatusCode::ACCEPTED, Json(serde_json::to_value(received).unwrap_or_default())))
}
