//! The table in one SQLite file, for one process: everything that is committed survives a crash of the machine.

mod failure;
mod group;
mod open;
mod portable;
pub mod probe;
mod readers;
mod rows;
mod writer;

use std::collections::BTreeMap;
use std::path::Path;

use async_trait::async_trait;
use muster_app::table::{
    CommitError, Expect, Key, Page, PageRequest, Query, Stored, Table, TableError, Write,
};
use muster_domain::time::Time;

pub use self::open::Settings;
use self::readers::Readers;
use self::rows::Rows;
use self::writer::Writer;
use crate::items::RawItem;
use crate::keys::ItemKey;
use crate::reads::{self, PageRead};
use crate::writes::{self, Batch, Change};

/// One writer thread that commits in groups, and reader threads beside it. Callers encode and decode; the threads only
/// move rows, for the writer is what bounds the whole process.
pub struct SqliteTable {
    // Dropped first, so that the writer's last checkpoint meets no reader.
    readers: Readers,
    writer: Writer,
}

impl SqliteTable {
    /// Opens the file at `path`, or makes it. Blocks. Refuses a file that a newer version of Muster wrote.
    ///
    /// One process at a time: the caller holds a lock on the data directory.
    pub fn open(path: &Path) -> Result<Self, TableError> {
        Self::open_with(path, Settings::default())
    }

    /// As `open`, with chosen settings.
    pub fn open_with(path: &Path, settings: Settings) -> Result<Self, TableError> {
        let writer = Writer::start(open::writer(path, settings)?)?;
        let readers = Readers::start(path)?;
        Ok(Self { readers, writer })
    }

    /// Drops at most 100 items whose time to live has ended at `now`, as DynamoDB does by itself; tells how many.
    /// An item that is being replaced at the same moment is left for the next call.
    pub async fn drop_expired(&self, now: Time) -> Result<usize, TableError> {
        let seconds = now.millis() / 1_000;
        let read = move |rows: &Rows<'_>| rows.expired(seconds, writes::MAX_WRITES);
        let expired = self.readers.read("looking for expired records", read).await?;
        let delete = |(key, version)| Change::Delete { key, expect: Expect::Version(version) };
        let changes: Vec<Change> = expired.into_iter().map(delete).collect();
        let count = changes.len();
        if count == 0 {
            return Ok(0);
        }
        let verdict = self.writer.commit(changes).await?;
        Ok(verdict.map_or(0, |()| count))
    }

    /// Ends the threads when all that was asked is done, and moves the write-ahead log into the file. Blocks.
    pub fn close(self) -> Result<(), TableError> {
        let Self { readers, writer } = self;
        drop(readers);
        writer.close()
    }
}

#[async_trait]
impl Table for SqliteTable {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, TableError> {
        let place = ItemKey::of(key);
        let item = self.readers.read("reading a record", move |rows| rows.item(&place)).await?;
        item.map(RawItem::decode).transpose()
    }

    async fn batch_get(&self, keys: &[Key]) -> Result<BTreeMap<Key, Stored>, TableError> {
        let places = reads::item_keys(keys)?;
        let items = self.readers.read("reading records", move |rows| rows.items(&places)).await?;
        reads::by_key(items)
    }

    async fn query(&self, query: &Query, page: &PageRequest) -> Result<Page, TableError> {
        let read = PageRead::of(query, page)?;
        let limit = read.limit;
        let mut rows = self.readers.read("reading a list", move |rows| rows.page(&read)).await?;
        let next = reads::cut(&mut rows, limit, false);
        let records = reads::records(rows.into_iter().map(|(_, item)| Ok(item)));
        Ok(Page { records, next })
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        let Batch { keys, changes } = Batch::of(&writes)?;
        match self.writer.commit(changes).await? {
            Ok(()) => Ok(()),
            Err(positions) => Err(CommitError::Conflict { keys: writes::keys_at(keys, &positions) }),
        }
    }
}
