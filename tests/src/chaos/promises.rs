//! What holds after any weather.

use std::collections::{BTreeMap, BTreeSet};

use muster_app::audit;
use muster_app::table::{DUE_SHARDS, Order, PageRequest, Query, Record, Stored};
use muster_domain::execution::{Execution, Pinned};
use muster_domain::time::Time;
use muster_store::portable::Portable as _;

use super::installation::CANARY;
use super::scenario::History;

/// Everything that is stored, read without the weather.
async fn stored(history: &History) -> Vec<Stored> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = history.muster.table.scan(after.as_ref()).await.unwrap();
        for item in page.items {
            assert!(!item.data.contains(CANARY), "inv_f3: {:?} holds the secret", item.key);
            all.push(item.decode().unwrap());
        }
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

pub(super) async fn executions(history: &History) -> Vec<Execution> {
    let execution = |stored: Stored| Execution::try_from(stored.record).ok();
    stored(history).await.into_iter().filter_map(execution).collect()
}

/// What stands in the due-index, to be read by a person.
pub(super) async fn owed(history: &History) -> String {
    let mut owed = String::new();
    for shard in 0..DUE_SHARDS {
        let query = Query::Due { shard, until: Time::from_millis(i64::MAX) };
        let page = PageRequest { limit: 100, order: Order::Ascending, after: None };
        for found in history.muster.sound().query(&query, &page).await.unwrap().records {
            owed.push_str(&format!("{:?}\n", found.record));
        }
    }
    owed
}

pub(super) async fn check(history: &History) {
    let executions = executions(history).await;
    all_ended(history, &executions);
    started_once(history, &executions);
    sent_at_most_once(history);
    one_key_one_body(history);
    super::phased::check(history, &executions);
    chains_verify(history).await;
    no_secret_left(history);
    let (sent, ends) = (history.muster.receiver.received().len(), &history.ends);
    history.replay().await;
    assert_eq!(history.muster.receiver.received().len(), sent, "inv_g5: a replay called again");
    for execution in self::executions(history).await {
        let now = format!("{:?}", execution.state);
        assert_eq!(ends.get(&execution.id), Some(&now), "inv_g5: a replay changed {}", execution.id);
    }
}

/// A1: what was accepted has come to its end, or waits for a person.
fn all_ended(history: &History, executions: &[Execution]) {
    let by_id: BTreeMap<&str, &Execution> =
        executions.iter().map(|execution| (execution.id.as_str(), execution)).collect();
    for id in &history.executions {
        assert!(by_id.contains_key(id.as_str()), "inv_a1: {id} was accepted and is not there");
    }
    for execution in executions {
        assert!(execution.status().is_terminal(), "inv_a1: {} is {:?}", execution.id, execution.state);
    }
}

/// B5 and B6: each request made one execution, each event at most one a workflow, and here just one.
fn started_once(history: &History, executions: &[Execution]) {
    let by_hand = executions
        .iter()
        .filter(|execution| matches!(execution.pinned, Pinned::Runbook(_)) && execution.parent.is_none());
    let by_hand: BTreeSet<&str> = by_hand.map(|execution| execution.id.as_str()).collect();
    let asked: BTreeSet<&str> = history.executions.iter().map(String::as_str).collect();
    assert_eq!(by_hand, asked, "inv_b5: executions by hand");
    check_starts(executions, &history.on_created, &history.incidents);
    check_starts(executions, &history.on_resolved, &history.resolved);
}

fn check_starts(executions: &[Execution], workflow: &str, incidents: &[String]) {
    let of_it = executions.iter().filter(|execution| match &execution.pinned {
        Pinned::Workflow(pinned) => pinned.id.as_str() == workflow,
        Pinned::Runbook(_) => false,
    });
    let mut started: Vec<&str> =
        of_it.map(|execution| execution.incident.as_ref().unwrap().as_str()).collect();
    let mut expected: Vec<&str> = incidents.iter().map(String::as_str).collect();
    started.sort_unstable();
    expected.sort_unstable();
    assert_eq!(started, expected, "inv_b6: starts of {workflow}");
}

/// B1.
fn sent_at_most_once(history: &History) {
    for (attempt, times) in history.muster.receiver.arrivals() {
        assert_eq!(times, 1, "inv_b1: attempt {attempt} arrived {times} times");
    }
}

/// B4.
fn one_key_one_body(history: &History) {
    let mut bodies = BTreeMap::new();
    for received in history.muster.receiver.received() {
        let key = received.header("idempotency-key");
        let first = bodies.entry(key.clone()).or_insert_with(|| received.body.clone());
        assert_eq!(*first, received.body, "inv_b4: {key} has two bodies");
    }
}

/// F1 and F2.
async fn chains_verify(history: &History) {
    for found in stored(history).await {
        for resource in audit::resources_of(&found.record) {
            let export = audit::export_of(history.muster.sound(), &resource).await.unwrap().unwrap();
            export.verify().unwrap_or_else(|error| panic!("inv_f2: {resource}: {error}"));
            assert!(!export.entries.is_empty(), "inv_f1: {resource} has no audit");
            let Record::Execution(execution) = &found.record else { continue };
            let last = export.entries.last().unwrap();
            let ended = last.action.strip_prefix("execution.").unwrap_or_default();
            assert_ne!(ended, "accepted", "inv_f1: the end of {} is not in its audit", execution.id);
        }
    }
}

/// F3, beyond the table: `stored` looks there.
fn no_secret_left(history: &History) {
    let sent = format!("{:?}", history.courier.sent.lock().unwrap());
    assert!(!sent.contains(CANARY), "inv_f3: a message holds the secret");
    let signed = history.muster.receiver.received();
    let signed = signed.iter().filter(|received| received.header("authorization").contains(CANARY));
    assert!(signed.count() > 0, "the secret was never used: its absence proves nothing");
}
