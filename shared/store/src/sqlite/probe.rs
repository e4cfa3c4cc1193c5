//! What the writer can do on this disk, with nothing of the product around it.
//!
//! The benchmark measures this in the same run as the product, because the numbers of two machines, or of two hours of
//! one machine, cannot be compared; the share of it that the product reaches can.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use muster_app::table::{Expect, TableError};
use tokio::task::JoinSet;

use super::open::{self, Settings};
use super::writer::Writer;
use crate::items::{Item, Kind, SCHEMA};
use crate::keys::ItemKey;
use crate::lists::Entries;
use crate::writes::Change;

/// Commits per second of two new rows each, of 1,000 and 400 bytes, into a new file at `path`, with `in_flight` callers
/// that each wait for their commit before the next.
pub async fn group_commits_per_second(
    path: &Path,
    in_flight: usize,
    commits: u64,
) -> Result<f64, TableError> {
    let writer = Arc::new(Writer::start(open::writer(path, Settings::default())?)?);
    let next = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..in_flight {
        callers.spawn(call(Arc::clone(&writer), Arc::clone(&next), commits));
    }
    for outcome in callers.join_all().await {
        outcome?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of commits is far below 2^52")]
    let commits = commits as f64;
    Ok(commits / start.elapsed().as_secs_f64())
}

async fn call(writer: Arc<Writer>, next: Arc<AtomicU64>, commits: u64) -> Result<(), TableError> {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= commits {
            return Ok(());
        }
        // New rows never conflict.
        drop(writer.commit(vec![row("A", number, 1_000), row("B", number, 400)]).await?);
    }
}

fn row(family: &str, number: u64, bytes: usize) -> Change {
    let item = Item {
        key: ItemKey { pk: format!("{family}#{number:026}"), sk: "HEAD".into() },
        kind: Kind::Body,
        schema: SCHEMA,
        version: 1,
        data: "x".repeat(bytes),
        entries: Entries::default(),
        ttl: None,
    };
    Change::Put { item, expect: Expect::Absent }
}
