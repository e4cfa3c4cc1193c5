//! Which runbooks fit an incident.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use muster_app::App;
use muster_domain::ids::IncidentId;

use crate::extract::asked::Asked;
use crate::extract::named::Named;
use crate::openapi::{Missing, Reading};
use crate::problem::Problem;
use crate::types::applicability::{Ranking, RankingQuery};
use crate::types::page::paging;

/// Ranks the approved runbooks of the incident's team and of no team that the caller may read, by their rules and their history.
#[utoipa::path(
    get, path = "/api/incidents/{id}/runbooks", tag = "Incidents", params(("id" = String, Path), RankingQuery),
    responses((status = 200, description = "The runbooks that fit, the best first", body = Ranking), Reading, Missing),
)]
pub(crate) async fn list_applicable_runbooks(
    State(app): State<Arc<App>>,
    Named(id): Named<IncidentId>,
    Asked { caller, query }: Asked<RankingQuery>,
) -> Result<Json<Ranking>, Problem> {
    let limit = paging(query.limit, None).limit;
    Ok(Json(app.runbooks_for_incident(&caller, &id, limit).await?.into()))
}
