//! Opening the file: settings, and the schema with its version.

use std::path::Path;
use std::time::Duration;

use muster_app::table::{TableError, TableErrorKind};
use rusqlite::{Connection, OpenFlags};

use super::failure::classify;
use crate::failure;

/// What an operator may choose.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// The most bytes the file may have, to the next page; commits that need more fail as on a full disk.
    pub max_bytes: Option<u64>,
}

/// The version of the schema below, kept in the file.
const SCHEMA_VERSION: i64 = 1;

/// Most items (0.5 to 6 KB) fit into a page, with few pages touched by a commit. Measured over accept, claim and end with
/// 256 commits in flight: 4 KB pages send what is longer to pages of its own, 16 KB pages write a third more.
const PAGE_BYTES: u32 = 8_192;

/// Short columns come before `data`, so that reading them never touches an overflow page.
///
/// The table keeps SQLite's row numbers, with the primary key as an index beside it. `WITHOUT ROWID` looks simpler, but
/// then a row longer than a quarter of a page overflows, and each row under a random key (`IDEM#…`) dirties a page of
/// rows instead of a page of keys: measured, two to three times the bytes written.
const SCHEMA: &str = "
    CREATE TABLE items (
        pk TEXT NOT NULL,
        sk TEXT NOT NULL,
        version INTEGER NOT NULL,
        kind TEXT NOT NULL,
        schema INTEGER NOT NULL,
        ttl INTEGER,
        list1_pk TEXT,
        list1_sk TEXT,
        list2_pk TEXT,
        list2_sk TEXT,
        list3_pk TEXT,
        list3_sk TEXT,
        list4_pk TEXT,
        list4_sk TEXT,
        due_pk TEXT,
        due_sk TEXT,
        data TEXT NOT NULL,
        PRIMARY KEY (pk, sk)
    ) STRICT;
    CREATE INDEX list1 ON items (list1_pk, list1_sk) WHERE list1_pk IS NOT NULL;
    CREATE INDEX list2 ON items (list2_pk, list2_sk) WHERE list2_pk IS NOT NULL;
    CREATE INDEX list3 ON items (list3_pk, list3_sk) WHERE list3_pk IS NOT NULL;
    CREATE INDEX list4 ON items (list4_pk, list4_sk) WHERE list4_pk IS NOT NULL;
    CREATE INDEX due ON items (due_pk, due_sk) WHERE due_pk IS NOT NULL;
    CREATE INDEX ttl ON items (ttl) WHERE ttl IS NOT NULL;
";

/// How long to wait for a lock that another process holds, such as a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The one connection that writes; makes the file and its schema if they are not there.
pub(super) fn writer(path: &Path, settings: Settings) -> Result<Connection, TableError> {
    let doing = || format!("opening the table {}", path.display());
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| classify(doing(), error))?;
    configure(&connection, settings).map_err(|error| classify(doing(), error))?;
    let version = prepare_schema(&connection).map_err(|error| classify(doing(), error))?;
    if version > SCHEMA_VERSION {
        let newer =
            format!("its schema is {version}, and this version of Muster knows only {SCHEMA_VERSION}");
        return Err(failure(doing(), TableErrorKind::Corrupt, newer));
    }
    Ok(connection)
}

/// A connection that only reads.
pub(super) fn reader(path: &Path) -> Result<Connection, TableError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "cache_size", READER_CACHE_KIB)?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(connection)
    };
    open().map_err(|error| classify(format!("opening the table {} to read", path.display()), error))
}

/// Page caches, in KiB; SQLite takes a negative number for KiB.
const WRITER_CACHE_KIB: i64 = -16 * 1024;
const READER_CACHE_KIB: i64 = -4 * 1024;

/// Pages in the write-ahead log before they are moved into the file: 16 MB. Longer pays off, because hot pages are moved
/// once for many commits; much longer slows readers down and keeps more of the file in memory.
const CHECKPOINT_PAGES: u32 = 2_000;

fn configure(connection: &Connection, settings: Settings) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Only has an effect on a new file, and must come before everything that writes.
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // The log is flushed at every commit: a power failure loses nothing that was acknowledged.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "cache_size", WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.set_prepared_statement_cache_capacity(32);
    match settings.max_bytes {
        None => Ok(()),
        Some(bytes) => limit_pages(connection, bytes),
    }
}

fn limit_pages(connection: &Connection, bytes: u64) -> rusqlite::Result<()> {
    let page_bytes: u64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let pages = bytes.div_ceil(page_bytes.max(1));
    connection.pragma_update(None, "max_page_count", pages)
}

/// Makes the schema in a new file; the version that the file then has.
fn prepare_schema(connection: &Connection) -> rusqlite::Result<i64> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > 0 {
        return Ok(version);
    }
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch(SCHEMA)?;
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    transaction.commit()?;
    Ok(SCHEMA_VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The settings that durability and the measured speed hang on; no other test could notice if one were lost.
    #[test]
    fn inv_a6_the_writer_flushes_every_commit() {
        let directory = tempfile::tempdir().expect("a directory");
        let connection = writer(&directory.path().join("muster.db"), Settings::default()).expect("opens");
        let pragma = |name: &str| -> String {
            let value =
                connection.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
            format!("{:?}", value.expect("a value"))
        };
        assert_eq!(pragma("journal_mode"), "Text(\"wal\")");
        assert_eq!(pragma("synchronous"), "Integer(2)");
        assert_eq!(pragma("page_size"), format!("Integer({PAGE_BYTES})"));
        assert_eq!(pragma("wal_autocheckpoint"), format!("Integer({CHECKPOINT_PAGES})"));
    }
}
