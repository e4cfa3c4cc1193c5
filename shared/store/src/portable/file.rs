//! Reading a file: whole, in order, and not believing it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Read as _};

use muster_app::audit;
use muster_app::table::TableError;
use muster_domain::audit::Resource;
use muster_domain::digest::Digest;
use sha2::{Digest as _, Sha256};

use super::line::{End, EndLine, FORMAT, Header, ItemLine, VERSION};
use crate::items::{Item, MAX_DATA_BYTES, RawItem};

/// The longest line: the largest item with its key and names.
const MAX_LINE_BYTES: usize = MAX_DATA_BYTES + 8 * 1024;

/// What a whole file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// How many items of each kind.
    pub kinds: BTreeMap<String, u64>,
    /// What has an audit chain.
    pub audited: BTreeSet<Resource>,
}

impl Contents {
    pub(super) fn items(&self) -> u64 {
        self.kinds.values().sum()
    }

    pub(super) fn count(&mut self, kind: &str) {
        *self.kinds.entry(kind.to_owned()).or_default() += 1;
    }
}

/// Why a file is not what an export wrote.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("reading line {line}")]
    Io { line: u64, source: io::Error },
    #[error("line {line} has more than {MAX_LINE_BYTES} bytes")]
    TooLong { line: u64 },
    #[error("line 1 is not the header of an export")]
    NoHeader,
    #[error("the file is of version {0} of the format, and this version of Muster reads only {VERSION}")]
    Version(u32),
    #[error("line {line} is neither an item nor the end")]
    Line { line: u64, source: serde_json::Error },
    #[error("line {line} holds no record of Muster")]
    Record { line: u64, source: TableError },
    #[error("line {line} follows the end")]
    AfterEnd { line: u64 },
    #[error("the file ends after line {line}, without the line that ends an export: it was cut short")]
    CutShort { line: u64 },
    #[error("the file has {found} items, and its end says {said}")]
    Count { found: u64, said: u64 },
    #[error("the file was changed: its digest is not the one that its end says")]
    Changed,
}

/// What a file holds, if it is whole and sound.
pub(super) fn read(file: impl BufRead) -> Result<Contents, FileError> {
    let mut items = Items::open(file)?;
    while items.next()?.is_some() {}
    Ok(items.contents)
}

/// The items of a file, one after the other. That the file is sound is known only after the last.
pub(super) struct Items<R> {
    lines: Lines<R>,
    contents: Contents,
    ended: bool,
}

impl<R: BufRead> Items<R> {
    pub(super) fn open(file: R) -> Result<Self, FileError> {
        let mut lines = Lines::new(file);
        header(&mut lines)?;
        Ok(Self { lines, contents: Contents::default(), ended: false })
    }

    /// At most `most` items; none after the last.
    pub(super) fn chunk(&mut self, most: usize) -> Result<Vec<Item>, FileError> {
        let mut chunk = Vec::with_capacity(most);
        while chunk.len() < most {
            match self.next()? {
                Some(item) => chunk.push(item),
                None => break,
            }
        }
        Ok(chunk)
    }

    fn next(&mut self) -> Result<Option<Item>, FileError> {
        if self.ended {
            return Ok(None);
        }
        let Some(bytes) = self.lines.next()? else {
            return Err(FileError::CutShort { line: self.lines.number });
        };
        if let Ok(EndLine { end }) = serde_json::from_slice(bytes) {
            self.end(&end)?;
            return Ok(None);
        }
        let raw = raw_item(bytes);
        let line = self.lines.number;
        self.item(raw.map_err(|source| FileError::Line { line, source })?, line).map(Some)
    }

    /// Counts an item, and makes it anew from the record that it holds.
    fn item(&mut self, raw: RawItem, line: u64) -> Result<Item, FileError> {
        self.contents.count(&raw.kind);
        let stored = raw.decode().map_err(|source| FileError::Record { line, source })?;
        self.contents.audited.extend(audit::resources_of(&stored.record));
        Item::of(&stored.record, stored.version).map_err(|source| FileError::Record { line, source })
    }

    fn end(&mut self, end: &End) -> Result<(), FileError> {
        let found = self.contents.items();
        if found != end.items {
            return Err(FileError::Count { found, said: end.items });
        }
        if self.lines.digest_before() != end.sha256 {
            return Err(FileError::Changed);
        }
        self.ended = true;
        match self.lines.next()? {
            None => Ok(()),
            Some(_) => Err(FileError::AfterEnd { line: self.lines.number }),
        }
    }
}

fn header(lines: &mut Lines<impl BufRead>) -> Result<(), FileError> {
    let Some(bytes) = lines.next()? else {
        return Err(FileError::CutShort { line: 0 });
    };
    match serde_json::from_slice(bytes) {
        Ok(Header { format, version: VERSION }) if format == FORMAT => Ok(()),
        Ok(Header { format, version }) if format == FORMAT => Err(FileError::Version(version)),
        Ok(_) | Err(_) => Err(FileError::NoHeader),
    }
}

pub(super) fn raw_item(bytes: &[u8]) -> serde_json::Result<RawItem> {
    serde_json::from_slice::<ItemLine>(bytes).map(ItemLine::into_item)
}

/// Lines of bounded length, with the digest of those that were read before the last.
pub(super) struct Lines<R> {
    file: R,
    /// The last line that was read.
    bytes: Vec<u8>,
    before: Sha256,
    pub(super) number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(file: R) -> Self {
        Self { file, bytes: Vec::new(), before: Sha256::new(), number: 0 }
    }

    /// The next line with its end; `None` after the last whole line.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, FileError> {
        let line = self.number + 1;
        self.before.update(&self.bytes);
        self.bytes.clear();
        let most = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX);
        let taken = (&mut self.file).take(most).read_until(b'\n', &mut self.bytes);
        let taken = taken.map_err(|source| FileError::Io { line, source })?;
        if self.bytes.last() != Some(&b'\n') {
            return if taken < MAX_LINE_BYTES { Ok(None) } else { Err(FileError::TooLong { line }) };
        }
        self.number = line;
        Ok(Some(&self.bytes))
    }

    /// Of every line before the last that was read.
    fn digest_before(&self) -> Digest {
        Digest::of_hasher(self.before.clone())
    }
}
