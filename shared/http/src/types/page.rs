//! Pages of lists: how one is asked for, and how it is answered.

use muster_app::paging::{DEFAULT_LIMIT, List, MAX_LIMIT, Paging};
use muster_domain::ids::TeamId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Give it as `cursor`, with the same filters, for the next page; absent on the last one. A page may hold fewer items
    /// than its limit, or none, and still have a next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
}

impl<T> Page<T> {
    pub(crate) fn of<U>(list: List<U>, show: impl FnMut(U) -> T) -> Self {
        let items = list.items.into_iter().map(show).collect();
        Self { items, next_cursor: list.next }
    }
}

/// How many items a page may have, 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Limit(u32);

impl TryFrom<String> for Limit {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.parse() {
            Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(Self(limit)),
            Ok(_) | Err(_) => Err(format!("expected a number, 1 to {MAX_LIMIT}")),
        }
    }
}

/// Which page of a list that is asked for by team alone.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TeamQuery {
    /// Only this team's; the caller must be able to read them.
    #[param(value_type = Option<String>)]
    pub(crate) team_id: Option<TeamId>,
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    pub(crate) limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub(crate) cursor: Option<String>,
}

pub(crate) fn paging(limit: Option<Limit>, cursor: Option<String>) -> Paging {
    let limit = limit.map_or(DEFAULT_LIMIT, |limit| limit.0);
    Paging { limit, cursor }
}
