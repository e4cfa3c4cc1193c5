//! Reading rows, on one connection and within one snapshot.

use muster_app::table::Order;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::items::RawItem;
use crate::keys::ItemKey;
use crate::lists::Place;
use crate::reads::PageRead;

/// A connection to read from.
pub(super) struct Rows<'c> {
    connection: &'c Connection,
}

impl<'c> Rows<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self { connection }
    }

    pub(super) fn item(&self, key: &ItemKey) -> rusqlite::Result<Option<RawItem>> {
        const SQL: &str = "SELECT pk, sk, kind, schema, version, data FROM items WHERE pk = ?1 AND sk = ?2";
        let mut statement = self.connection.prepare_cached(SQL)?;
        statement.query_row(params![key.pk, key.sk], raw_item).optional()
    }

    /// The items that are there, of those asked for.
    pub(super) fn items(&self, keys: &[ItemKey]) -> rusqlite::Result<Vec<RawItem>> {
        keys.iter().filter_map(|key| self.item(key).transpose()).collect()
    }

    /// The items after `after`, in the order of their keys.
    pub(super) fn all(&self, after: Option<&ItemKey>, most: usize) -> rusqlite::Result<Vec<RawItem>> {
        const SQL: &str = "SELECT pk, sk, kind, schema, version, data FROM items WHERE (pk, sk) > (?1, ?2) \
                           ORDER BY pk, sk LIMIT ?3";
        // No key is empty, so this is before all.
        let (pk, sk) = after.map_or(("", ""), |key| (key.pk.as_str(), key.sk.as_str()));
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(SQL)?;
        statement.query_map(params![pk, sk, most], raw_item)?.collect()
    }

    /// Keys and versions of items whose time to live ended before `now`, in seconds; the oldest first.
    pub(super) fn expired(&self, now: i64, most: usize) -> rusqlite::Result<Vec<(ItemKey, u64)>> {
        const SQL: &str = "SELECT pk, sk, version FROM items WHERE ttl < ?1 ORDER BY ttl LIMIT ?2";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(SQL)?;
        let found = statement.query_map(params![now, most], |row| {
            Ok((ItemKey { pk: row.get(0)?, sk: row.get(1)? }, row.get(2)?))
        })?;
        found.collect()
    }

    /// The rows of one page and the one after it, each with its sort key in the list.
    pub(super) fn page(&self, read: &PageRead) -> rusqlite::Result<Vec<(String, RawItem)>> {
        let after = read.after.as_ref().map(|(_, sort_key)| sort_key.as_str());
        let listing = &read.listing;
        let (above, below) = match read.order {
            Order::Ascending => (after.unwrap_or(&listing.above), listing.below.as_str()),
            Order::Descending => (listing.above.as_str(), after.unwrap_or(&listing.below)),
        };
        let mut statement = self.connection.prepare_cached(&page_sql(listing.place, read.order))?;
        let rows = i64::try_from(read.rows()).unwrap_or(i64::MAX);
        let found = statement.query_map(params![listing.partition, above, below, rows], |row| {
            Ok((row.get(6)?, raw_item(row)?))
        })?;
        found.collect()
    }
}

fn raw_item(row: &Row<'_>) -> rusqlite::Result<RawItem> {
    Ok(RawItem {
        key: ItemKey { pk: row.get(0)?, sk: row.get(1)? },
        kind: row.get(2)?,
        schema: row.get(3)?,
        version: row.get(4)?,
        data: row.get(5)?,
    })
}

fn page_sql(place: Place, order: Order) -> String {
    let (pk, sk) = match place {
        Place::Table => ("pk", "sk"),
        Place::Index(index) => (index.pk_attribute(), index.sk_attribute()),
    };
    let direction = match order {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    };
    format!(
        "SELECT pk, sk, kind, schema, version, data, {sk} FROM items \
         WHERE {pk} = ?1 AND {sk} > ?2 AND {sk} < ?3 ORDER BY {sk} {direction} LIMIT ?4"
    )
}
