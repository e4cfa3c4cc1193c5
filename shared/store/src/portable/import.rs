//! Filling a table from a file.

use std::io::{self, BufRead};

use futures::stream::{self, TryStreamExt as _};
use muster_app::table::TableError;

use super::file::{self, Contents, FileError};
use super::{Portable, Restored};
use crate::items::Item;
use crate::keys::ItemKey;

/// Items on their way at once: enough for DynamoDB's latency and for SQLite's groups.
const AT_ONCE: usize = 64;

/// Items that are read before the first of them is stored.
const CHUNK: usize = 1_000;

/// Why an import stopped. What was stored stays, and doing it again goes on.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("opening the file")]
    Open(#[source] io::Error),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("writing the table")]
    Table(#[from] TableError),
    #[error("the table has something else at {pk} / {sk}: import into an empty one")]
    Different { pk: String, sk: String },
}

/// Whether a table holds anything yet.
pub(super) async fn is_empty(table: &dyn Portable) -> Result<bool, TableError> {
    let mut after = None;
    loop {
        let page = table.scan(after.as_ref()).await?;
        if !page.items.is_empty() {
            return Ok(false);
        }
        after = page.next;
        if after.is_none() {
            return Ok(true);
        }
    }
}

/// Which items a pass stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// What is owed nothing: definitions, decisions, records of what was.
    Settled,
    /// What is due: last, so that a sweeper that runs already finds all that its work needs.
    Owed,
}

impl Pass {
    fn takes(self, item: &Item) -> bool {
        (self == Self::Owed) == item.entries.due.is_some()
    }
}

/// Stores all that a file holds. `open` opens it anew for each pass; the first only reads, for nothing is stored of a
/// file that is not sound.
pub(super) async fn import<R: BufRead + Send>(
    table: &dyn Portable,
    open: impl Fn() -> io::Result<R>,
) -> Result<Contents, ImportError> {
    let open = || open().map_err(ImportError::Open);
    let contents = file::read(open()?)?;
    for pass in [Pass::Settled, Pass::Owed] {
        store(table, open()?, pass).await?;
    }
    Ok(contents)
}

async fn store(table: &dyn Portable, file: impl BufRead, pass: Pass) -> Result<(), ImportError> {
    let mut items = file::Items::open(file)?;
    loop {
        let chunk = items.chunk(CHUNK)?;
        if chunk.is_empty() {
            return Ok(());
        }
        let wanted = chunk.into_iter().filter(|item| pass.takes(item)).map(Ok);
        stream::iter(wanted).try_for_each_concurrent(AT_ONCE, |item| restore(table, item)).await?;
    }
}

async fn restore(table: &dyn Portable, item: Item) -> Result<(), ImportError> {
    let ItemKey { pk, sk } = item.key.clone();
    match table.restore(item).await? {
        Restored::Stored | Restored::Same => Ok(()),
        Restored::Different => Err(ImportError::Different { pk, sk }),
    }
}
