//! Why events did or did not start workflows.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use muster_app::App;
use muster_domain::ids::IncidentId;

use super::versions::PageQuery;
use crate::extract::asked::Asked;
use crate::extract::named::Named;
use crate::openapi::{Missing, Reading};
use crate::problem::Problem;
use crate::types::page::{Page, paging};
use crate::types::why::MatchDecision;

/// Lists what was decided for each event of an incident and each workflow that was asked, the newest event first. Decisions are
/// kept for 30 days.
#[utoipa::path(
    get, path = "/api/incidents/{id}/decisions", tag = "Incidents", params(("id" = String, Path), PageQuery),
    responses((status = 200, description = "A page of decisions", body = Page<MatchDecision>), Reading, Missing),
)]
pub(crate) async fn list_incident_decisions(
    State(app): State<Arc<App>>,
    Named(id): Named<IncidentId>,
    Asked { caller, query }: Asked<PageQuery>,
) -> Result<Json<Page<MatchDecision>>, Problem> {
    let list = app.decisions_of_incident(&caller, &id, &paging(query.limit, query.cursor)).await?;
    Ok(Json(Page::of(list, MatchDecision::from)))
}
