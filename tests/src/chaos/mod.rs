//! Short histories in bad weather: every call to the table, the queue, the bus and the receivers may be late, refused, lost, done
//! without an answer, or half done; workers are killed, deliveries come twice and in any order. What is promised holds.
//!
//! `MUSTER_CHAOS_SEEDS` says how many seeds are run, `MUSTER_CHAOS_SEED` runs one alone. A seed fixes the faults that are
//! drawn; which request meets them depends on how tasks interleave too, so a rare failure may want several replays.

mod between;
mod courier;
mod installation;
mod phased;
mod promises;
mod scenario;
mod weather;

use std::env;
use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;

use self::weather::Met;

/// Seeds of an ordinary run; the nightly one takes 1,000.
const SEEDS: u64 = 50;
/// Five faults of each of four peers; the table and the bus may leave things undone, too.
const FAULTS: usize = 5 * 4 + 2;

#[tokio::test]
async fn inv_a_b_f_g_hold_in_any_weather() {
    let (first, count) = match number("MUSTER_CHAOS_SEED") {
        Some(seed) => (seed, 1),
        None => (1, number("MUSTER_CHAOS_SEEDS").unwrap_or(SEEDS)),
    };
    let mut met = Met::new();
    for seed in first..first + count {
        for (fault, times) in one(seed).await {
            *met.entry(fault).or_default() += times;
        }
    }
    println!("{count} seeds met {met:?}");
    if count >= SEEDS {
        assert_eq!(met.len(), FAULTS, "the weather left something out: {met:?}");
    }
}

/// Tells which faults were met.
async fn one(seed: u64) -> Met {
    let run = AssertUnwindSafe(async {
        let history = scenario::run(seed).await;
        promises::check(&history).await;
        history.muster.weather.met()
    });
    match run.catch_unwind().await {
        Ok(faults) => faults,
        Err(panic) => {
            let replay = format!("MUSTER_CHAOS_SEED={seed} cargo test -p muster-tests chaos");
            eprintln!("seed {seed} broke a promise; to run it again: {replay}");
            std::panic::resume_unwind(panic);
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is to be a number, not {text:?}")))
}
