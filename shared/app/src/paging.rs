//! Cursors: opaque to clients, bound to their list, and unable to reach beyond it.
//!
//! The list a cursor goes on in is named by the request, which is authorised anew each time; the cursor holds only a
//! sort key within that list and a digest of which list it was. A forged one can at most skip entries of its own list.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use muster_domain::digest::Digest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::table::{Order, PageRequest, Query, Record, TableError, TableErrorKind};
use crate::{App, Error};

/// The greatest and the default number of entries of a page.
pub const MAX_LIMIT: u32 = 100;
pub const DEFAULT_LIMIT: u32 = 20;
/// The longest cursor that is read.
const MAX_CURSOR_BYTES: usize = 1_024;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct List<T> {
    pub items: Vec<T>,
    /// Give it as `cursor` to go on; absent on the last page.
    pub next: Option<String>,
}

/// Which page a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    pub limit: u32,
    pub cursor: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor {
    /// Digest of the list.
    l: String,
    /// The sort key to go on after.
    k: String,
}

/// Makes a cursor of a place in the list that `scope` describes, where a sort key does not name it.
pub(crate) fn cursor_of(scope: &impl Serialize, place: &impl Serialize) -> String {
    encode(scope, &serde_json::to_string(place).unwrap_or_default())
}

/// The place of a cursor of this list.
pub(crate) fn place_of<T: DeserializeOwned>(scope: &impl Serialize, cursor: &str) -> Result<T, Error> {
    let place = decode(scope, cursor)?;
    serde_json::from_str(&place).map_err(|_| Error::InvalidCursor)
}

/// Makes a cursor for the list that `scope` describes.
fn encode(scope: &impl Serialize, after: &str) -> String {
    let cursor = Cursor { l: list_digest(scope), k: after.to_owned() };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
}

/// The sort key of a cursor of this list.
fn decode(scope: &impl Serialize, cursor: &str) -> Result<String, Error> {
    if cursor.len() > MAX_CURSOR_BYTES {
        return Err(Error::InvalidCursor);
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| Error::InvalidCursor)?;
    let cursor: Cursor = serde_json::from_slice(&bytes).map_err(|_| Error::InvalidCursor)?;
    if cursor.l == list_digest(scope) { Ok(cursor.k) } else { Err(Error::InvalidCursor) }
}

fn list_digest(scope: &impl Serialize) -> String {
    let digest = Digest::of_json(&serde_json::to_value(scope).unwrap_or_default());
    digest.to_string().chars().take(16).collect()
}

/// The most pages of an index that one filtered list reads before it answers with a cursor.
const MAX_PAGES_READ: usize = 10;

impl App {
    /// Reads on until the page is full, a bound is reached, or the list ends.
    pub(crate) async fn filtered<T>(
        &self,
        scope: &impl Serialize,
        query: &Query,
        paging: &Paging,
        shows: impl Fn(Record) -> Option<T>,
    ) -> Result<List<T>, Error> {
        self.filtered_by((scope, query), Order::Descending, paging, shows).await
    }

    /// The same from the other end: what sorts first comes first.
    pub(crate) async fn first_first<T>(
        &self,
        scope: &impl Serialize,
        query: &Query,
        paging: &Paging,
        shows: impl Fn(Record) -> Option<T>,
    ) -> Result<List<T>, Error> {
        self.filtered_by((scope, query), Order::Ascending, paging, shows).await
    }

    async fn filtered_by<T>(
        &self,
        (scope, query): (&impl Serialize, &Query),
        order: Order,
        paging: &Paging,
        shows: impl Fn(Record) -> Option<T>,
    ) -> Result<List<T>, Error> {
        let mut after = match &paging.cursor {
            Some(cursor) => Some(decode(scope, cursor)?),
            None => None,
        };
        let wanted = usize::try_from(paging.limit).unwrap_or(usize::MAX);
        let mut items = Vec::new();
        for _ in 0..MAX_PAGES_READ {
            let limit = u32::try_from(wanted - items.len()).unwrap_or(paging.limit);
            let request = PageRequest { limit, order, after: after.take() };
            let page = self.table.query(query, &request).await;
            let page = page.map_err(|error| unreadable_cursor(error, paging))?;
            items.extend(page.records.into_iter().filter_map(|stored| shows(stored.record)));
            after = page.next;
            if items.len() >= wanted || after.is_none() {
                break;
            }
        }
        Ok(List { items, next: after.map(|key| encode(scope, &key)) })
    }
}

/// A sort key that no list has can only have come with a cursor.
fn unreadable_cursor(error: TableError, paging: &Paging) -> Error {
    match error.kind {
        TableErrorKind::Invalid if paging.cursor.is_some() => Error::InvalidCursor,
        TableErrorKind::Invalid
        | TableErrorKind::Unavailable
        | TableErrorKind::Full
        | TableErrorKind::Corrupt => Error::Table(error),
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_goes_on_in_its_own_list_and_in_no_other() {
        let cursor = encode(&"list a", "key");
        assert_eq!(decode(&"list a", &cursor).ok().as_deref(), Some("key"));
        assert!(decode(&"list b", &cursor).is_err());
        for forged in ["", "x", "e30", &"A".repeat(2_000)] {
            assert!(decode(&"list a", forged).is_err(), "{forged}");
        }
    }
}
