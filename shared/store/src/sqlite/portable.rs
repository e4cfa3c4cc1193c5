//! The SQLite table as a whole, to be moved.

use async_trait::async_trait;
use muster_app::table::{Expect, TableError};

use super::SqliteTable;
use crate::items::Item;
use crate::keys::ItemKey;
use crate::portable::{self, PAGE, Portable, Restored, Scanned};
use crate::writes::Change;

#[async_trait]
impl Portable for SqliteTable {
    async fn scan(&self, after: Option<&ItemKey>) -> Result<Scanned, TableError> {
        let after = after.cloned();
        let read = move |rows: &super::Rows<'_>| rows.all(after.as_ref(), PAGE);
        let items = self.readers.read("scanning the table", read).await?;
        let next = items.last().filter(|_| items.len() == PAGE).map(|item| item.key.clone());
        Ok(Scanned { items, next })
    }

    async fn restore(&self, item: Item) -> Result<Restored, TableError> {
        let change = Change::Put { item: item.clone(), expect: Expect::Absent };
        if self.writer.commit(vec![change]).await?.is_ok() {
            return Ok(Restored::Stored);
        }
        let key = item.key.clone();
        let there = self.readers.read("reading a record", move |rows| rows.item(&key)).await?;
        Ok(portable::compared(there.as_ref(), &item))
    }
}
