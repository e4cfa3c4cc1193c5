//! What no engine does: both refuse it before anything is asked of them, as a defect of the caller.

use muster_app::table::{
    BodyPart, CommitError, Key, Order, PageRequest, Query, Record, TableError, TableErrorKind, Write,
};

use super::records::{NOON, after, body, execution, execution_id, incident_id, runbook_id, version};
use super::{Engine, on_both_engines};

on_both_engines!(
    large_records_are_kept_whole,
    a_record_that_is_too_large_is_refused,
    a_commit_of_too_many_or_too_large_writes_is_refused,
    a_key_that_is_written_twice_is_refused,
    a_batch_of_too_many_keys_is_refused,
    a_page_of_no_or_too_many_records_is_refused,
    a_page_after_what_the_list_cannot_hold_is_refused,
    lists_and_batches_of_large_records_are_read_in_full,
);

const LARGE: usize = 300 * 1024;

fn large(number: u32) -> Record {
    body(1, BodyPart::Response(number), &"é".repeat(LARGE / 2)).into()
}

fn check_invalid(error: &TableError) {
    assert_eq!(error.kind, TableErrorKind::Invalid, "{error:?}");
    assert!(!error.kind.retryable());
}

async fn check_refused(engine: &Engine, writes: Vec<Write>) {
    match engine.table.commit(writes).await {
        Err(CommitError::Table(error)) => check_invalid(&error),
        Err(CommitError::Conflict { keys }) => panic!("a conflict over {keys:?}"),
        Ok(()) => panic!("done"),
    }
}

async fn large_records_are_kept_whole(engine: Engine) {
    engine.commit(vec![Write::create(large(1))]).await;
    assert_eq!(engine.get(&large(1).key()).await.unwrap().record, large(1));
    engine.commit((2..12).map(|number| Write::create(large(number))).collect()).await;
    assert_eq!(engine.get(&large(11).key()).await.unwrap().record, large(11));
}

async fn a_record_that_is_too_large_is_refused(engine: Engine) {
    let record = body(1, BodyPart::Request, &"x".repeat(400 * 1024));
    check_refused(&engine, vec![Write::create(record.clone())]).await;
    check_refused(&engine, vec![Write::create(execution(1)), Write::create(record)]).await;
    assert_eq!(engine.get(&Key::Execution(execution_id(1))).await, None);
}

async fn a_commit_of_too_many_or_too_large_writes_is_refused(engine: Engine) {
    check_refused(&engine, (0..101).map(|number| Write::create(execution(number))).collect()).await;
    check_refused(&engine, (0..14).map(|number| Write::create(large(number))).collect()).await;
    assert_eq!(engine.get(&large(0).key()).await, None);
}

async fn a_key_that_is_written_twice_is_refused(engine: Engine) {
    check_refused(&engine, vec![Write::create(execution(1)), Write::replace(execution(1), 1)]).await;
    assert_eq!(engine.get(&Key::Execution(execution_id(1))).await, None);
}

async fn a_batch_of_too_many_keys_is_refused(engine: Engine) {
    let keys: Vec<Key> = (0..101).map(|number| Key::Execution(execution_id(number))).collect();
    check_invalid(&engine.table.batch_get(&keys).await.unwrap_err());
}

async fn a_page_of_no_or_too_many_records_is_refused(engine: Engine) {
    for limit in [0, 101, u32::MAX] {
        let page = PageRequest { limit, order: Order::Ascending, after: None };
        check_invalid(&engine.table.query(&Query::Runbooks, &page).await.unwrap_err());
    }
}

async fn a_page_after_what_the_list_cannot_hold_is_refused(engine: Engine) {
    let versions = Query::VersionsOfRunbook { runbook: runbook_id(1) };
    let due = Query::Due { shard: 0, until: NOON };
    let late = format!("{:015}#EX#{}", after(1).millis(), execution_id(1));
    for (query, after) in [
        (&Query::Runbooks, String::new()),
        (&Query::Runbooks, incident_id(1).to_string()),
        (&versions, "HEAD".into()),
        (&versions, "~".into()),
        (&due, late),
    ] {
        let page = PageRequest { limit: 1, order: Order::Ascending, after: Some(after) };
        check_invalid(&engine.table.query(query, &page).await.unwrap_err());
    }
}

/// DynamoDB answers with at most 1 MB of a list and 16 MB of a batch; callers need not know.
async fn lists_and_batches_of_large_records_are_read_in_full(engine: Engine) {
    let record = |number| version(1, number, "v".repeat(LARGE));
    for number in 1..=60 {
        engine.commit(vec![Write::create(record(number))]).await;
    }
    let versions = engine.list(&Query::VersionsOfRunbook { runbook: runbook_id(1) }).await;
    let expected: Vec<Record> = (1..=60).map(|number| record(number).into()).collect();
    assert!(versions.into_iter().map(|stored| stored.record).eq(expected.iter().cloned()));
    let keys: Vec<Key> = expected.iter().map(Record::key).collect();
    let found = engine.table.batch_get(&keys).await.unwrap();
    assert!(found.into_values().map(|stored| stored.record).eq(expected));
}
