//! A table that counts what is read of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use muster_app::table::{CommitError, Key, Page, PageRequest, Query, Stored, Table, TableError, Write};

pub(crate) struct CountedTable {
    pub(crate) inner: Arc<dyn Table>,
    reads: AtomicUsize,
    queries: AtomicUsize,
    records: AtomicUsize,
    commits: AtomicUsize,
}

/// What was asked of a table since it was last asked for this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Reads by key, single or in batches.
    pub(crate) reads: usize,
    /// Pages of lists.
    pub(crate) queries: usize,
    /// Records that these gave.
    pub(crate) records: usize,
    pub(crate) commits: usize,
}

impl CountedTable {
    pub(crate) fn over(inner: Arc<dyn Table>) -> Arc<Self> {
        let (reads, queries, records, commits) = Default::default();
        Arc::new(Self { inner, reads, queries, records, commits })
    }

    pub(crate) fn take(&self) -> Counts {
        let take = |count: &AtomicUsize| count.swap(0, Ordering::SeqCst);
        Counts {
            reads: take(&self.reads),
            queries: take(&self.queries),
            records: take(&self.records),
            commits: take(&self.commits),
        }
    }
}

fn add(count: &AtomicUsize, more: usize) {
    count.fetch_add(more, Ordering::SeqCst);
}

#[async_trait]
impl Table for CountedTable {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, TableError> {
        add(&self.reads, 1);
        let found = self.inner.get(key).await?;
        add(&self.records, usize::from(found.is_some()));
        Ok(found)
    }

    async fn batch_get(&self, keys: &[Key]) -> Result<BTreeMap<Key, Stored>, TableError> {
        add(&self.reads, 1);
        let found = self.inner.batch_get(keys).await?;
        add(&self.records, found.len());
        Ok(found)
    }

    async fn query(&self, query: &Query, page: &PageRequest) -> Result<Page, TableError> {
        add(&self.queries, 1);
        let found = self.inner.query(query, page).await?;
        add(&self.records, found.records.len());
        Ok(found)
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        add(&self.commits, 1);
        self.inner.commit(writes).await
    }
}
