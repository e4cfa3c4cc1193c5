//! How long stops take at random moments. The command that prints it is in docs/BENCHMARKS.md.

use std::env;
use std::time::Duration;

use fastrand::Rng;
use rstest::rstest;

use super::stops::{BOUND, SCOPES, Stage};
use crate::support::world::Engine;

/// Runs of each scope in an ordinary run; `MUSTER_STOPS` asks for more.
const RUNS: usize = 2;
/// A run lasts longer than this if nobody stops it.
const MOMENTS: u64 = 150_000;

#[rstest]
#[tokio::test]
async fn inv_g3_stops_at_random_moments_take_effect_within_30_s(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let runs = env::var("MUSTER_STOPS").map_or(RUNS, |number| number.parse().unwrap());
    let mut moments = Rng::with_seed(1);
    let stage = Stage::on(engine).await;
    for (ask, of) in SCOPES {
        let mut latencies = Vec::with_capacity(runs);
        for _ in 0..runs {
            let moment = Duration::from_millis(moments.u64(1_000..MOMENTS));
            let running = stage.running(of, moment).await;
            latencies.push(stage.stops(ask, &running).await.latency);
            stage.clears(ask, &running).await;
        }
        latencies.sort();
        println!("{engine:?}: {ask:?} of {of:?}: {}", distribution(&latencies));
        assert!(latencies.iter().all(|latency| *latency <= BOUND));
    }
}

/// As in `n=40 min=0.0 p50=8.2 p95=18.9 max=19.8 s`, of sorted values.
fn distribution(sorted: &[Duration]) -> String {
    let at = |part: f64| {
        let place = (sorted.len() as f64 * part).ceil() as usize;
        sorted[place.max(1) - 1].as_secs_f64()
    };
    let (least, most) = (at(0.0), at(1.0));
    format!("n={} min={least:.1} p50={:.1} p95={:.1} max={most:.1} s", sorted.len(), at(0.5), at(0.95))
}
