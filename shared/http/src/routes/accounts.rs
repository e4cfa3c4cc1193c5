//! AWS accounts and their teams: list, read, set, remove.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse};
use http::StatusCode;
use http::header::ETAG;
use muster_app::App;
use muster_app::accounts::AccountDetail;
use muster_domain::ids::AccountId;

use crate::extract::asked::Asked;
use crate::extract::if_match::{IfMatch, etag};
use crate::extract::named::Named;
use crate::extract::sent::Sent;
use crate::openapi::{Missing, Reading, Sending, StaleEdit};
use crate::problem::Problem;
use crate::types::account::{Account, SetAccount};
use crate::types::page::{Page, TeamQuery, paging};

/// Lists the AWS accounts whose team the caller may read, the greatest number first.
#[utoipa::path(
    get, path = "/api/accounts", tag = "Accounts", params(TeamQuery),
    responses((status = 200, description = "A page of accounts", body = Page<Account>), Reading),
)]
pub(crate) async fn list_accounts(
    State(app): State<Arc<App>>,
    Asked { caller, query }: Asked<TeamQuery>,
) -> Result<Json<Page<Account>>, Problem> {
    let list = app.accounts(&caller, query.team_id, &paging(query.limit, query.cursor)).await?;
    Ok(Json(Page::of(list, Account::from)))
}

/// Reads whose the alarms of an AWS account are.
#[utoipa::path(
    get, path = "/api/accounts/{accountId}", tag = "Accounts", params(("accountId" = String, Path, description = "12 digits")),
    responses(
        (status = 200, description = "The account", body = Account, headers(("ETag" = String))),
        Reading, Missing,
    ),
)]
pub(crate) async fn read_account(
    State(app): State<Arc<App>>,
    Named(id): Named<AccountId>,
    Asked { caller, .. }: Asked,
) -> Result<impl IntoResponse, Problem> {
    Ok(show(app.account(&caller, &id).await?))
}

/// Gives an AWS account to a team: what the bus brings of it is that team's from now on. Incidents that are there keep their
/// team.
#[utoipa::path(
    put, path = "/api/accounts/{accountId}", tag = "Accounts", request_body = SetAccount,
    params(
        ("accountId" = String, Path, description = "12 digits"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what was read"),
    ),
    responses(
        (status = 200, description = "The account", body = Account, headers(("ETag" = String))),
        Sending, Missing, StaleEdit,
    ),
)]
pub(crate) async fn set_account(
    State(app): State<Arc<App>>,
    Named(id): Named<AccountId>,
    IfMatch(revision): IfMatch,
    Sent { caller, body }: Sent<SetAccount>,
) -> Result<impl IntoResponse, Problem> {
    Ok(show(app.set_account(&caller, &id, &body.into(), revision).await?))
}

/// Takes an AWS account from its team: what the bus brings of it is of no team from now on. Its audit log stays.
#[utoipa::path(
    delete, path = "/api/accounts/{accountId}", tag = "Accounts",
    params(
        ("accountId" = String, Path, description = "12 digits"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what was read"),
    ),
    responses((status = 204, description = "It has no team"), Reading, Missing, StaleEdit),
)]
pub(crate) async fn remove_account(
    State(app): State<Arc<App>>,
    Named(id): Named<AccountId>,
    IfMatch(revision): IfMatch,
    Asked { caller, .. }: Asked,
) -> Result<StatusCode, Problem> {
    app.remove_account(&caller, &id, revision).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An account with the ETag that an edit names in `If-Match`.
fn show(detail: AccountDetail) -> impl IntoResponse {
    let etag = etag(detail.revision);
    (AppendHeaders([(ETAG, etag)]), Json(Account::from(detail)))
}
