//! The contract of the table: one set of tests, run on each engine, for nothing above the table may tell them apart.

mod batches;
mod concurrency;
mod conditions;
mod damage;
mod dynamo;
mod limits;
mod lists;
mod model;
mod pages;
mod records;
mod sqlite;

use std::sync::Arc;

use muster_app::table::{CommitError, Key, Page, PageRequest, Query, Stored, Table, Write};
use muster_store::dynamo::DynamoTable;
use muster_store::sqlite::SqliteTable;
use tempfile::TempDir;

use crate::support::dynamo::{BACKOFF, Dynamo};

/// Makes a test for each engine of each body.
macro_rules! on_both_engines {
    ($($body:ident),+ $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test]
                async fn $body() {
                    super::$body(crate::contract::Engine::sqlite()).await;
                }
            )+
        }

        mod on_dynamo {
            $(
                #[tokio::test]
                async fn $body() {
                    super::$body(crate::contract::Engine::dynamo().await).await;
                }
            )+
        }
    };
}
use on_both_engines;

/// A new, empty table of one engine, and the way behind it.
struct Engine {
    table: Arc<dyn Table>,
    behind: Behind,
}

enum Behind {
    Sqlite(TempDir),
    Dynamo(Dynamo),
}

impl Engine {
    fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let table = SqliteTable::open(&directory.path().join("muster.db")).unwrap();
        Self { table: Arc::new(table), behind: Behind::Sqlite(directory) }
    }

    async fn dynamo() -> Self {
        let dynamo = Dynamo::start().await;
        let table = DynamoTable::new(dynamo.client().clone(), dynamo.table()).with_backoff(BACKOFF);
        Self { table: Arc::new(table), behind: Behind::Dynamo(dynamo) }
    }

    async fn get(&self, key: &Key) -> Option<Stored> {
        self.table.get(key).await.unwrap()
    }

    async fn commit(&self, writes: Vec<Write>) {
        self.table.commit(writes).await.unwrap();
    }

    /// The keys that a commit is refused for.
    async fn refused(&self, writes: Vec<Write>) -> Vec<Key> {
        refusal(self.table.commit(writes).await)
    }

    async fn page(&self, query: &Query, page: &PageRequest) -> Page {
        self.table.query(query, page).await.unwrap()
    }

    /// All records of a list, smallest sort key first.
    async fn list(&self, query: &Query) -> Vec<Stored> {
        records::all(&*self.table, query).await
    }
}

fn refusal(outcome: Result<(), CommitError>) -> Vec<Key> {
    match outcome {
        Err(CommitError::Conflict { keys }) => keys,
        Err(CommitError::Table(error)) => panic!("failed instead of being refused: {error:?}"),
        Ok(()) => panic!("done instead of being refused"),
    }
}
