//! Incidents: open, list, read, change, escalate, and what happened to them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse};
use http::StatusCode;
use http::header::{ETAG, LOCATION};
use muster_app::App;
use muster_app::incidents::IncidentDetail;
use muster_domain::ids::IncidentId;

use super::idempotency::IdempotencyHeader;
use super::versions::PageQuery;
use crate::extract::asked::Asked;
use crate::extract::if_match::{IfMatch, etag};
use crate::extract::named::Named;
use crate::extract::sent::Sent;
use crate::openapi::{Conflicting, Missing, Reading, Sending, StaleEdit};
use crate::problem::Problem;
use crate::types::incident::{ChangeIncident, EscalateIncident, Incident, NewIncident};
use crate::types::incident_event::IncidentEvent;
use crate::types::page::{Page, TeamQuery, paging};

/// Of what was just created.
const FIRST_REVISION: u64 = 1;

/// Opens an incident.
#[utoipa::path(
    post, path = "/api/incidents", tag = "Incidents", request_body = NewIncident, params(IdempotencyHeader),
    responses(
        (status = 201, description = "The new incident", body = Incident, headers(("Location" = String), ("ETag" = String))),
        Sending,
    ),
)]
pub(crate) async fn create_incident(
    State(app): State<Arc<App>>,
    Sent { caller, body }: Sent<NewIncident>,
) -> Result<impl IntoResponse, Problem> {
    let incident = app.create_incident(&caller, body.into()).await?;
    let headers = [(LOCATION, format!("/api/incidents/{}", incident.id)), (ETAG, etag(FIRST_REVISION))];
    Ok((StatusCode::CREATED, AppendHeaders(headers), Json(Incident::from(incident))))
}

/// Lists incidents that the caller may read, newest first.
#[utoipa::path(
    get, path = "/api/incidents", tag = "Incidents", params(TeamQuery),
    responses((status = 200, description = "A page of incidents", body = Page<Incident>), Reading),
)]
pub(crate) async fn list_incidents(
    State(app): State<Arc<App>>,
    Asked { caller, query }: Asked<TeamQuery>,
) -> Result<Json<Page<Incident>>, Problem> {
    let list = app.incidents(&caller, query.team_id, &paging(query.limit, query.cursor)).await?;
    Ok(Json(Page::of(list, Incident::listed)))
}

/// Reads an incident.
#[utoipa::path(
    get, path = "/api/incidents/{id}", tag = "Incidents", params(("id" = String, Path)),
    responses((status = 200, description = "The incident", body = Incident, headers(("ETag" = String))), Reading, Missing),
)]
pub(crate) async fn read_incident(
    State(app): State<Arc<App>>,
    Named(id): Named<IncidentId>,
    Asked { caller, .. }: Asked,
) -> Result<impl IntoResponse, Problem> {
    Ok(show(app.incident_detail(&caller, &id).await?))
}

/// Changes an incident; every change starts the workflows that wait for it. A patch that would change nothing is done
/// already. CLOSED is final.
#[utoipa::path(
    patch, path = "/api/incidents/{id}", tag = "Incidents", request_body = ChangeIncident,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "The ETag of what was read")),
    responses(
        (status = 200, description = "The incident after the change", body = Incident, headers(("ETag" = String))),
        Sending, Missing, Conflicting, StaleEdit,
    ),
)]
pub(crate) async fn change_incident(
    State(app): State<Arc<App>>,
    Named(id): Named<IncidentId>,
    IfMatch(revision): IfMatch,
    Sent { caller, body }: Sent<ChangeIncident>,
) -> Result<impl IntoResponse, Problem> {
    Ok(show(app.change_incident(&caller, &id, body.into(), revision).await?))
}

/// Raises an incident by one level.
#[utoipa::path(
    post, path = "/api/incidents/{id}/escalate", tag = "Incidents", request_body = EscalateIncident,
    params(
        ("id" = String, Path), IdempotencyHeader,
        ("If-Match" = Option<String>, Header, description = "The ETag of what was read"),
    ),
    responses(
        (status = 200, description = "The incident after the escalation", body = Incident, headers(("ETag" = String))),
        Sending, Missing, Conflicting, StaleEdit,
    ),
)]
pub(crate) async fn escalate_incident(
    State(app): State<Arc<App>>,
    Named(id): Named<IncidentId>,
    IfMatch(revision): IfMatch,
    Sent { caller, body }: Sent<EscalateIncident>,
) -> Result<impl IntoResponse, Problem> {
    Ok(show(app.escalate_incident(&caller, &id, body.into(), revision).await?))
}

/// Lists the events of an incident, newest first.
#[utoipa::path(
    get, path = "/api/incidents/{id}/events", tag = "Incidents", params(("id" = String, Path), PageQuery),
    responses((status = 200, description = "A page of events", body = Page<IncidentEvent>), Reading, Missing),
)]
pub(crate) async fn list_incident_events(
    State(app): State<Arc<App>>,
    Named(id): Named<IncidentId>,
    Asked { caller, query }: Asked<PageQuery>,
) -> Result<Json<Page<IncidentEvent>>, Problem> {
    let list = app.events_of_incident(&caller, &id, &paging(query.limit, query.cursor)).await?;
    Ok(Json(Page::of(list, IncidentEvent::from)))
}

/// An incident with the ETag that an edit names in `If-Match`.
fn show(detail: IncidentDetail) -> impl IntoResponse {
    let etag = etag(detail.revision);
    (AppendHeaders([(ETAG, etag)]), Json(Incident::from(detail.incident)))
}
