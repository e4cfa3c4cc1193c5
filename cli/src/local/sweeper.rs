//! Finds, each second, what is owed and nobody was nudged for.

use std::sync::Arc;
use std::time::Duration;

use muster_app::App;
use muster_app::error::chain;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

const PERIOD: Duration = Duration::from_secs(1);

/// Sweeps until `stop`. A sweep that fails is logged, and the next one tries again.
pub(crate) async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut ticks = interval_at(Instant::now() + PERIOD, PERIOD);
    // After a sweep that took longer than a second, a whole second of rest: it must not crowd out the work.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        match app.sweep().await {
            Ok(swept) if swept.nudged > 0 => {
                tracing::info!(nudged = swept.nudged, "nudged again what was owed")
            }
            Ok(_) => {}
            Err(error) => tracing::error!(error = chain(&error), "cannot look for what is owed"),
        }
    }
}
