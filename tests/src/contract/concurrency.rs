//! Commits at the same moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::join_all;
use muster_app::table::{CommitError, Key, Record, Table, Write};

use super::records::{at_epoch, control, execution, execution_id};
use super::{Engine, on_both_engines};

on_both_engines!(
    of_many_commits_that_exclude_each_other_exactly_one_is_done,
    of_many_equal_commits_exactly_one_is_done,
    of_many_equal_commits_of_several_writes_exactly_one_is_done,
    commits_that_have_nothing_in_common_are_all_done,
    no_increment_is_lost,
);

/// As many as the local worker has jobs in flight.
const CALLERS: u32 = 256;

/// Runs all commits at once; how many were done.
async fn winners(engine: &Engine, commits: impl Iterator<Item = Vec<Write>>) -> usize {
    let outcomes = join_all(commits.map(|writes| engine.table.commit(writes))).await;
    let mut done = 0;
    for outcome in outcomes {
        match outcome {
            Ok(()) => done += 1,
            Err(CommitError::Conflict { .. }) => {}
            Err(CommitError::Table(error)) => panic!("{error:?}"),
        }
    }
    done
}

async fn of_many_commits_that_exclude_each_other_exactly_one_is_done(engine: Engine) {
    engine.commit(vec![Write::create(at_epoch(1, 0))]).await;
    let claims = (1..=CALLERS).map(|epoch| vec![Write::replace(at_epoch(1, epoch), 1)]);
    assert_eq!(winners(&engine, claims).await, 1);
    assert_eq!(engine.get(&Key::Execution(execution_id(1))).await.unwrap().version, 2);
}

/// Two workers that claim in the same millisecond write the same bytes. Both going on would be two calls.
async fn of_many_equal_commits_exactly_one_is_done(engine: Engine) {
    engine.commit(vec![Write::create(at_epoch(1, 0))]).await;
    let claims = (0..CALLERS).map(|_| vec![Write::replace(at_epoch(1, 1), 1)]);
    assert_eq!(winners(&engine, claims).await, 1);
}

async fn of_many_equal_commits_of_several_writes_exactly_one_is_done(engine: Engine) {
    let writes = || {
        let scope = muster_domain::control::Scope::Global;
        vec![Write::create(execution(1)), Write::create(control(scope))]
    };
    assert_eq!(winners(&engine, (0..64).map(|_| writes())).await, 1);
}

async fn commits_that_have_nothing_in_common_are_all_done(engine: Engine) {
    let commits = (0..u128::from(CALLERS))
        .map(|number| vec![Write::create(execution(number)), Write::create(execution(number + 1_000))]);
    assert_eq!(winners(&engine, commits).await, CALLERS as usize);
}

/// Reads, adds one and writes, until it is done.
async fn increment(table: Arc<dyn Table>) {
    let key = Key::Execution(execution_id(1));
    loop {
        let stored = table.get(&key).await.unwrap().unwrap();
        let Record::Execution(mut execution) = stored.record else {
            panic!("not an execution");
        };
        execution.epoch += 1;
        match table.commit(vec![Write::replace(execution, stored.version)]).await {
            Ok(()) => return,
            Err(CommitError::Conflict { .. }) => {}
            Err(CommitError::Table(error)) => panic!("{error:?}"),
        }
    }
}

async fn no_increment_is_lost(engine: Engine) {
    engine.commit(vec![Write::create(at_epoch(1, 0))]).await;
    join_all((0..16).map(|_| increment(Arc::clone(&engine.table)))).await;
    let stored: BTreeMap<_, _> = engine.table.batch_get(&[Key::Execution(execution_id(1))]).await.unwrap();
    let stored = stored.into_values().next().unwrap();
    assert_eq!((stored.record, stored.version), (at_epoch(1, 16).into(), 17));
}
