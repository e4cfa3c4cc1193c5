//! The work queue, in numbers.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use muster_app::App;

use crate::extract::asked::Asked;
use crate::openapi::Reading;
use crate::problem::Problem;
use crate::types::queue::QueueStats;

/// Reads approximate depths of the work queue.
#[utoipa::path(
    get, path = "/api/queue/stats", tag = "Queue",
    responses((status = 200, description = "The depths", body = QueueStats), Reading),
)]
pub(crate) async fn read_queue_stats(
    State(app): State<Arc<App>>,
    Asked { .. }: Asked,
) -> Result<Json<QueueStats>, Problem> {
    Ok(Json(app.queue_stats().await?.into()))
}
