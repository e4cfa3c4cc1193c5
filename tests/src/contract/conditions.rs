//! Conditional writes of one record.

use muster_app::table::{BodyPart, Expect, Key, Write};

use super::records::{NOON, after};
use super::records::{at_epoch, body, execution_id, idempotency, one_of_each};
use super::{Engine, on_both_engines};

on_both_engines!(
    every_kind_of_record_reads_back,
    a_record_is_created_once,
    a_record_is_replaced_at_the_version_that_was_read,
    a_record_is_deleted_at_the_version_that_was_read,
    a_deletion_of_what_is_not_there_needs_it_to_be_absent,
    a_record_can_be_made_again_after_its_deletion,
    a_commit_of_nothing_is_done,
    any_text_is_kept_as_it_is,
    an_expiry_that_moves_is_a_change_like_any_other,
);

fn key() -> Key {
    Key::Execution(execution_id(1))
}

fn delete(key: Key, expect: Expect) -> Write {
    Write::Delete { key, expect }
}

async fn every_kind_of_record_reads_back(engine: Engine) {
    for record in one_of_each() {
        assert_eq!(engine.get(&record.key()).await, None);
        engine.commit(vec![Write::create(record.clone())]).await;
        let stored = engine.get(&record.key()).await.unwrap();
        assert_eq!((stored.record, stored.version), (record, 1));
    }
}

async fn a_record_is_created_once(engine: Engine) {
    engine.commit(vec![Write::create(at_epoch(1, 1))]).await;
    assert_eq!(engine.refused(vec![Write::create(at_epoch(1, 2))]).await, [key()]);
    let stored = engine.get(&key()).await.unwrap();
    assert_eq!((stored.record, stored.version), (at_epoch(1, 1).into(), 1));
}

async fn a_record_is_replaced_at_the_version_that_was_read(engine: Engine) {
    assert_eq!(engine.refused(vec![Write::replace(at_epoch(1, 0), 1)]).await, [key()]);
    assert_eq!(engine.refused(vec![Write::replace(at_epoch(1, 0), 0)]).await, [key()]);
    engine.commit(vec![Write::create(at_epoch(1, 0))]).await;
    for version in 1..4 {
        let record = at_epoch(1, u32::try_from(version).unwrap());
        engine.commit(vec![Write::replace(record.clone(), version)]).await;
        let stored = engine.get(&key()).await.unwrap();
        assert_eq!((stored.record, stored.version), (record.into(), version + 1));
    }
    for other in [0, 3, 5, u64::MAX] {
        assert_eq!(engine.refused(vec![Write::replace(at_epoch(1, 9), other)]).await, [key()], "{other}");
    }
    assert_eq!(engine.get(&key()).await.unwrap().record, at_epoch(1, 3).into());
}

async fn a_record_is_deleted_at_the_version_that_was_read(engine: Engine) {
    engine.commit(vec![Write::create(at_epoch(1, 0))]).await;
    engine.commit(vec![Write::replace(at_epoch(1, 1), 1)]).await;
    for other in [Expect::Absent, Expect::Version(1), Expect::Version(3)] {
        assert_eq!(engine.refused(vec![delete(key(), other)]).await, [key()], "{other:?}");
    }
    engine.commit(vec![delete(key(), Expect::Version(2))]).await;
    assert_eq!(engine.get(&key()).await, None);
}

async fn a_deletion_of_what_is_not_there_needs_it_to_be_absent(engine: Engine) {
    engine.commit(vec![delete(key(), Expect::Absent)]).await;
    assert_eq!(engine.refused(vec![delete(key(), Expect::Version(1))]).await, [key()]);
}

async fn a_record_can_be_made_again_after_its_deletion(engine: Engine) {
    engine.commit(vec![Write::create(at_epoch(1, 1))]).await;
    engine.commit(vec![delete(key(), Expect::Version(1))]).await;
    engine.commit(vec![Write::create(at_epoch(1, 2))]).await;
    let stored = engine.get(&key()).await.unwrap();
    assert_eq!((stored.record, stored.version), (at_epoch(1, 2).into(), 1));
}

async fn a_commit_of_nothing_is_done(engine: Engine) {
    engine.commit(Vec::new()).await;
}

async fn any_text_is_kept_as_it_is(engine: Engine) {
    for text in [
        "",
        "\0\u{1}\u{7f}",
        "\"\\/\r\n\t",
        "Ärger 事故 🚒 e\u{301}",
        "'); DROP TABLE items; --",
        "\u{10FFFF}",
    ] {
        let record = body(1, BodyPart::Request, text);
        engine.commit(vec![Write::create(record.clone())]).await;
        let stored = engine.get(&muster_app::table::Record::from(record.clone()).key()).await.unwrap();
        assert_eq!(stored.record, record.clone().into(), "{text:?}");
        engine.commit(vec![delete(stored.record.key(), Expect::Version(1))]).await;
    }
}

async fn an_expiry_that_moves_is_a_change_like_any_other(engine: Engine) {
    let record = |expires_at| idempotency("key", expires_at);
    engine.commit(vec![Write::create(record(NOON))]).await;
    engine.commit(vec![Write::replace(record(after(9)), 1)]).await;
    let key = muster_app::table::Record::from(record(NOON)).key();
    assert_eq!(engine.get(&key).await.unwrap().record, record(after(9)).into());
}
