//! A table that remembers what was written to it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use muster_app::table::{CommitError, Key, Page, PageRequest, Query, Stored, Table, TableError, Write};

pub(crate) struct RecordedTable {
    pub(crate) inner: Arc<dyn Table>,
    pub(crate) written: Arc<Mutex<Vec<Write>>>,
}

#[async_trait]
impl Table for RecordedTable {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, TableError> {
        self.inner.get(key).await
    }

    async fn batch_get(&self, keys: &[Key]) -> Result<BTreeMap<Key, Stored>, TableError> {
        self.inner.batch_get(keys).await
    }

    async fn query(&self, query: &Query, page: &PageRequest) -> Result<Page, TableError> {
        self.inner.query(query, page).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        self.inner.commit(writes.clone()).await?;
        self.written.lock().unwrap().extend(writes);
        Ok(())
    }
}
