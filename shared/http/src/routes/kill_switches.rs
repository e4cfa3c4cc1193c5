//! Kill switches: read, engage, release.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use muster_app::App;
use muster_domain::control::Scope;

use crate::extract::asked::Asked;
use crate::extract::named::Named;
use crate::extract::sent::Sent;
use crate::openapi::{Missing, Reading, Sending};
use crate::problem::Problem;
use crate::types::kill_switch::{KillSwitch, SetKillSwitch};

/// Reads the kill switch of a scope. One that was never set is released.
#[utoipa::path(
    get, path = "/api/kill-switches/{scope}", tag = "Kill switches",
    params(("scope" = String, Path, description = "`global`, `team:<teamId>` or `runbook:<runbookId>`")),
    responses((status = 200, description = "The kill switch", body = KillSwitch), Reading, Missing),
)]
pub(crate) async fn read_kill_switch(
    State(app): State<Arc<App>>,
    Named(scope): Named<Scope>,
    Asked { caller, .. }: Asked,
) -> Result<Json<KillSwitch>, Problem> {
    Ok(Json(match app.kill_switch(&caller, &scope).await? {
        None => KillSwitch::never_set(scope),
        Some(switch) => (scope, switch).into(),
    }))
}

/// Engages or releases a kill switch. While it is engaged, nothing in its scope begins a new call.
#[utoipa::path(
    put, path = "/api/kill-switches/{scope}", tag = "Kill switches", request_body = SetKillSwitch,
    params(("scope" = String, Path, description = "`global`, `team:<teamId>` or `runbook:<runbookId>`")),
    responses((status = 200, description = "The kill switch", body = KillSwitch), Sending, Missing),
)]
pub(crate) async fn set_kill_switch(
    State(app): State<Arc<App>>,
    Named(scope): Named<Scope>,
    Sent { caller, body }: Sent<SetKillSwitch>,
) -> Result<Json<KillSwitch>, Problem> {
    let switch = app.set_kill_switch(&caller, &scope, &body.into()).await?;
    Ok(Json((scope, switch).into()))
}
