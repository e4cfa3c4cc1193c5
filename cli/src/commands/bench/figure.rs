//! Figures as they are printed.

use std::io::{self, Write as _};
use std::time::Duration;

use serde::Serialize;

use super::BenchError;

/// Prints one figure as one line of JSON.
pub(super) fn print(figure: &impl Serialize) -> Result<(), BenchError> {
    let mut out = io::stdout().lock();
    let line = serde_json::to_string(figure).map_err(|error| BenchError::Output(error.into()))?;
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(BenchError::Output)
}

/// What took how long.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Latency {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

impl Latency {
    /// Of none, zero.
    pub(super) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| {
            let index = (times.len() * percent / 100).min(times.len().saturating_sub(1));
            times.get(index).map_or(0.0, |time| rounded(time.as_secs_f64() * 1_000.0))
        };
        Self { p50_ms: at(50), p99_ms: at(99) }
    }
}

/// How many a second.
pub(super) fn rate(count: u32, elapsed: Duration) -> f64 {
    rounded(f64::from(count) / elapsed.as_secs_f64())
}

/// Milliseconds of each. On a busy machine this says more than a rate.
pub(super) fn each(elapsed: Duration, count: u32) -> f64 {
    rounded(elapsed.as_secs_f64() * 1_000.0 / f64::from(count))
}

/// Three digits after the point are more than a benchmark knows.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_times() {
        let times = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(Latency::of(times), Latency { p50_ms: 101.0, p99_ms: 199.0 });
        assert_eq!(Latency::of(vec![Duration::from_micros(1_500)]), Latency { p50_ms: 1.5, p99_ms: 1.5 });
        assert_eq!(Latency::of(Vec::new()), Latency { p50_ms: 0.0, p99_ms: 0.0 });
    }
}
