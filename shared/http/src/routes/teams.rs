//! A team's settings: read, set.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse};
use http::header::ETAG;
use muster_app::App;
use muster_domain::ids::TeamId;

use crate::extract::asked::Asked;
use crate::extract::if_match::{IfMatch, etag};
use crate::extract::named::Named;
use crate::extract::sent::Sent;
use crate::openapi::{Missing, Reading, Sending, StaleEdit};
use crate::problem::Problem;
use crate::types::team::{NewTeamSettings, TeamSettings};

/// Reads how a team's people and channels are told of failures. A team that nobody has set anything for has no settings, and no ETag.
#[utoipa::path(
    get, path = "/api/teams/{id}/settings", tag = "Teams", params(("id" = String, Path)),
    responses(
        (status = 200, description = "The settings", body = TeamSettings, headers(("ETag" = String))),
        Reading, Missing,
    ),
)]
pub(crate) async fn read_team_settings(
    State(app): State<Arc<App>>,
    Named(id): Named<TeamId>,
    Asked { caller, .. }: Asked,
) -> Result<impl IntoResponse, Problem> {
    let stored = app.team_settings(&caller, &id).await?;
    let tag = stored.as_ref().map(|detail| [(ETAG, etag(detail.revision))]).map(AppendHeaders);
    let settings = stored.map_or_else(|| TeamSettings::never_set(id), |detail| detail.team.into());
    Ok((tag, Json(settings)))
}

/// Sets them: the body takes the place of what was set before. Secrets are names of stored secrets, never values.
#[utoipa::path(
    put, path = "/api/teams/{id}/settings", tag = "Teams", request_body = NewTeamSettings,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "The ETag of what was read")),
    responses(
        (status = 200, description = "The settings", body = TeamSettings, headers(("ETag" = String))),
        Sending, Missing, StaleEdit,
    ),
)]
pub(crate) async fn set_team_settings(
    State(app): State<Arc<App>>,
    Named(id): Named<TeamId>,
    IfMatch(revision): IfMatch,
    Sent { caller, body }: Sent<NewTeamSettings>,
) -> Result<impl IntoResponse, Problem> {
    let detail = app.set_team_settings(&caller, &id, body.into(), revision).await?;
    let tag = AppendHeaders([(ETAG, etag(detail.revision))]);
    Ok((tag, Json(TeamSettings::from(detail.team))))
}
