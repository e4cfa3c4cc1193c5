//! Files of exports on a disk.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use muster_app::table::TableError;

use super::Portable;
use super::export::{ExportError, Progress, export, progress};
use super::file::FileError;
use super::import::{ImportError, import, is_empty};
use super::proof::{Proof, Unproven, prove};

/// An export holds incidents, requests and answers: for its owner alone.
const MODE: u32 = 0o600;

/// Whether something of the same was done before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// No: what is there already is in the way.
    No,
    /// Yes, and cut short: what is there is gone on with.
    Yes,
}

/// Why an export is not there.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error("{path} is there already: choose another name, or go on with --resume if it was cut short")]
    Exists { path: String },
    #[error("opening {path}")]
    Open { path: String, source: io::Error },
    #[error("{path} is not the beginning of an export")]
    Foreign { path: String, source: FileError },
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error("writing {path} to the disk")]
    Sync { path: String, source: io::Error },
}

/// Why a table is not filled, or not proved to be.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(
        "the table is not empty: import into a new one, or go on with --resume if an import was cut short"
    )]
    NotEmpty,
    #[error("reading the table")]
    Table(#[from] TableError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error("all items are stored, and the table is not what the file says")]
    Unproven(#[from] Unproven),
}

/// Writes a table to a file, whole and on the disk when this returns; tells how many items it has.
pub async fn save(table: &dyn Portable, path: &Path, begun: Begun) -> Result<u64, SaveError> {
    let shown = || path.display().to_string();
    let (file, come) = match begun {
        Begun::No => (create(path)?, Progress::none()),
        Begun::Yes => reopen(path)?,
    };
    if come.finished {
        return Ok(come.items);
    }
    let mut writer = BufWriter::new(file);
    let items = export(table, &mut writer, come).await?;
    let failed = |source| SaveError::Sync { path: shown(), source };
    let file = writer.into_inner().map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    Ok(items)
}

fn create(path: &Path) -> Result<File, SaveError> {
    let shown = || path.display().to_string();
    let opened = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path);
    opened.map_err(|source| {
        if source.kind() == io::ErrorKind::AlreadyExists {
            SaveError::Exists { path: shown() }
        } else {
            SaveError::Open { path: shown(), source }
        }
    })
}

/// Cuts off what is not a whole line, and goes on after the rest.
fn reopen(path: &Path) -> Result<(File, Progress), SaveError> {
    let shown = || path.display().to_string();
    let failed = |source| SaveError::Open { path: shown(), source };
    let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(failed)?;
    let come = progress(BufReader::new(&file));
    let come = come.map_err(|source| SaveError::Foreign { path: shown(), source })?;
    file.set_len(come.bytes).map_err(failed)?;
    file.seek(SeekFrom::End(0)).map_err(failed)?;
    Ok((file, come))
}

/// Fills a table from a file and proves that it holds the same: items of each kind, and every audit chain.
pub async fn load(table: &dyn Portable, path: &Path, begun: Begun) -> Result<Proof, LoadError> {
    if begun == Begun::No && !is_empty(table).await? {
        return Err(LoadError::NotEmpty);
    }
    let contents = import(table, || File::open(path).map(BufReader::new)).await?;
    Ok(prove(table, &contents).await?)
}
