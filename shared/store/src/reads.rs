//! Reads as the engines take them: checked once, so that both engines refuse the same.

use std::collections::{BTreeMap, BTreeSet};

use muster_app::table::{Key, Order, PageRequest, Query, Stored, TableError, TableErrorKind};

use crate::failure;
use crate::items::RawItem;
use crate::keys::ItemKey;
use crate::lists::Listing;

/// The most records of one batch and of one page.
pub(crate) const MAX_RECORDS: usize = 100;

/// One page as an engine reads it.
#[derive(Debug, Clone)]
pub(crate) struct PageRead {
    pub(crate) listing: Listing,
    pub(crate) order: Order,
    pub(crate) limit: usize,
    /// The item that the page before ended with, and its sort key in this list.
    pub(crate) after: Option<(ItemKey, String)>,
}

impl PageRead {
    pub(crate) fn of(query: &Query, page: &PageRequest) -> Result<Self, TableError> {
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        if limit == 0 || limit > MAX_RECORDS {
            return Err(invalid(format!("a page has 1 to {MAX_RECORDS} records, not {limit}")));
        }
        let listing = Listing::of(query);
        let end_of = |sort_key: &String| match listing.base_key(query, sort_key) {
            Some(key) => Ok((key, sort_key.clone())),
            None => Err(invalid(format!("no page of this list ends at {sort_key:?}"))),
        };
        let after = page.after.as_ref().map(end_of).transpose()?;
        Ok(Self { listing, order: page.order, limit, after })
    }

    /// How many rows to read: one more than asked tells whether another page follows.
    pub(crate) fn rows(&self) -> usize {
        self.limit + 1
    }
}

/// Keeps `limit` of `rows`, each with its sort key in the list; tells where the next page goes on. `more` says whether
/// rows follow that were not read.
pub(crate) fn cut<T>(rows: &mut Vec<(String, T)>, limit: usize, more: bool) -> Option<String> {
    let more = more || rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| more).map(|(sort_key, _)| sort_key.clone())
}

/// The records of a list. An item that cannot be read is reported and left out: it must not hide the others, nor stop
/// the sweeper. Whoever asks for that item alone gets the error.
pub(crate) fn records(items: impl IntoIterator<Item = Result<RawItem, TableError>>) -> Vec<Stored> {
    let decode = |item: Result<RawItem, TableError>| match item.and_then(RawItem::decode) {
        Ok(stored) => Some(stored),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "left an unreadable item out of a list"
            );
            None
        }
    };
    items.into_iter().filter_map(decode).collect()
}

/// The places of `keys`, each once.
pub(crate) fn item_keys(keys: &[Key]) -> Result<Vec<ItemKey>, TableError> {
    if keys.len() > MAX_RECORDS {
        return Err(invalid(format!(
            "{} records were asked for; at most {MAX_RECORDS} are read",
            keys.len()
        )));
    }
    let places: BTreeSet<ItemKey> = keys.iter().map(ItemKey::of).collect();
    Ok(places.into_iter().collect())
}

/// Records by their keys.
pub(crate) fn by_key(items: Vec<RawItem>) -> Result<BTreeMap<Key, Stored>, TableError> {
    let decoded = items.into_iter().map(|item| item.decode().map(|stored| (stored.record.key(), stored)));
    decoded.collect()
}

fn invalid(reason: String) -> TableError {
    failure("preparing a read", TableErrorKind::Invalid, reason)
}
