//! Incidents: open, list, read.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse};
use http::StatusCode;
use http::header::LOCATION;
use muster_app::App;
use muster_domain::ids::{IncidentId, TeamId};
use serde::Deserialize;

use super::idempotency::IdempotencyHeader;
use crate::extract::asked::Asked;
use crate::extract::named::Named;
use crate::extract::sent::Sent;
use crate::openapi::{Missing, Reading, Sending};
use crate::problem::Problem;
use crate::types::incident::{Incident, NewIncident};
use crate::types::page::{Limit, Page, paging};

/// Opens an incident.
#[utoipa::path(
    post, path = "/api/incidents", tag = "Incidents", request_body = NewIncident, params(IdempotencyHeader),
    responses((status = 201, description = "The new incident", body = Incident, headers(("Location" = String))), Sending),
)]
pub(crate) async fn create_incident(
    State(app): State<Arc<App>>,
    Sent { caller, body }: Sent<NewIncident>,
) -> Result<impl IntoResponse, Problem> {
    let incident = app.create_incident(&caller, body.into()).await?;
    let location = format!("/api/incidents/{}", incident.id);
    Ok((StatusCode::CREATED, AppendHeaders([(LOCATION, location)]), Json(Incident::from(incident))))
}

/// Lists incidents that the caller may read, newest first.
#[utoipa::path(
    get, path = "/api/incidents", tag = "Incidents", params(IncidentQuery),
    responses((status = 200, description = "A page of incidents", body = Page<Incident>), Reading),
)]
pub(crate) async fn list_incidents(
    State(app): State<Arc<App>>,
    Asked { caller, query }: Asked<IncidentQuery>,
) -> Result<Json<Page<Incident>>, Problem> {
    let list = app.incidents(&caller, query.team_id, &paging(query.limit, query.cursor)).await?;
    Ok(Json(Page::of(list, Incident::from)))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct IncidentQuery {
    /// Only this team's; the caller must be able to read them.
    #[param(value_type = Option<String>)]
    team_id: Option<TeamId>,
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Option<Limit>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Reads an incident.
#[utoipa::path(
    get, path = "/api/incidents/{id}", tag = "Incidents", params(("id" = String, Path)),
    responses((status = 200, description = "The incident", body = Incident), Reading, Missing),
)]
pub(crate) async fn read_incident(
    State(app): State<Arc<App>>,
    Named(id): Named<IncidentId>,
    Asked { caller, .. }: Asked,
) -> Result<Json<Incident>, Problem> {
    Ok(Json(app.incident(&caller, &id).await?.into()))
}
