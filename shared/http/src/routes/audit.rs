//! The audit log: by team and day, and whole chains for their verification.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use muster_app::App;
use muster_domain::audit::Resource;
use muster_domain::ids::TeamId;
use serde::Deserialize;

use crate::extract::asked::Asked;
use crate::extract::named::Named;
use crate::openapi::{Conflicting, Missing, Reading};
use crate::problem::Problem;
use crate::types::audit::{AuditEntry, AuditExport};
use crate::types::page::{Limit, Page, paging};
use crate::types::search::Day;

/// Lists the audit entries of a team on one day, newest first.
#[utoipa::path(
    get, path = "/api/audit", tag = "Audit", params(DayQuery),
    responses((status = 200, description = "A page of entries", body = Page<AuditEntry>), Reading),
)]
pub(crate) async fn list_audit_entries(
    State(app): State<Arc<App>>,
    Asked { caller, query }: Asked<DayQuery>,
) -> Result<Json<Page<AuditEntry>>, Problem> {
    let paging = paging(query.limit, query.cursor);
    let list = app.audit_of_day(&caller, query.team_id, query.day.into(), &paging).await?;
    Ok(Json(Page::of(list, AuditEntry::from)))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DayQuery {
    /// Absent: the entries of no team.
    #[param(value_type = Option<String>)]
    team_id: Option<TeamId>,
    /// A day in UTC, as in `2026-03-01`.
    #[param(value_type = String, format = Date)]
    day: Day,
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Option<Limit>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Reads a resource's whole chain with all that is needed to verify it.
#[utoipa::path(
    get, path = "/api/audit/{resource}", tag = "Audit",
    params(("resource" = String, Path,
        description = "The id of a runbook, workflow, execution, incident or integration, `account:<id>`, or `control:<scope>` for a kill switch")),
    responses((status = 200, description = "The chain", body = AuditExport), Reading, Missing, Conflicting),
)]
pub(crate) async fn export_audit(
    State(app): State<Arc<App>>,
    Named(resource): Named<Resource>,
    Asked { caller, .. }: Asked,
) -> Result<Json<AuditExport>, Problem> {
    Ok(Json(app.audit_export(&caller, &resource).await?.into()))
}
