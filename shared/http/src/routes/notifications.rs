//! Who was told of an execution's failures.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use muster_app::App;
use muster_domain::ids::ExecutionId;

use crate::extract::asked::Asked;
use crate::extract::named::Named;
use crate::openapi::{Missing, Reading};
use crate::problem::Problem;
use crate::types::notification::{Notification, Notifications};

/// Lists who was, and is still to be, told that a workflow's execution failed, ran out of time or waits for a person; oldest first.
#[utoipa::path(
    get, path = "/api/executions/{id}/notifications", tag = "Executions", params(("id" = String, Path)),
    responses((status = 200, description = "One entry for each failure", body = Notifications), Reading, Missing),
)]
pub(crate) async fn list_notifications(
    State(app): State<Arc<App>>,
    Named(id): Named<ExecutionId>,
    Asked { caller, .. }: Asked,
) -> Result<Json<Notifications>, Problem> {
    let notifications = app.notifications_of_execution(&caller, &id).await?;
    Ok(Json(Notifications { items: notifications.into_iter().map(Notification::from).collect() }))
}
