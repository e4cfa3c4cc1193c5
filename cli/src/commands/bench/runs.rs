//! The runs, each with the figures that it gives.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use muster_store::sqlite::probe::group_commits_per_second;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::figure::{Latency, each, print, rate, rounded};
use super::load::{Client, fire};
use super::receiver::micros_now;
use super::rig::Rig;
use super::{BenchArgs, BenchError};

/// Clients of the accept runs, and the share of the executions that each run accepts.
const ACCEPTS: [(usize, u32); 3] = [(1, 10), (16, 3), (64, 1)];
/// How often the process is started to be timed.
const STARTS: usize = 7;
/// Executions of the run at low load, and the pause between two of them.
const FEW: usize = 200;
const PAUSE: Duration = Duration::from_millis(20);
/// Commits in flight, and in all, of the run on the table alone.
const COMMITS: (usize, u64) = (256, 50_000);
/// The longest that the long run waits for its last execution.
const PATIENCE: Duration = Duration::from_secs(300);

/// What the disk and SQLite can do, with nothing of the product around them.
pub(super) async fn commits(parent: &Path) -> Result<(), BenchError> {
    let directory = tempfile::tempdir_in(parent).map_err(BenchError::Directory)?;
    let (in_flight, commits) = COMMITS;
    let rate = group_commits_per_second(&directory.path().join("probe.db"), in_flight, commits).await?;
    print(&json!({"figure": "raw group commits", "in_flight": in_flight, "per_second": rounded(rate)}))
}

/// From the start of the process to its readiness, and what it then occupies.
pub(super) async fn start(parent: &Path) -> Result<(), BenchError> {
    let mut times = Vec::new();
    let mut resident = None;
    for _ in 0..STARTS {
        let rig = Rig::set_up(parent, 256).await?;
        times.push(rig.started_in);
        resident = rig.resident_mb();
        rig.tear_down().await?;
    }
    times.sort_unstable();
    let median = times.get(STARTS / 2).map(|time| rounded(time.as_secs_f64() * 1_000.0));
    print(&json!({"figure": "start", "median_ms": median, "starts": STARTS}))?;
    print(&json!({"figure": "resident memory, idle", "mb": resident}))
}

/// Durable accepts. One worker, so that what is measured is the accepting.
pub(super) async fn accepts(parent: &Path, executions: u32) -> Result<(), BenchError> {
    for (clients, share) in ACCEPTS {
        let rig = Rig::set_up(parent, 1).await?;
        let shot = rig.prepare().await?;
        let count = executions / share;
        let volley = fire(rig.address, &shot, clients, count).await?;
        let latency = Latency::of(volley.times);
        print(&json!({
            "figure": "accepts", "clients": clients, "per_second": rate(count, volley.elapsed),
            "p50_ms": latency.p50_ms, "p99_ms": latency.p99_ms,
        }))?;
        rig.tear_down().await?;
    }
    Ok(())
}

/// From the request to execute to the webhook at its receiver, one at a time.
pub(super) async fn arrival(parent: &Path) -> Result<(), BenchError> {
    let rig = Rig::set_up(parent, 256).await?;
    let shot = rig.prepare().await?;
    let mut client = Client::connect(rig.address, &shot.token).await?;
    let mut asked = HashMap::new();
    for _ in 0..FEW {
        let at = micros_now();
        let accepted = client.post(&shot.path, shot.body.clone(), StatusCode::ACCEPTED).await?;
        let id = accepted.pointer("/execution/id").and_then(Value::as_str).unwrap_or_default();
        asked.insert(id.to_owned(), at);
        sleep(PAUSE).await;
    }
    let arrivals = rig.arrivals().await?;
    rig.tear_down().await?;
    let waited = arrivals.iter().filter_map(|(id, at)| {
        // A webhook's id is the execution's and the step's.
        let asked = asked.get(id.split('-').next()?)?;
        Some(Duration::from_micros(at.saturating_sub(*asked)))
    });
    let latency = Latency::of(waited.collect());
    print(&json!({
        "figure": "request to arrival, one at a time", "executions": arrivals.len(),
        "p50_ms": latency.p50_ms, "p99_ms": latency.p99_ms,
    }))
}

/// From the first request to the end of the last execution, accepting and executing at once.
pub(super) async fn executions(args: &BenchArgs) -> Result<(), BenchError> {
    let rig = Rig::set_up(&args.dir, args.workers).await?;
    let shot = rig.prepare().await?;
    let start = Instant::now();
    let volley = fire(rig.address, &shot, usize::from(args.clients), args.executions).await?;
    let elapsed = until_all_succeeded(&rig, args.executions, start).await?;
    let latency = Latency::of(volley.times);
    print(&json!({
        "figure": "executions, end to end", "in_flight": args.workers, "clients": args.clients, "executions": args.executions,
        "per_second": rate(args.executions, elapsed), "accepts_per_second": rate(args.executions, volley.elapsed),
        "accept_p50_ms": latency.p50_ms, "accept_p99_ms": latency.p99_ms,
        "server_ms_per_execution": rig.server_time().map(|time| each(time, args.executions)),
    }))?;
    print(&json!({"figure": "resident memory, after the executions", "mb": rig.resident_mb()}))?;
    rig.tear_down().await
}

/// When the last one had succeeded. Each must have arrived, once.
async fn until_all_succeeded(rig: &Rig, executions: u32, start: Instant) -> Result<Duration, BenchError> {
    let expected = u64::from(executions);
    while rig.succeeded().await? < expected && start.elapsed() < PATIENCE {
        sleep(Duration::from_millis(10)).await;
    }
    let elapsed = start.elapsed();
    let (succeeded, arrived) = (rig.succeeded().await?, rig.arrivals().await?.len() as u64);
    if (succeeded, arrived) == (expected, expected) {
        Ok(elapsed)
    } else {
        Err(BenchError::Incomplete { expected, succeeded, arrived })
    }
}
