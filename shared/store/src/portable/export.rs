//! Writing a table to a file, and going on with a file that was cut short.

use std::io::{self, BufRead, Write};

use muster_app::table::TableError;
use muster_domain::digest::Digest;
use sha2::{Digest as _, Sha256};

use super::Portable;
use super::file::{FileError, Lines, raw_item};
use super::line::{End, EndLine, FORMAT, Header, ItemLine, VERSION, line};
use crate::items::RawItem;
use crate::keys::ItemKey;

/// Why an export stopped. What it wrote can be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("reading the table")]
    Table(#[from] TableError),
    #[error("writing the file")]
    File(#[from] io::Error),
    #[error("the item {pk} / {sk} holds no JSON: the table is damaged")]
    Data {
        pk: String,
        sk: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("writing a line")]
    Line(#[from] serde_json::Error),
}

/// How far a file has come.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    /// The length of what is whole; the file is cut here before more is written.
    pub(super) bytes: u64,
    pub(super) items: u64,
    /// The file has its end: nothing is left to do.
    pub(super) finished: bool,
    last: Option<ItemKey>,
    written: Sha256,
}

impl Progress {
    /// Of a file that is still empty.
    pub(super) fn none() -> Self {
        Self { bytes: 0, items: 0, finished: false, last: None, written: Sha256::new() }
    }

    fn wrote(&mut self, bytes: &[u8]) {
        self.written.update(bytes);
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }
}

/// How far an earlier export came. A last line that was cut is not counted.
pub(super) fn progress(file: impl BufRead) -> Result<Progress, FileError> {
    let (mut lines, mut progress) = (Lines::new(file), Progress::none());
    while let Some(bytes) = lines.next()? {
        let number = progress_line(bytes, &mut progress);
        number.map_err(|source| FileError::Line { line: lines.number, source })?;
    }
    Ok(progress)
}

fn progress_line(bytes: &[u8], progress: &mut Progress) -> serde_json::Result<()> {
    if progress.bytes == 0 {
        serde_json::from_slice::<Header>(bytes)?;
    } else if serde_json::from_slice::<EndLine>(bytes).is_ok() {
        progress.finished = true;
    } else {
        progress.last = Some(raw_item(bytes)?.key);
        progress.items += 1;
    }
    progress.wrote(bytes);
    Ok(())
}

/// Writes what the table holds after `progress`, and the end; tells how many items the file has. Whoever calls sees to it
/// that nothing writes to the table meanwhile.
pub(super) async fn export(
    table: &dyn Portable,
    file: &mut (dyn Write + Send),
    mut progress: Progress,
) -> Result<u64, ExportError> {
    if progress.bytes == 0 {
        let header = Header { format: FORMAT.to_owned(), version: VERSION };
        put(file, &line(&header)?, &mut progress)?;
    }
    let mut after = progress.last.clone();
    loop {
        let page = table.scan(after.as_ref()).await?;
        for item in page.items {
            put(file, &item_line(item)?, &mut progress)?;
            progress.items += 1;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let end = End { items: progress.items, sha256: Digest::of_hasher(progress.written.clone()) };
    put(file, &line(&EndLine { end })?, &mut progress)?;
    file.flush()?;
    Ok(progress.items)
}

fn item_line(item: RawItem) -> Result<Vec<u8>, ExportError> {
    let ItemKey { pk, sk } = item.key.clone();
    let item = ItemLine::of(item).map_err(|source| ExportError::Data { pk, sk, source })?;
    Ok(line(&item)?)
}

fn put(file: &mut (dyn Write + Send), bytes: &[u8], progress: &mut Progress) -> io::Result<()> {
    file.write_all(bytes)?;
    progress.wrote(bytes);
    Ok(())
}
