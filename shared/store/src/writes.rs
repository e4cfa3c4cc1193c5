//! A commit as the engines take it: checked and encoded in the caller's task, so that an engine only stores.

use std::collections::BTreeSet;

use muster_app::table::{Expect, Key, TableError, TableErrorKind, Write};

use crate::failure;
use crate::items::Item;
use crate::keys::ItemKey;

/// The writes of one commit, and the keys they name, in the same order.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) keys: Vec<Key>,
    pub(crate) changes: Vec<Change>,
}

/// One conditional write.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every write is a put; a box would cost an allocation each"
)]
#[derive(Debug)]
pub(crate) enum Change {
    Put { item: Item, expect: Expect },
    Delete { key: ItemKey, expect: Expect },
}

/// The most writes of one commit: what DynamoDB takes in one transaction.
pub(crate) const MAX_WRITES: usize = 100;

/// The most data of one commit, in bytes: what DynamoDB takes in one transaction (4 MB), less the other attributes.
const MAX_COMMIT_BYTES: usize = 3_900 * 1024;

impl Batch {
    /// Refuses what no engine can do, so that both refuse the same.
    pub(crate) fn of(writes: &[Write]) -> Result<Self, TableError> {
        let keys: Vec<Key> = writes.iter().map(Write::key).collect();
        check(&keys)?;
        let changes = writes.iter().map(Change::of).collect::<Result<Vec<_>, _>>()?;
        let bytes: usize = changes.iter().map(Change::bytes).sum();
        if bytes > MAX_COMMIT_BYTES {
            return Err(invalid(format!("it has {bytes} bytes; at most {MAX_COMMIT_BYTES} can be stored")));
        }
        Ok(Self { keys, changes })
    }
}

/// The keys of the writes at these positions.
pub(crate) fn keys_at(keys: Vec<Key>, positions: &[usize]) -> Vec<Key> {
    let numbered = keys.into_iter().enumerate();
    numbered.filter(|(position, _)| positions.contains(position)).map(|(_, key)| key).collect()
}

fn check(keys: &[Key]) -> Result<(), TableError> {
    if keys.len() > MAX_WRITES {
        return Err(invalid(format!("it has {} writes; at most {MAX_WRITES} are possible", keys.len())));
    }
    let mut seen = BTreeSet::new();
    match keys.iter().find(|key| !seen.insert(*key)) {
        None => Ok(()),
        Some(twice) => Err(invalid(format!("{twice:?} is written twice"))),
    }
}

fn invalid(reason: String) -> TableError {
    failure("preparing a commit", TableErrorKind::Invalid, reason)
}

impl Change {
    fn of(write: &Write) -> Result<Self, TableError> {
        match write {
            Write::Put { record, expect } => {
                let item = Item::of(record, version_after(*expect))?;
                Ok(Self::Put { item, expect: *expect })
            }
            Write::Delete { key, expect } => Ok(Self::Delete { key: ItemKey::of(key), expect: *expect }),
        }
    }

    pub(crate) fn expect(&self) -> Expect {
        match self {
            Self::Put { expect, .. } | Self::Delete { expect, .. } => *expect,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Put { item, .. } => item.data.len(),
            Self::Delete { .. } => 0,
        }
    }
}

/// Versions count from 1 without gaps.
fn version_after(seen: Expect) -> u64 {
    match seen {
        Expect::Absent => 1,
        Expect::Version(version) => version.saturating_add(1),
    }
}
