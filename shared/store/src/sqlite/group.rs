//! One group of commits in one transaction, each commit as if it were alone.

use muster_app::table::Expect;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use crate::items::Item;
use crate::keys::ItemKey;
use crate::lists::{Entry, Index};
use crate::writes::Change;

/// What became of one commit: stored, or refused because of the writes at these positions.
pub(super) type Verdict = Result<(), Vec<usize>>;

/// Runs a group. An error of one commit must not harm the others: the group is rolled back and each runs alone.
pub(super) fn run(connection: &Connection, group: &[&[Change]]) -> Vec<rusqlite::Result<Verdict>> {
    match together(connection, group) {
        Ok(verdicts) => verdicts.into_iter().map(Ok).collect(),
        Err(error) if group.len() == 1 => vec![Err(error)],
        Err(_) => group.chunks(1).flat_map(|alone| run(connection, alone)).collect(),
    }
}

fn together(connection: &Connection, group: &[&[Change]]) -> rusqlite::Result<Vec<Verdict>> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let verdicts = group.iter().map(|changes| apply(&transaction, changes)).collect::<Result<_, _>>()?;
    transaction.commit()?;
    Ok(verdicts)
}

/// Checks every condition of a commit before its first write, so that a refused commit leaves no trace.
fn apply(connection: &Connection, changes: &[Change]) -> rusqlite::Result<Verdict> {
    let mut refused = Vec::new();
    let mut ways = Vec::with_capacity(changes.len());
    for (position, change) in changes.iter().enumerate() {
        match look(connection, change)? {
            Some(way) => ways.push(way),
            None => refused.push(position),
        }
    }
    if !refused.is_empty() {
        return Ok(Err(refused));
    }
    for (change, way) in changes.iter().zip(ways) {
        write(connection, change, way)?;
    }
    Ok(Ok(()))
}

/// How a write whose condition holds is done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The row as a whole, in the table and every index.
    Whole,
    /// The row without the columns of any index, which stay as they are.
    InPlace,
}

/// Compares a write's condition with what is there; `None` if it does not hold.
fn look(connection: &Connection, change: &Change) -> rusqlite::Result<Option<Way>> {
    const SQL: &str = "SELECT version, list1_pk, list1_sk, list2_pk, list2_sk, list3_pk, list3_sk, \
                       list4_pk, list4_sk, due_pk, due_sk, \
                       ttl FROM items WHERE pk = ?1 AND sk = ?2";
    let (Change::Put { item: Item { key, .. }, .. } | Change::Delete { key, .. }) = change;
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query(params![key.pk, key.sk])?;
    match (rows.next()?, change.expect()) {
        (None, Expect::Absent) => Ok(Some(Way::Whole)),
        (Some(row), Expect::Version(version)) if row.get::<_, u64>(0)? == version => {
            way(row, change).map(Some)
        }
        (None, Expect::Version(_)) | (Some(_), Expect::Absent | Expect::Version(_)) => Ok(None),
    }
}

/// The place of `ttl` after the version and two columns for each index.
const TTL_COLUMN: usize = 1 + 2 * Index::ALL.len();

fn way(row: &Row<'_>, change: &Change) -> rusqlite::Result<Way> {
    let Change::Put { item, .. } = change else {
        return Ok(Way::Whole);
    };
    for (index, column) in Index::ALL.into_iter().zip((1..).step_by(2)) {
        let entry = item.entries.get(index);
        let same_pk = same(row.get_ref(column)?, entry.map(|entry| &entry.pk));
        if !same_pk || !same(row.get_ref(column + 1)?, entry.map(|entry| &entry.sk)) {
            return Ok(Way::Whole);
        }
    }
    Ok(if row.get::<_, Option<i64>>(TTL_COLUMN)? == item.ttl { Way::InPlace } else { Way::Whole })
}

fn same(stored: ValueRef<'_>, new: Option<&String>) -> bool {
    match (stored, new) {
        (ValueRef::Null, None) => true,
        (ValueRef::Text(stored), Some(new)) => stored == new.as_bytes(),
        (
            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Text(_) | ValueRef::Blob(_),
            _,
        ) => false,
    }
}

fn write(connection: &Connection, change: &Change, way: Way) -> rusqlite::Result<()> {
    match (change, way) {
        (Change::Put { item, .. }, Way::Whole) => put(connection, item),
        (Change::Put { item, .. }, Way::InPlace) => update(connection, item),
        (Change::Delete { key, .. }, Way::Whole | Way::InPlace) => delete(connection, key),
    }
}

fn put(connection: &Connection, item: &Item) -> rusqlite::Result<()> {
    const SQL: &str = "INSERT INTO items (pk, sk, version, kind, schema, ttl, list1_pk, list1_sk, list2_pk, list2_sk, \
                       list3_pk, list3_sk, list4_pk, list4_sk, due_pk, due_sk, data) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) \
                       ON CONFLICT (pk, sk) DO UPDATE SET version = ?3, kind = ?4, schema = ?5, ttl = ?6, \
                       list1_pk = ?7, list1_sk = ?8, list2_pk = ?9, list2_sk = ?10, list3_pk = ?11, \
                       list3_sk = ?12, list4_pk = ?13, list4_sk = ?14, due_pk = ?15, due_sk = ?16, data = ?17";
    let Item { key, kind, schema, version, data, entries, ttl } = item;
    let ((list1_pk, list1_sk), (list2_pk, list2_sk)) = (columns(&entries.list1), columns(&entries.list2));
    let ((list3_pk, list3_sk), (list4_pk, list4_sk)) = (columns(&entries.list3), columns(&entries.list4));
    let (due_pk, due_sk) = columns(&entries.due);
    let values = params![
        key.pk,
        key.sk,
        version,
        kind.as_str(),
        schema,
        ttl,
        list1_pk,
        list1_sk,
        list2_pk,
        list2_sk,
        list3_pk,
        list3_sk,
        list4_pk,
        list4_sk,
        due_pk,
        due_sk,
        data
    ];
    connection.prepare_cached(SQL)?.execute(values).map(drop)
}

fn columns(entry: &Option<Entry>) -> (Option<&str>, Option<&str>) {
    entry.as_ref().map(|entry| (entry.pk.as_str(), entry.sk.as_str())).unzip()
}

/// Leaves the indexes alone: SQLite would otherwise take the row out of each and put it back.
fn update(connection: &Connection, item: &Item) -> rusqlite::Result<()> {
    const SQL: &str =
        "UPDATE items SET version = ?3, kind = ?4, schema = ?5, data = ?6 WHERE pk = ?1 AND sk = ?2";
    let Item { key, kind, schema, version, data, .. } = item;
    let values = params![key.pk, key.sk, version, kind.as_str(), schema, data];
    connection.prepare_cached(SQL)?.execute(values).map(drop)
}

fn delete(connection: &Connection, key: &ItemKey) -> rusqlite::Result<()> {
    const SQL: &str = "DELETE FROM items WHERE pk = ?1 AND sk = ?2";
    connection.prepare_cached(SQL)?.execute(params![key.pk, key.sk]).map(drop)
}
