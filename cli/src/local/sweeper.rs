//! Finds, about each second, what is owed and nobody was nudged for, and drops what has expired.

use std::sync::Arc;
use std::time::Duration;

use muster_app::App;
use muster_app::clock::SystemClock;
use muster_app::error::chain;
use muster_app::ports::Clock as _;
use muster_store::sqlite::SqliteTable;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// The rest between two sweeps, and the longest.
const REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(5);

/// Commits of one sweep that drop expired records, 100 records each.
const MOST_DROPS: usize = 100;

/// What is swept.
pub(super) struct Sweeper {
    pub(super) app: Arc<App>,
    pub(super) table: Arc<SqliteTable>,
}

/// Sweeps until `stop`. A sweep that fails is logged, and the next one tries again.
pub(super) async fn run(sweeper: Sweeper, stop: CancellationToken) {
    let mut rest = REST;
    while stop.run_until_cancelled(sleep(rest)).await.is_some() {
        let start = Instant::now();
        sweeper.push_owed().await;
        sweeper.drop_expired().await;
        rest = rest_after(start.elapsed());
    }
}

impl Sweeper {
    async fn push_owed(&self) {
        match self.app.sweep().await {
            Ok(swept) if swept.nudged > 0 => {
                tracing::info!(nudged = swept.nudged, "nudged again what was owed")
            }
            Ok(_) => {}
            Err(error) => tracing::error!(error = chain(&error), "cannot look for what is owed"),
        }
    }

    /// Records come in at most as fast as they are accepted, so a bounded number of commits keeps up with them.
    async fn drop_expired(&self) {
        for _ in 0..MOST_DROPS {
            match self.table.drop_expired(SystemClock.now()).await {
                Ok(0) => return,
                Ok(dropped) => tracing::debug!(dropped, "dropped expired records"),
                Err(error) => return tracing::error!(error = chain(&error), "cannot drop expired records"),
            }
        }
    }
}

/// Behind a long queue everything is overdue: looking through it must not take more than a tenth of the time that the
/// work needs.
fn rest_after(sweep: Duration) -> Duration {
    (sweep * 9).clamp(REST, LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_takes_a_tenth_of_the_time_at_most_and_comes_in_time() {
        let rest = |millis| rest_after(Duration::from_millis(millis)).as_millis();
        assert_eq!([rest(0), rest(100), rest(500), rest(60_000)], [1_000, 1_000, 4_500, 5_000]);
    }
}
