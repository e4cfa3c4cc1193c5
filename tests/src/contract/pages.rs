//! Pages of a list, in both orders.

use muster_app::table::{Expect, Key, Order, PageRequest, Query, Write};

use super::records::{
    MOST_PAGES, NOON, audit, due, execution, execution_id, first, keys, runbook_id, version,
};
use super::{Engine, on_both_engines};

on_both_engines!(
    pages_of_an_index_of_every_size_in_both_orders_make_the_whole_list,
    pages_of_a_partition_of_every_size_in_both_orders_make_the_whole_list,
    the_last_page_says_so,
    a_page_goes_on_after_a_record_that_has_gone,
    a_list_of_nothing_is_one_empty_page,
    a_page_of_the_due_index_goes_on_within_one_moment,
    versions_are_in_the_order_of_their_numbers,
);

fn executions() -> Query {
    Query::ExecutionsOfRunbook { runbook: runbook_id(1) }
}

/// The keys of a list, page by page.
async fn pages(engine: &Engine, query: &Query, limit: u32, order: Order) -> Vec<Vec<Key>> {
    let mut request = first(limit, order);
    let mut pages = Vec::new();
    for _ in 0..MOST_PAGES {
        let page = engine.page(query, &request).await;
        pages.push(keys(&page.records));
        request.after = page.next;
        if request.after.is_none() {
            return pages;
        }
    }
    panic!("{query:?} does not end");
}

async fn check_pages(engine: &Engine, query: &Query, mut expected: Vec<Key>) {
    for order in [Order::Ascending, Order::Descending] {
        for limit in 1..=8 {
            let chunks: Vec<Vec<Key>> = expected.chunks(limit as usize).map(<[Key]>::to_vec).collect();
            assert_eq!(pages(engine, query, limit, order).await, chunks, "{order:?} by {limit}");
        }
        expected.reverse();
    }
}

async fn pages_of_an_index_of_every_size_in_both_orders_make_the_whole_list(engine: Engine) {
    // Written in no order at all.
    for number in [4, 1, 6, 0, 3, 5, 2] {
        engine.commit(vec![Write::create(execution(number))]).await;
    }
    let expected = (0..7).map(|number| Key::Execution(execution_id(number))).collect();
    check_pages(&engine, &executions(), expected).await;
}

async fn pages_of_a_partition_of_every_size_in_both_orders_make_the_whole_list(engine: Engine) {
    let resource = muster_domain::audit::Resource::Runbook(runbook_id(1));
    for seq in [4, 1, 6, 3, 5, 2, 7] {
        engine.commit(vec![Write::create(audit(resource.clone(), seq, None, NOON))]).await;
    }
    let expected = (1..8).map(|seq| Key::Audit(resource.clone(), seq)).collect();
    check_pages(&engine, &Query::AuditOfResource { resource: resource.clone() }, expected).await;
}

async fn the_last_page_says_so(engine: Engine) {
    for number in 0..4 {
        engine.commit(vec![Write::create(execution(number))]).await;
    }
    for (limit, more) in [(3, true), (4, false), (5, false), (100, false)] {
        let page = engine.page(&executions(), &first(limit, Order::Ascending)).await;
        assert_eq!(page.next.is_some(), more, "{limit}");
    }
}

async fn a_page_goes_on_after_a_record_that_has_gone(engine: Engine) {
    for number in 0..4 {
        engine.commit(vec![Write::create(execution(number))]).await;
    }
    for (order, gone, next) in [(Order::Ascending, 1, 2), (Order::Descending, 2, 0)] {
        let page = engine.page(&executions(), &first(2, order)).await;
        let key = Key::Execution(execution_id(gone));
        assert_eq!(page.records.last().unwrap().record.key(), key);
        engine.commit(vec![Write::Delete { key, expect: Expect::Version(1) }]).await;
        let request = PageRequest { after: page.next, ..first(1, order) };
        let page = engine.page(&executions(), &request).await;
        assert_eq!(keys(&page.records), [Key::Execution(execution_id(next))]);
    }
}

async fn a_list_of_nothing_is_one_empty_page(engine: Engine) {
    let page = engine.page(&executions(), &first(1, Order::Descending)).await;
    assert_eq!((page.records.len(), page.next), (0, None));
}

async fn a_page_of_the_due_index_goes_on_within_one_moment(engine: Engine) {
    for number in 0..40 {
        engine.commit(vec![Write::create(due(number, NOON))]).await;
    }
    let mut found = Vec::new();
    for shard in 0..muster_app::table::DUE_SHARDS {
        found.extend(engine.list(&Query::Due { shard, until: NOON }).await);
    }
    let mut found = keys(&found);
    found.sort();
    assert_eq!(found, (0..40).map(|number| Key::Execution(execution_id(number))).collect::<Vec<_>>());
}

async fn versions_are_in_the_order_of_their_numbers(engine: Engine) {
    let numbers = [2, 10, 1, 9, 11, 100];
    for number in numbers {
        engine.commit(vec![Write::create(version(1, number, String::new()))]).await;
    }
    // What shares the partition is not a version.
    engine.commit(vec![Write::create(super::records::runbook(1, None))]).await;
    let found = keys(&engine.list(&Query::VersionsOfRunbook { runbook: runbook_id(1) }).await);
    let expected = [1, 2, 9, 10, 11, 100].map(|number| Key::RunbookVersion(runbook_id(1), number));
    assert_eq!(found, expected);
}
