//! `kill -9` under load: nothing accepted is lost, nothing is sent twice, nothing that ended changes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::person::Person;
use super::server::Server;
use super::{ann, approved_runbook, data_dir, eventually};
use crate::support::receiver::Receiver;

/// Executions that are asked for in each round, and by how many clients at once.
const EXECUTIONS: usize = 300;
const CLIENTS: usize = 16;
/// The kill comes when this many calls of the round have arrived: early, in the middle, and near the end.
const ROUNDS: [usize; 4] = [5, 100, 200, 280];

/// Twice what is promised, for a busy machine. The leases of a killed server would last 30 s.
const MOVED_ON: Duration = Duration::from_secs(20);

/// Executions by id, as the API shows them.
type Seen = BTreeMap<String, Value>;

#[tokio::test]
async fn inv_a6_b1_g1_kill_nine_under_load_loses_nothing_and_sends_nothing_twice() {
    let (_parent, data) = data_dir();
    let receiver = Receiver::start().await;
    let target = receiver.target();
    let arguments = ["--allow-egress", target.as_str()];
    let server = Server::start(&data, &arguments).await;
    let execute = approved_runbook(&server, &receiver.url("/restart")).await;
    server.kill();
    for kill_after in ROUNDS {
        let arrived_before = receiver.received().len();
        let killed =
            round(&data, &arguments, &execute, || receiver.received().len() >= arrived_before + kill_after)
                .await;
        let server = Server::start(&data, &arguments).await;
        let after = until_all_ended(&server, &execute).await;
        assert_nothing_lost(&killed, &after);
        assert_nothing_sent_twice(&receiver);
        assert!(after.values().any(interrupted), "no kill met a call in flight: the test proves nothing");
    }
}

/// What a killed server left.
struct Killed {
    /// Ids that were answered with 202.
    accepted: Vec<String>,
    /// Executions that were seen to have ended.
    ended: Seen,
}

/// Loads a server until `enough`, and kills it.
async fn round(data: &Path, arguments: &[&str], execute: &str, enough: impl Fn() -> bool) -> Killed {
    let server = Server::start(data, arguments).await;
    let ann = ann(&server);
    let accepted = Arc::<Mutex<Vec<String>>>::default();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(ask(ann.clone(), execute.to_owned(), Arc::clone(&accepted)));
    }
    eventually("enough to have arrived", async || enough().then_some(())).await;
    let ended = ended_of(newest(&ann, execute).await);
    server.kill();
    clients.join_all().await;
    let accepted = accepted.lock().unwrap().clone();
    assert!(accepted.len() >= CLIENTS, "the round had no load: {} accepted", accepted.len());
    Killed { accepted, ended }
}

/// Asks for executions until it gets no answer any more.
async fn ask(ann: Person, execute: String, accepted: Arc<Mutex<Vec<String>>>) {
    for _ in 0..EXECUTIONS / CLIENTS {
        let Ok(answer) = ann.try_post(&execute, json!({})).await else {
            return;
        };
        let body = answer.expect(202);
        accepted.lock().unwrap().push(body["execution"]["id"].as_str().unwrap().to_owned());
    }
}

/// Every execution of the runbook, once each of them has succeeded: also those whose acceptance nobody was told.
async fn until_all_ended(server: &Server, execute: &str) -> Seen {
    let (ann, start) = (ann(server), Instant::now());
    let all = eventually("every execution to succeed", async || {
        let all = every(&ann, execute).await;
        all.values().all(|execution| execution["status"] == "SUCCESS").then_some(all)
    })
    .await;
    assert!(start.elapsed() < MOVED_ON, "it took {:?} to go on", start.elapsed());
    all
}

/// Whether an attempt of it ended without anybody knowing how.
fn interrupted(execution: &Value) -> bool {
    execution["steps"][0]["attempts"][0]["outcome"] == "unknown"
}

/// The newest hundred.
async fn newest(ann: &Person, execute: &str) -> Seen {
    let (list, _) = page(ann, execute, None).await;
    list
}

async fn every(ann: &Person, execute: &str) -> Seen {
    let (mut all, mut next) = page(ann, execute, None).await;
    while let Some(cursor) = next {
        let (more, after) = page(ann, execute, Some(cursor)).await;
        all.extend(more);
        next = after;
    }
    all
}

async fn page(ann: &Person, execute: &str, cursor: Option<String>) -> (Seen, Option<String>) {
    let list = execute.replace("/execute", "/executions");
    let cursor = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
    let body = ann.get(&format!("{list}?limit=100{cursor}")).await.expect(200);
    let items = body["items"].as_array().unwrap().iter();
    let seen = items.map(|item| (item["id"].as_str().unwrap().to_owned(), item.clone())).collect();
    (seen, body["nextCursor"].as_str().map(str::to_owned))
}

fn ended_of(seen: Seen) -> Seen {
    seen.into_iter().filter(|(_, execution)| execution["endedAt"].is_string()).collect()
}

#[track_caller]
fn assert_nothing_lost(killed: &Killed, after: &Seen) {
    for id in &killed.accepted {
        assert!(after.contains_key(id), "{id} was accepted and is lost");
    }
    for (id, before) in &killed.ended {
        assert_eq!(&after[id], before, "{id} had ended and was changed");
    }
}

#[track_caller]
fn assert_nothing_sent_twice(receiver: &Receiver) {
    let repeated: Vec<_> = receiver.arrivals().into_iter().filter(|(_, times)| *times > 1).collect();
    assert!(repeated.is_empty(), "attempts that arrived more than once: {repeated:?}");
}
