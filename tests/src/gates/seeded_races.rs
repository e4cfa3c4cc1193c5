//! An answer and the expiry that meet in every interleaving a seed draws: one of them wins, and the run does what the winner says.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use fastrand::Rng;
use muster_app::table::{CommitError, Key, Page, PageRequest, Query, Stored, Table, TableError, Write};
use rstest::rstest;

use super::racing::{answered, expires, just_in_time};
use super::*;
use crate::support::world::settings;

const SEEDS: u64 = 16;
/// One call to the table waits for fewer others than this.
const MOST_READS: usize = 12;

/// A table whose calls wait as long as its seed says: for reads that nobody asked for, so that it matters on every engine.
struct Reluctant {
    inner: std::sync::Arc<dyn Table>,
    rng: Mutex<Rng>,
}

impl Reluctant {
    async fn waits(&self) {
        let reads = self.rng.lock().unwrap().usize(..MOST_READS);
        for _ in 0..reads {
            self.inner.get(&Key::Team("nobody".parse().unwrap())).await.unwrap();
        }
    }
}

#[async_trait]
impl Table for Reluctant {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, TableError> {
        self.waits().await;
        self.inner.get(key).await
    }

    async fn batch_get(&self, keys: &[Key]) -> Result<BTreeMap<Key, Stored>, TableError> {
        self.waits().await;
        self.inner.batch_get(keys).await
    }

    async fn query(&self, query: &Query, page: &PageRequest) -> Result<Page, TableError> {
        self.inner.query(query, page).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        self.waits().await;
        self.inner.commit(writes).await
    }
}

async fn gated(engine: Engine, seed: u64) -> Gated {
    let directory = tempfile::tempdir().unwrap();
    let inner = engine.table(&directory).await;
    let table = Reluctant { inner, rng: Mutex::new(Rng::with_seed(seed)) };
    let world = World::over(std::sync::Arc::new(table), directory, settings()).await;
    let definition = runbook(&world, &one_of_ops());
    Gated::running(world, definition).await
}

#[rstest]
#[tokio::test]
async fn inv_c5_approve_and_expire_race_to_one_winner_whatever_the_order(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let mut answers_won = 0;
    for seed in 1..=SEEDS {
        let gated = gated(engine, seed).await;
        let early = just_in_time(&gated).await;
        let (wins, ()) = tokio::join!(answered(&gated, &early), expires(&gated));
        gated.passes(60).await;
        gated.world.drain().await;
        let (status, calls) = if wins { ("SUCCESS", 1) } else { ("FAILED", 0) };
        gated.check(status, calls).await;
        let decisions = gated.asked("ask").await["decisions"].as_array().unwrap().len();
        assert_eq!(decisions, usize::from(wins), "seed {seed}");
        answers_won += usize::from(wins);
    }
    assert!((1..SEEDS as usize).contains(&answers_won), "the seeds draw both orders: {answers_won}");
}
