//! Several records at once: commits of many writes, and reads of many keys.

use muster_app::table::{Expect, Key, Write};
use muster_domain::audit::Resource;

use super::records::{NOON, at_epoch, audit, execution, execution_id, idempotency, one_of_each};
use super::{Engine, on_both_engines};

on_both_engines!(
    inv_f1_state_and_audit_commit_together,
    a_refused_commit_names_every_condition_that_failed_and_changes_nothing,
    creations_replacements_and_deletions_commit_together,
    the_same_commit_sent_twice_is_done_once,
    a_batch_holds_what_is_there,
    a_batch_of_the_most_keys_reads_them_all,
);

fn key(number: u128) -> Key {
    Key::Execution(execution_id(number))
}

async fn inv_f1_state_and_audit_commit_together(engine: Engine) {
    let resource = Resource::Execution(execution_id(1));
    let entry = |seq| Write::create(audit(resource.clone(), seq, None, NOON));
    engine.commit(vec![Write::create(at_epoch(1, 0)), entry(1)]).await;
    // The state may change, but its entry is already there; and the other way round.
    assert_eq!(
        engine.refused(vec![Write::replace(at_epoch(1, 1), 1), entry(1)]).await,
        [Key::Audit(resource.clone(), 1)]
    );
    assert_eq!(engine.refused(vec![Write::replace(at_epoch(1, 1), 7), entry(2)]).await, [key(1)]);
    assert_eq!(engine.get(&key(1)).await.unwrap().record, at_epoch(1, 0).into());
    assert_eq!(engine.get(&Key::Audit(resource.clone(), 2)).await, None);
    engine.commit(vec![Write::replace(at_epoch(1, 1), 1), entry(2)]).await;
    assert_eq!(engine.get(&key(1)).await.unwrap().record, at_epoch(1, 1).into());
    assert!(engine.get(&Key::Audit(resource, 2)).await.is_some());
}

async fn a_refused_commit_names_every_condition_that_failed_and_changes_nothing(engine: Engine) {
    engine.commit((0..4).map(|number| Write::create(execution(number))).collect()).await;
    for failing in 1..16_u32 {
        let fails = |number: u128| failing & (1 << number) != 0;
        let write = |number| Write::replace(at_epoch(number, 9), if fails(number) { 2 } else { 1 });
        let expected: Vec<Key> = (0..4).filter(|number| fails(*number)).map(key).collect();
        assert_eq!(engine.refused((0..4).map(write).collect()).await, expected, "{failing:04b}");
    }
    for number in 0..4 {
        let stored = engine.get(&key(number)).await.unwrap();
        assert_eq!((stored.record, stored.version), (execution(number).into(), 1));
    }
}

async fn creations_replacements_and_deletions_commit_together(engine: Engine) {
    engine.commit(vec![Write::create(execution(1)), Write::create(execution(2))]).await;
    engine
        .commit(vec![
            Write::replace(at_epoch(1, 1), 1),
            Write::Delete { key: key(2), expect: Expect::Version(1) },
            Write::create(execution(3)),
            Write::Delete { key: key(4), expect: Expect::Absent },
        ])
        .await;
    assert_eq!(engine.get(&key(1)).await.unwrap().record, at_epoch(1, 1).into());
    assert_eq!(engine.get(&key(2)).await, None);
    assert_eq!(engine.get(&key(3)).await.unwrap().version, 1);
}

/// A second sending is another commit, whose conditions no longer hold: only so can a caller trust that a commit
/// that was done was its own.
async fn the_same_commit_sent_twice_is_done_once(engine: Engine) {
    let create = || vec![Write::create(execution(1)), Write::create(idempotency("key", NOON))];
    let replace = || vec![Write::replace(at_epoch(1, 1), 1)];
    let keys: Vec<Key> = create().iter().map(Write::key).collect();
    engine.commit(create()).await;
    assert_eq!(engine.refused(create()).await, keys);
    engine.commit(replace()).await;
    assert_eq!(engine.refused(replace()).await, [key(1)]);
    assert_eq!(engine.get(&key(1)).await.unwrap().version, 2);
}

async fn a_batch_holds_what_is_there(engine: Engine) {
    let table = &engine.table;
    assert!(table.batch_get(&[]).await.unwrap().is_empty());
    let records = one_of_each();
    engine.commit(records.iter().cloned().map(Write::create).collect()).await;
    let mut keys: Vec<Key> = records.iter().map(|record| record.key()).collect();
    // Keys without a record are left out, and one that is named twice is there once.
    keys.extend([key(77), keys[0].clone()]);
    let found = table.batch_get(&keys).await.unwrap();
    assert_eq!(found.len(), records.len());
    for record in records {
        let stored = &found[&record.key()];
        assert_eq!((&stored.record, stored.version), (&record, 1));
    }
}

async fn a_batch_of_the_most_keys_reads_them_all(engine: Engine) {
    engine.commit((0..100).map(|number| Write::create(execution(number))).collect()).await;
    let keys: Vec<Key> = (0..100).map(key).collect();
    let found = engine.table.batch_get(&keys).await.unwrap();
    assert_eq!(found.into_keys().collect::<Vec<_>>(), keys);
}
