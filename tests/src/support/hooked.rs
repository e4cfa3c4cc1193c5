//! A real table with a test's hand on it: calls can fail, or make something happen, before or after they take effect.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use muster_app::table::{
    CommitError, Key, Page, PageRequest, Query, Stored, Table, TableError, TableErrorKind, Write,
};

/// What a test does around the calls of a table. An error replaces the call's answer.
pub(crate) trait Hook: Send + Sync {
    fn before_batch_get(&self) -> Result<(), TableError> {
        Ok(())
    }

    /// Nothing has been written.
    fn before_commit(&self) -> Result<(), TableError> {
        Ok(())
    }

    /// All has been written.
    fn after_commit(&self) -> Result<(), TableError> {
        Ok(())
    }
}

pub(crate) struct HookedTable<H> {
    pub(crate) inner: Arc<dyn Table>,
    pub(crate) hook: Arc<H>,
}

/// An error that a test makes up.
pub(crate) fn fault(kind: TableErrorKind) -> TableError {
    TableError { doing: "doing what the test broke".into(), kind, source: None }
}

#[async_trait]
impl<H: Hook> Table for HookedTable<H> {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, TableError> {
        self.inner.get(key).await
    }

    async fn batch_get(&self, keys: &[Key]) -> Result<BTreeMap<Key, Stored>, TableError> {
        self.hook.before_batch_get()?;
        self.inner.batch_get(keys).await
    }

    async fn query(&self, query: &Query, page: &PageRequest) -> Result<Page, TableError> {
        self.inner.query(query, page).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        self.hook.before_commit()?;
        self.inner.commit(writes).await?;
        Ok(self.hook.after_commit()?)
    }
}
