//! A table as a file, to move an installation between engines and machines.
//!
//! A file of JSON lines: a header, one line an item, and an end with the number of items and the SHA-256 digest of all
//! before it. An item's places in indexes and its time to live are not in the file: they follow from the record, and are
//! made again when it is stored. Versions are kept, so that nobody's `ETag` changes.
//! Architecture invariant: nothing of a file is stored before the whole file was read and every item decoded.

mod disk;
mod export;
mod file;
mod import;
mod line;
mod proof;

use async_trait::async_trait;
use muster_app::table::{Table, TableError};

pub use self::disk::{Begun, LoadError, SaveError, load, save};
pub use self::export::ExportError;
pub use self::file::{Contents, FileError};
pub use self::import::ImportError;
pub use self::proof::{Proof, Unproven};
use crate::items::{Item, RawItem};
use crate::keys::ItemKey;

/// The most items of one page of a scan.
pub const PAGE: usize = 500;

/// An engine that can be read and filled as a whole. Only for moving: the product has no use for either verb.
#[async_trait]
pub trait Portable: Table {
    /// At most `PAGE` items after `after`, in the engine's own order; an item written meanwhile may be missed.
    async fn scan(&self, after: Option<&ItemKey>) -> Result<Scanned, TableError>;

    /// Stores an item as it is, with its version, where nothing is.
    async fn restore(&self, item: Item) -> Result<Restored, TableError>;
}

/// One page of a scan.
#[derive(Debug)]
pub struct Scanned {
    pub items: Vec<RawItem>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<ItemKey>,
}

/// What became of an item that was to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    Stored,
    /// The very same was there: an import that is done again.
    Same,
    /// Something else is there, which is left alone.
    Different,
}

/// What became of an item whose place was taken.
pub(crate) fn compared(there: Option<&RawItem>, item: &Item) -> Restored {
    let same = there.is_some_and(|there| {
        let RawItem { key, kind, schema, version, data } = there;
        (key, kind.as_str(), *schema, *version, data)
            == (&item.key, item.kind.as_str(), item.schema, item.version, &item.data)
    });
    if same { Restored::Same } else { Restored::Different }
}
