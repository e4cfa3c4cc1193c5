//! What only the file of the local engine can meet: other versions, a full disk, the end of the process.

use std::path::{Path, PathBuf};

use futures::future::join_all;
use muster_app::table::{BodyPart, CommitError, Key, Record, Table, TableError, TableErrorKind, Write};
use muster_store::sqlite::{Settings, SqliteTable, probe};
use tempfile::TempDir;

use super::records::{after, at_epoch, body, execution, execution_id, idempotency};
use super::refusal;

fn file(directory: &TempDir) -> PathBuf {
    directory.path().join("muster.db")
}

fn open(path: &Path) -> SqliteTable {
    SqliteTable::open(path).unwrap()
}

fn key(number: u128) -> Key {
    Key::Execution(execution_id(number))
}

async fn versions(table: &SqliteTable, numbers: std::ops::Range<u128>) -> Vec<u64> {
    let keys: Vec<Key> = numbers.map(key).collect();
    table.batch_get(&keys).await.unwrap().into_values().map(|stored| stored.version).collect()
}

#[tokio::test]
async fn what_was_committed_is_there_after_the_file_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let table = open(&file(&directory));
    table.commit(vec![Write::create(execution(1))]).await.unwrap();
    drop(table);
    let table = open(&file(&directory));
    table.commit(vec![Write::replace(at_epoch(1, 1), 1)]).await.unwrap();
    table.close().unwrap();
    assert_eq!(versions(&open(&file(&directory)), 1..2).await, [2]);
}

#[tokio::test]
async fn a_closed_table_is_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let table = open(&file(&directory));
    table.commit(vec![Write::create(execution(1))]).await.unwrap();
    assert!(directory.path().join("muster.db-wal").exists());
    table.close().unwrap();
    let names: Vec<_> =
        directory.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["muster.db"]);
}

/// What is in the file when another process reads it, the table still open: as after a crash of this process.
#[tokio::test]
async fn inv_a6_a_commit_is_in_the_file_when_it_returns() {
    let directory = tempfile::tempdir().unwrap();
    let table = open(&file(&directory));
    for number in 0..5 {
        table.commit(vec![Write::create(execution(number))]).await.unwrap();
        let other = rusqlite::Connection::open(file(&directory)).unwrap();
        let count: u128 =
            other.query_row("SELECT count(*) FROM items", [], |row| row.get::<_, u32>(0)).unwrap().into();
        assert_eq!(count, number + 1);
    }
}

fn check_refused(path: &Path, expected: TableErrorKind, word: &str) {
    let error = SqliteTable::open(path).map(drop).unwrap_err();
    assert_eq!(error.kind, expected, "{error:?}");
    assert!(error.doing.contains("opening the table"), "{}", error.doing);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains(word), "{cause}");
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_and_not_touched() {
    let directory = tempfile::tempdir().unwrap();
    let table = open(&file(&directory));
    table.commit(vec![Write::create(execution(1))]).await.unwrap();
    table.close().unwrap();
    let set_version = |version: u32| {
        let connection = rusqlite::Connection::open(file(&directory)).unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
    };
    set_version(2);
    check_refused(&file(&directory), TableErrorKind::Corrupt, "its schema is 2");
    set_version(1);
    assert_eq!(versions(&open(&file(&directory)), 1..2).await, [1]);
}

#[test]
fn what_is_no_table_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(file(&directory), "not a database ".repeat(1_000)).unwrap();
    check_refused(&file(&directory), TableErrorKind::Corrupt, "not a database");
    check_refused(&directory.path().join("none/muster.db"), TableErrorKind::Unavailable, "unable to open");
}

/// A table whose file may have no more than this.
fn small(directory: &TempDir, kib: u64) -> SqliteTable {
    let settings = Settings { max_bytes: Some(kib * 1024) };
    SqliteTable::open_with(&file(directory), settings).unwrap()
}

fn large(number: u32) -> Record {
    body(1, BodyPart::Response(number), &"x".repeat(100 * 1024)).into()
}

fn failed(outcome: Result<(), CommitError>) -> TableError {
    match outcome {
        Err(CommitError::Table(error)) => error,
        Err(CommitError::Conflict { keys }) => panic!("a conflict over {keys:?}"),
        Ok(()) => panic!("done"),
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let table = small(&directory, 512);
    let writes = |number: u32| vec![Write::create(large(number)), Write::create(execution(number.into()))];
    let outcomes = join_all((0..10).map(|number| table.commit(writes(number)))).await;
    let kept = outcomes.iter().take_while(|outcome| outcome.is_ok()).count();
    assert!((1..10).contains(&kept), "{outcomes:?}");
    for refused in outcomes.into_iter().skip(kept) {
        let error = failed(refused);
        assert_eq!(error.kind, TableErrorKind::Full, "{error:?}");
        assert!(error.kind.retryable());
    }
    // Both writes of a refused commit are absent, and what was there is readable and may change.
    assert_eq!(versions(&table, 0..10).await, vec![1; kept]);
    assert_eq!(table.get(&large(9).key()).await.unwrap(), None);
    table.commit(vec![Write::replace(at_epoch(0, 1), 1)]).await.unwrap();
    table.close().unwrap();
    let table = open(&file(&directory));
    table.commit(writes(9)).await.unwrap();
    assert_eq!(versions(&table, 0..1).await, [2]);
}

#[tokio::test]
async fn a_commit_that_does_not_fit_harms_no_other_of_its_group() {
    let directory = tempfile::tempdir().unwrap();
    let table = small(&directory, 512);
    let too_large = (0..10).map(large).map(Write::create).collect();
    let mut commits: Vec<Vec<Write>> = (0..20).map(|number| vec![Write::create(execution(number))]).collect();
    commits.insert(10, too_large);
    let mut outcomes = join_all(commits.into_iter().map(|writes| table.commit(writes))).await;
    assert_eq!(failed(outcomes.remove(10)).kind, TableErrorKind::Full);
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(versions(&table, 0..20).await, [1; 20]);
    assert_eq!(table.get(&large(0).key()).await.unwrap(), None);
}

#[tokio::test]
async fn a_commit_that_is_refused_harms_no_other_of_its_group() {
    let directory = tempfile::tempdir().unwrap();
    let table = open(&file(&directory));
    table.commit(vec![Write::create(execution(0))]).await.unwrap();
    let writes = |number: u128| vec![Write::create(execution(number + 1)), Write::replace(at_epoch(0, 1), 1)];
    let mut outcomes = join_all((0..20).map(|number| table.commit(writes(number)))).await;
    let winner = outcomes.iter().position(Result::is_ok).unwrap();
    outcomes.remove(winner).unwrap();
    for outcome in outcomes {
        assert_eq!(refusal(outcome), [key(0)]);
    }
    assert_eq!(versions(&table, 0..100).await, [2, 1]);
}

#[tokio::test]
async fn only_what_has_expired_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let table = open(&file(&directory));
    let record = |number: u64| idempotency(&number.to_string(), after(number));
    for number in 0..150 {
        table.commit(vec![Write::create(record(number))]).await.unwrap();
    }
    table.commit(vec![Write::create(execution(1))]).await.unwrap();
    // An item is kept for a day after its expiry.
    let day = 24 * 60 * 60;
    assert_eq!(table.drop_expired(after(day)).await.unwrap(), 0);
    assert_eq!(table.drop_expired(after(day + 20)).await.unwrap(), 20);
    let there = async |number| table.get(&Record::from(record(number)).key()).await.unwrap().is_some();
    assert!(!there(19).await);
    assert!(there(20).await);
    // What is replaced with a later expiry stays.
    table.commit(vec![Write::replace(idempotency("149", after(10 * day)), 1)]).await.unwrap();
    for expected in [100, 29, 0] {
        assert_eq!(table.drop_expired(after(2 * day)).await.unwrap(), expected);
    }
    assert!(there(149).await);
    assert_eq!(versions(&table, 1..2).await, [1]);
}

#[tokio::test]
async fn the_probe_of_the_benchmark_commits_what_it_says() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("probe.db");
    let rate = probe::group_commits_per_second(&path, 8, 100).await.unwrap();
    assert!(rate > 0.0);
    let connection = rusqlite::Connection::open(path).unwrap();
    let rows: u32 = connection.query_row("SELECT count(*) FROM items", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 200);
}

#[tokio::test]
async fn reads_see_what_was_committed_before_them() {
    let directory = tempfile::tempdir().unwrap();
    let table = open(&file(&directory));
    table.commit(vec![Write::create(at_epoch(1, 0))]).await.unwrap();
    let read = key(1);
    for version in 1..50 {
        let epoch = u32::try_from(version).unwrap();
        table.commit(vec![Write::replace(at_epoch(1, epoch), version)]).await.unwrap();
        let seen = join_all((0..4).map(|_| table.get(&read))).await;
        for stored in seen {
            assert_eq!(stored.unwrap().unwrap().version, version + 1);
        }
    }
}
