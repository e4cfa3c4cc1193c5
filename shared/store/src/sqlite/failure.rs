//! What SQLite's errors mean to the callers of the table.

use muster_app::table::{TableError, TableErrorKind};
use rusqlite::{Error, ErrorCode};

use crate::failure;

/// What happened while `doing`.
pub(super) fn classify(doing: impl Into<String>, error: Error) -> TableError {
    failure(doing, kind(&error), error)
}

/// The thread that should have answered did not: the table is closing, or it could not even begin.
pub(super) fn stopped(doing: &str) -> TableError {
    failure(doing, TableErrorKind::Unavailable, "no thread of the table answers")
}

fn kind(error: &Error) -> TableErrorKind {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => TableErrorKind::Full,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => TableErrorKind::Corrupt,
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::OutOfMemory
            | ErrorCode::OperationInterrupted
            | ErrorCode::OperationAborted
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::NoLargeFileSupport,
        ) => TableErrorKind::Unavailable,
        // A value in the file that is not of its column's type.
        None if matches!(error, Error::InvalidColumnType(..) | Error::FromSqlConversionFailure(..)) => {
            TableErrorKind::Corrupt
        }
        // What is left is a statement of ours that SQLite cannot run.
        Some(_) | None => TableErrorKind::Invalid,
    }
}
