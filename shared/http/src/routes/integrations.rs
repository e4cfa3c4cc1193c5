//! Integrations: create, list, read, change, delete.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse};
use http::StatusCode;
use http::header::{ETAG, LOCATION};
use muster_app::App;
use muster_app::integrations::IntegrationDetail;
use muster_domain::ids::IntegrationId;

use super::idempotency::IdempotencyHeader;
use crate::extract::asked::Asked;
use crate::extract::if_match::{IfMatch, etag};
use crate::extract::named::Named;
use crate::extract::sent::Sent;
use crate::openapi::{Missing, Reading, Sending, StaleEdit};
use crate::problem::Problem;
use crate::types::integration::{Integration, NewIntegration};
use crate::types::page::{Page, TeamQuery, paging};

/// Creates an integration: an address at which one sender reports.
#[utoipa::path(
    post, path = "/api/integrations", tag = "Integrations", request_body = NewIntegration, params(IdempotencyHeader),
    responses(
        (status = 201, description = "The new integration", body = Integration, headers(("Location" = String), ("ETag" = String))),
        Sending,
    ),
)]
pub(crate) async fn create_integration(
    State(app): State<Arc<App>>,
    Sent { caller, body }: Sent<NewIntegration>,
) -> Result<impl IntoResponse, Problem> {
    let detail = app.create_integration(&caller, body.into()).await?;
    let location = format!("/api/integrations/{}", detail.integration.id);
    Ok((StatusCode::CREATED, AppendHeaders([(LOCATION, location)]), show(detail)))
}

/// Lists integrations that the caller may read, newest first.
#[utoipa::path(
    get, path = "/api/integrations", tag = "Integrations", params(TeamQuery),
    responses((status = 200, description = "A page of integrations", body = Page<Integration>), Reading),
)]
pub(crate) async fn list_integrations(
    State(app): State<Arc<App>>,
    Asked { caller, query }: Asked<TeamQuery>,
) -> Result<Json<Page<Integration>>, Problem> {
    let list = app.integrations(&caller, query.team_id, &paging(query.limit, query.cursor)).await?;
    Ok(Json(Page::of(list, Integration::from)))
}

/// Reads an integration.
#[utoipa::path(
    get, path = "/api/integrations/{id}", tag = "Integrations", params(("id" = String, Path)),
    responses(
        (status = 200, description = "The integration", body = Integration, headers(("ETag" = String))),
        Reading, Missing,
    ),
)]
pub(crate) async fn read_integration(
    State(app): State<Arc<App>>,
    Named(id): Named<IntegrationId>,
    Asked { caller, .. }: Asked,
) -> Result<impl IntoResponse, Problem> {
    Ok(show(app.integration(&caller, &id).await?))
}

/// Changes an integration: the body takes the place of what was given before. Its team stays.
#[utoipa::path(
    put, path = "/api/integrations/{id}", tag = "Integrations", request_body = NewIntegration,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "The ETag of what was read")),
    responses(
        (status = 200, description = "The integration", body = Integration, headers(("ETag" = String))),
        Sending, Missing, StaleEdit,
    ),
)]
pub(crate) async fn change_integration(
    State(app): State<Arc<App>>,
    Named(id): Named<IntegrationId>,
    IfMatch(revision): IfMatch,
    Sent { caller, body }: Sent<NewIntegration>,
) -> Result<impl IntoResponse, Problem> {
    Ok(show(app.update_integration(&caller, &id, body.into(), revision).await?))
}

/// Deletes an integration: its address answers no more. Its incidents and its audit log stay.
#[utoipa::path(
    delete, path = "/api/integrations/{id}", tag = "Integrations",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "The ETag of what was read")),
    responses((status = 204, description = "It is deleted"), Reading, Missing, StaleEdit),
)]
pub(crate) async fn delete_integration(
    State(app): State<Arc<App>>,
    Named(id): Named<IntegrationId>,
    IfMatch(revision): IfMatch,
    Asked { caller, .. }: Asked,
) -> Result<StatusCode, Problem> {
    app.delete_integration(&caller, &id, revision).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An integration with the ETag that an edit names in `If-Match`.
fn show(detail: IntegrationDetail) -> impl IntoResponse {
    let etag = etag(detail.revision);
    (AppendHeaders([(ETAG, etag)]), Json(Integration::from(detail)))
}
