//! What only a service far away can meet: lost answers, contention, throttling, and work that it leaves undone.

use std::net::SocketAddr;
use std::sync::Arc;

use muster_app::table::{
    CommitError, DUE_SHARDS, Expect, Key, Order, Query, Record, Table, TableError, TableErrorKind, Write,
};
use muster_domain::audit::Resource;
use muster_domain::execution::Execution;
use muster_domain::ids::ExecutionId;
use muster_domain::runbook::Runbook;
use muster_store::dynamo::{CapacityMeter, DynamoTable};
use muster_store::lists::{Entries, Index, Listing};

use super::records::{
    NOON, after, audit, due, execution, execution_id, first, idempotency, one_of_each, runbook, runbook_id,
};
use super::refusal;
use crate::support::dynamo::{BACKOFF, Dynamo, client, plain_http};
use crate::support::faults::{Fault, Faults};

/// A table whose requests meet faults.
struct Faulty {
    table: DynamoTable,
    faults: Faults,
}

async fn faulty() -> Faulty {
    let faults = Faults::default();
    let dynamo = Dynamo::start_over(faults.http()).await;
    let table = DynamoTable::new(dynamo.client().clone(), dynamo.table()).with_backoff(BACKOFF);
    Faulty { table, faults }
}

fn key(number: u128) -> Key {
    Key::Execution(execution_id(number))
}

/// One write, and so a plain put.
fn one() -> Vec<Write> {
    vec![Write::create(execution(1))]
}

/// Several writes, and so a transaction.
fn several() -> Vec<Write> {
    vec![
        Write::create(execution(1)),
        Write::create(audit(Resource::Execution(execution_id(1)), 1, None, NOON)),
    ]
}

fn failed(outcome: Result<(), CommitError>) -> TableError {
    match outcome {
        Err(CommitError::Table(error)) => error,
        Err(CommitError::Conflict { keys }) => panic!("a conflict over {keys:?}"),
        Ok(()) => panic!("done"),
    }
}

impl Faulty {
    /// Every fault has happened, and `operation` was asked for this often.
    fn check_requests(&self, operation: &str, expected: usize) {
        assert_eq!(self.faults.left(), 0, "faults that did not happen");
        assert_eq!(self.faults.requests(operation), expected, "{operation}");
    }

    async fn version(&self, number: u128) -> Option<u64> {
        self.table.get(&key(number)).await.unwrap().map(|stored| stored.version)
    }
}

async fn check_lost_answers(writes: Vec<Write>, operation: &'static str) {
    let faulty = faulty().await;
    faulty.faults.expect(operation, Fault::AnswerLost, 2);
    faulty.table.commit(writes.clone()).await.unwrap();
    faulty.check_requests(operation, 3);
    assert_eq!(faulty.version(1).await, Some(1));
    // The very same writes of another caller are another commit, and that one comes too late.
    let keys: Vec<Key> = writes.iter().map(Write::key).collect();
    assert_eq!(refusal(faulty.table.commit(writes).await), keys);
}

#[tokio::test]
async fn inv_b5_a_put_whose_answer_was_lost_is_no_conflict_with_itself() {
    check_lost_answers(one(), "PutItem").await;
}

#[tokio::test]
async fn inv_b5_a_transaction_whose_answer_was_lost_is_no_conflict_with_itself() {
    check_lost_answers(several(), "TransactWriteItems").await;
}

#[tokio::test]
async fn a_deletion_whose_answer_was_lost_is_no_conflict_with_itself() {
    let faulty = faulty().await;
    faulty.table.commit(one()).await.unwrap();
    faulty.faults.expect("TransactWriteItems", Fault::AnswerLost, 1);
    let delete = Write::Delete { key: key(1), expect: Expect::Version(1) };
    faulty.table.commit(vec![delete]).await.unwrap();
    faulty.check_requests("TransactWriteItems", 2);
    assert_eq!(faulty.version(1).await, None);
}

/// Whoever loses an answer for good cannot know; the table can, and tells with the next read.
#[tokio::test]
async fn a_commit_whose_every_answer_is_lost_is_unavailable_and_done_once() {
    let faulty = faulty().await;
    faulty.faults.expect("PutItem", Fault::AnswerLost, 3);
    assert_eq!(failed(faulty.table.commit(one()).await).kind, TableErrorKind::Unavailable);
    faulty.check_requests("PutItem", 3);
    assert_eq!(faulty.version(1).await, Some(1));
}

async fn check_contention(writes: Vec<Write>, operation: &'static str, fault: Fault) {
    let passing = faulty().await;
    passing.faults.expect(operation, fault.clone(), 2);
    passing.table.commit(writes.clone()).await.unwrap();
    passing.check_requests(operation, 3);
    let lasting = faulty().await;
    lasting.faults.expect(operation, fault, BACKOFF.tries as usize);
    assert_eq!(refusal(lasting.table.commit(writes).await), []);
    lasting.check_requests(operation, BACKOFF.tries as usize);
    assert_eq!(lasting.version(1).await, None);
}

#[tokio::test]
async fn contention_is_waited_for_and_is_a_conflict_if_it_lasts() {
    check_contention(one(), "PutItem", Fault::Refused("TransactionConflictException")).await;
    check_contention(several(), "TransactWriteItems", Fault::Cancelled(&["None", "TransactionConflict"]))
        .await;
}

#[tokio::test]
async fn a_failed_condition_is_not_tried_again() {
    let faulty = faulty().await;
    let reasons = &["None", "ConditionalCheckFailed"];
    faulty.faults.expect("TransactWriteItems", Fault::Cancelled(reasons), 1);
    let writes = several();
    let second = writes[1].key();
    assert_eq!(refusal(faulty.table.commit(writes).await), [second]);
    faulty.check_requests("TransactWriteItems", 1);
}

async fn check_throttling(writes: Vec<Write>, operation: &'static str, fault: Fault, tries: usize) {
    let passing = faulty().await;
    passing.faults.expect(operation, fault.clone(), tries - 1);
    passing.table.commit(writes.clone()).await.unwrap();
    passing.check_requests(operation, tries);
    let lasting = faulty().await;
    lasting.faults.expect(operation, fault, tries);
    let error = failed(lasting.table.commit(writes).await);
    assert_eq!(error.kind, TableErrorKind::Unavailable, "{error:?}");
    lasting.check_requests(operation, tries);
    assert_eq!(lasting.version(1).await, None);
}

#[tokio::test]
async fn throttling_is_waited_for_and_is_unavailable_if_it_lasts() {
    // The client's own three tries.
    check_throttling(one(), "PutItem", Fault::Refused("ThrottlingException"), 3).await;
    check_throttling(one(), "PutItem", Fault::Refused("ProvisionedThroughputExceededException"), 3).await;
    check_throttling(several(), "TransactWriteItems", Fault::Refused("RequestLimitExceeded"), 3).await;
    // Within a transaction only the table can see it.
    let tries = BACKOFF.tries as usize;
    check_throttling(several(), "TransactWriteItems", Fault::Cancelled(&["ThrottlingError"]), tries).await;
    let reasons = &["None", "ProvisionedThroughputExceeded"];
    check_throttling(several(), "TransactWriteItems", Fault::Cancelled(reasons), tries).await;
}

#[tokio::test]
async fn what_can_never_be_done_is_not_tried_again() {
    for (writes, operation, fault) in [
        (one(), "PutItem", Fault::Refused("ValidationException")),
        (several(), "TransactWriteItems", Fault::Refused("IdempotentParameterMismatchException")),
        (several(), "TransactWriteItems", Fault::Cancelled(&["ValidationError", "None"])),
    ] {
        let faulty = faulty().await;
        faulty.faults.expect(operation, fault.clone(), 1);
        assert_eq!(failed(faulty.table.commit(writes).await).kind, TableErrorKind::Invalid, "{fault:?}");
        faulty.check_requests(operation, 1);
    }
}

#[tokio::test]
async fn throttled_reads_are_tried_again_and_unavailable_if_it_lasts() {
    let faulty = faulty().await;
    faulty.table.commit(one()).await.unwrap();
    let throttled = Fault::Refused("ThrottlingException");
    faulty.faults.expect("GetItem", throttled.clone(), 2);
    assert_eq!(faulty.version(1).await, Some(1));
    faulty.faults.expect("GetItem", throttled.clone(), 3);
    let error = faulty.table.get(&key(1)).await.unwrap_err();
    assert_eq!(error.kind, TableErrorKind::Unavailable, "{error:?}");
    faulty.check_requests("GetItem", 6);
    faulty.faults.expect("Query", throttled, 3);
    let error = faulty.table.query(&Query::Runbooks, &first(1, Order::Ascending)).await.unwrap_err();
    assert_eq!(error.kind, TableErrorKind::Unavailable, "{error:?}");
}

#[tokio::test]
async fn a_batch_is_read_whole_or_not_at_all() {
    let faulty = faulty().await;
    let records = one_of_each();
    faulty.table.commit(records.iter().cloned().map(Write::create).collect()).await.unwrap();
    let keys: Vec<Key> = records.iter().map(Record::key).collect();
    let tries = BACKOFF.tries as usize;
    faulty.faults.expect("BatchGetItem", Fault::Unprocessed, tries - 1);
    assert_eq!(faulty.table.batch_get(&keys).await.unwrap().len(), records.len());
    faulty.check_requests("BatchGetItem", tries);
    faulty.faults.expect("BatchGetItem", Fault::Unprocessed, tries);
    let error = faulty.table.batch_get(&keys).await.unwrap_err();
    assert_eq!(error.kind, TableErrorKind::Unavailable, "{error:?}");
    faulty.check_requests("BatchGetItem", 2 * tries);
}

#[tokio::test]
async fn a_list_reads_its_records_again_as_patiently_as_a_batch() {
    let faulty = faulty().await;
    faulty.table.commit(one()).await.unwrap();
    faulty.faults.expect("BatchGetItem", Fault::Unprocessed, 2);
    let executions = Query::ExecutionsOfRunbook { runbook: runbook_id(1) };
    let page = faulty.table.query(&executions, &first(10, Order::Ascending)).await.unwrap();
    assert_eq!(page.records.len(), 1);
    faulty.check_requests("BatchGetItem", 3);
}

/// An index is told of a change some time after it. Who asks must not be shown a runbook that was deleted, nor an
/// execution as due that is no longer.
#[tokio::test]
async fn an_index_that_lags_shows_nothing_that_has_gone_or_moved() {
    let faulty = faulty().await;
    let deleted = Runbook { deleted_at: Some(NOON), ..runbook(1, None) };
    let moved = due(1, after(60));
    let listed = Query::Runbooks;
    let shard = (0..DUE_SHARDS).find(|shard| is_in_shard(*shard, &moved)).unwrap();
    let is_due = Query::Due { shard, until: NOON };
    faulty.table.commit(vec![Write::create(deleted), Write::create(moved)]).await.unwrap();
    let gone = execution_id(2);
    let due_row = |id: &ExecutionId| {
        let sort_key = format!("{:015}#EX#{id}", NOON.millis());
        vec![("pk", format!("EX#{id}")), ("sk", "HEAD".into()), ("due_sk", sort_key)]
    };
    let id = runbook_id(1).to_string();
    let runbook_row = vec![("pk", format!("RB#{id}")), ("sk", "HEAD".into()), ("list1_sk", id)];
    for (query, row) in
        [(&listed, runbook_row), (&is_due, due_row(&execution_id(1))), (&is_due, due_row(&gone))]
    {
        faulty.faults.expect("Query", Fault::Stale(row), 1);
        let page = faulty.table.query(query, &first(10, Order::Ascending)).await.unwrap();
        assert_eq!((page.records, page.next), (Vec::new(), None), "{query:?}");
    }
    faulty.check_requests("BatchGetItem", 3);
}

fn is_in_shard(shard: u8, execution: &Execution) -> bool {
    let entries = Entries::of(&execution.clone().into());
    entries.due.is_some_and(|due| due.pk == Listing::of(&Query::Due { shard, until: NOON }).partition)
}

/// An engine in one process is consistent whatever it is asked for; DynamoDB is so only if it is asked to be.
#[tokio::test]
async fn reads_by_key_and_of_partitions_ask_to_be_consistent() {
    let faulty = faulty().await;
    faulty.table.commit(vec![Write::create(execution(1))]).await.unwrap();
    let page = first(1, Order::Ascending);
    faulty.table.get(&key(1)).await.unwrap();
    faulty.table.query(&Query::VersionsOfRunbook { runbook: runbook_id(1) }, &page).await.unwrap();
    faulty.table.query(&Query::ExecutionsOfRunbook { runbook: runbook_id(1) }, &page).await.unwrap();
    assert_eq!(faulty.faults.bodies("GetItem")[0]["ConsistentRead"], true);
    let queries = faulty.faults.bodies("Query");
    assert_eq!(queries[0]["ConsistentRead"], true);
    // DynamoDB refuses that for an index; its items are read again instead.
    assert_ne!(queries[1]["ConsistentRead"], true);
    let batch = &faulty.faults.bodies("BatchGetItem")[0]["RequestItems"];
    let tables: Vec<&serde_json::Value> = batch.as_object().unwrap().values().collect();
    assert_eq!(tables[0]["ConsistentRead"], true);
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_is_unavailable() {
    // A port that was free a moment ago, and that nobody listens on.
    let nowhere: SocketAddr = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let table = DynamoTable::new(client(nowhere, plain_http()), "muster");
    assert_eq!(failed(table.commit(one()).await).kind, TableErrorKind::Unavailable);
    assert_eq!(table.get(&key(1)).await.unwrap_err().kind, TableErrorKind::Unavailable);
}

/// A table that does not exist yet is for an operator to mend, after which the same call succeeds.
#[tokio::test]
async fn a_missing_table_is_unavailable() {
    let dynamo = Dynamo::start().await;
    let table = DynamoTable::new(dynamo.client().clone(), "no-such-table");
    let error = table.get(&key(1)).await.unwrap_err();
    assert_eq!(error.kind, TableErrorKind::Unavailable, "{error:?}");
}

#[tokio::test]
async fn the_meter_counts_requests_and_units_of_the_table_and_its_indexes() {
    let meter = Arc::<CapacityMeter>::default();
    let dynamo = Dynamo::start().await;
    let table = DynamoTable::new(dynamo.client().clone(), dynamo.table()).with_meter(Arc::clone(&meter));
    // An item of under 1 KB is one unit, and another in each of its two indexes.
    table.commit(vec![Write::create(due(1, NOON))]).await.unwrap();
    let put = meter.consumed();
    assert_eq!((put.writes, put.transactions, put.write_units), (1, 0, 3.0));
    // What moves in an index is taken out and put in again.
    table.commit(vec![Write::replace(due(1, after(1)), 1)]).await.unwrap();
    assert_eq!(meter.consumed().write_units - put.write_units, 3.0);
    let moved = meter.consumed();
    table
        .commit(vec![Write::create(idempotency("a", NOON)), Write::create(idempotency("b", NOON))])
        .await
        .unwrap();
    let transaction = meter.consumed();
    assert_eq!((transaction.transactions, transaction.write_units - moved.write_units), (1, 4.0));
    // A consistent read of under 4 KB is one unit.
    table.get(&key(1)).await.unwrap();
    assert_eq!((meter.consumed().reads, meter.consumed().read_units), (1, 1.0));
    table.get(&key(2)).await.unwrap();
    table.batch_get(&[key(1), key(2)]).await.unwrap();
    assert_eq!(meter.consumed().reads, 3);
}

/// The table that is deployed has the indexes that the code asks.
#[test]
fn the_template_declares_every_index() {
    let template = include_str!("../../../infra/template.yaml");
    for index in Index::ALL {
        let (name, pk, sk) = (index.name(), index.pk_attribute(), index.sk_attribute());
        for line in [
            format!("- IndexName: {name}\n"),
            format!("- {{ AttributeName: {pk}, AttributeType: S }}\n"),
            format!("- {{ AttributeName: {sk}, AttributeType: S }}\n"),
            format!("- {{ AttributeName: {pk}, KeyType: HASH }}\n"),
            format!("- {{ AttributeName: {sk}, KeyType: RANGE }}\n"),
        ] {
            assert!(template.contains(&line), "infra/template.yaml should declare {line}");
        }
    }
}
