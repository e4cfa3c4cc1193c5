//! Who is whom: by which other names a person is known.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse};
use http::StatusCode;
use http::header::ETAG;
use muster_app::App;
use muster_app::people::PersonDetail;
use muster_domain::ids::UserId;

use crate::extract::asked::Asked;
use crate::extract::if_match::{IfMatch, etag};
use crate::extract::named::Named;
use crate::extract::sent::Sent;
use crate::openapi::{Conflicting, Missing, Reading, Sending, StaleEdit};
use crate::problem::Problem;
use crate::types::person::{LinkPerson, LinkedPerson};

/// Reads by which other names a person is known; whoever nobody linked to another name is not found.
#[utoipa::path(
    get, path = "/api/people/{user}", tag = "People", params(("user" = String, Path)),
    responses(
        (status = 200, description = "The person", body = LinkedPerson, headers(("ETag" = String))),
        Reading, Missing,
    ),
)]
pub(crate) async fn read_person(
    State(app): State<Arc<App>>,
    Named(id): Named<UserId>,
    Asked { caller, .. }: Asked,
) -> Result<impl IntoResponse, Problem> {
    Ok(show(app.person(&caller, &id).await?))
}

/// Says by which other names a person is known, all of them: by none of these do they decide about their own work, or twice.
#[utoipa::path(
    put, path = "/api/people/{user}", tag = "People", request_body = LinkPerson,
    params(
        ("user" = String, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag of what was read"),
    ),
    responses(
        (status = 200, description = "The person", body = LinkedPerson, headers(("ETag" = String))),
        Sending, Missing, Conflicting, StaleEdit,
    ),
)]
pub(crate) async fn set_person(
    State(app): State<Arc<App>>,
    Named(id): Named<UserId>,
    IfMatch(revision): IfMatch,
    Sent { caller, body }: Sent<LinkPerson>,
) -> Result<impl IntoResponse, Problem> {
    Ok(show(app.set_person(&caller, &id, &body.into(), revision).await?))
}

/// Makes every name of theirs a person of its own again. The audit log stays.
#[utoipa::path(
    delete, path = "/api/people/{user}", tag = "People",
    params(
        ("user" = String, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag of what was read"),
    ),
    responses((status = 204, description = "No name is linked to it"), Reading, Missing, StaleEdit),
)]
pub(crate) async fn unlink_person(
    State(app): State<Arc<App>>,
    Named(id): Named<UserId>,
    IfMatch(revision): IfMatch,
    Asked { caller, .. }: Asked,
) -> Result<StatusCode, Problem> {
    app.unlink_person(&caller, &id, revision).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A person with the ETag that an edit names in `If-Match`.
fn show(detail: PersonDetail) -> impl IntoResponse {
    let etag = etag(detail.revision);
    (AppendHeaders([(ETAG, etag)]), Json(LinkedPerson::from(detail)))
}
