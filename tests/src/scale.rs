//! How an installation's load spreads over the partitions of DynamoDB, by the keys that are really written.
//!
//! `cargo test -p muster-tests scale -- --nocapture` prints the figures of `docs/SCALE.md`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use muster_app::ports::Clock as _;
use muster_app::table::{DUE_SHARDS, Record, Write};
use muster_domain::execution::ExecutionStatus;
use muster_domain::ids::ExecutionId;
use muster_store::items::Item;
use muster_store::keys::ItemKey;
use muster_store::lists::{Entries, Index};
use serde_json::json;

use crate::engine::matching::{keep, workflow};
use crate::engine::{accepted, approved, check_status, execution};
use crate::support::recorded::RecordedTable;
use crate::support::world::{Engine, World, settings};

/// What one partition of a table or an index takes in a second (AWS, "Burst and adaptive capacity").
const UNITS_OF_A_PARTITION: usize = 1_000;

/// Write units by partition, as in `table EX#…` or `list1 AUDIT#ops#…`.
type Units = BTreeMap<String, usize>;

/// What is written to a world's table.
type Written = Mutex<Vec<Write>>;

/// Adds up what `work` writes, partition by partition, after it has emptied the list of what it prepared.
async fn units_of(work: impl AsyncFnOnce(&World, &Written)) -> Units {
    let directory = tempfile::tempdir().unwrap();
    let written = Arc::<Written>::default();
    let inner = Engine::Sqlite.table(&directory).await;
    let table = RecordedTable { inner, written: Arc::clone(&written) };
    let world = World::over(Arc::new(table), directory, settings()).await;
    work(&world, &written).await;
    add_up(&written.lock().unwrap())
}

fn add_up(writes: &[Write]) -> Units {
    let (mut units, mut entries) = (Units::new(), BTreeMap::<ItemKey, Entries>::new());
    let mut add = |place: &str, partition: &str, count: usize| {
        *units.entry(format!("{place} {partition}")).or_default() += count;
    };
    for write in writes {
        let Write::Put { record, .. } = write else { continue };
        let item = Item::of(record, 1).unwrap();
        add("table", &item.key.pk, item.data.len().div_ceil(1_024));
        let before = entries.insert(item.key.clone(), item.entries.clone()).unwrap_or_default();
        for index in Index::ALL {
            let (old, new) = (before.get(index), item.entries.get(index));
            if old == new {
                continue;
            }
            // A row that goes and a row that comes are a write each.
            for entry in [old, new].into_iter().flatten() {
                add(index.name(), &entry.pk, 1);
            }
        }
    }
    units
}

/// The partitions that many executions share, with how often a second this may happen until each is full.
fn shared(units: &Units) -> BTreeMap<&str, usize> {
    let of_one =
        ["table EX#", "table AUDIT#ex_", "table INC#", "table AUDIT#inc_", "list2 INC#", "list3 EX#", DUE];
    let shared = units.iter().filter(|(place, _)| !of_one.iter().any(|own| place.starts_with(own)));
    let mut limits: BTreeMap<&str, usize> =
        shared.map(|(place, units)| (place.as_str(), UNITS_OF_A_PARTITION / units)).collect();
    // One execution writes to few shards, and many write to all of them alike.
    let due: usize = units.iter().filter(|(place, _)| place.starts_with(DUE)).map(|(_, units)| units).sum();
    limits.insert(DUE, UNITS_OF_A_PARTITION * usize::from(DUE_SHARDS) / due);
    limits
}

const DUE: &str = "due DUE#";

#[tokio::test]
async fn executions_a_second_before_a_partition_is_full() {
    let units = units_of(async |world, written| {
        let runbook = approved(world, json!({})).await;
        written.lock().unwrap().clear();
        let id = accepted(world, &runbook).await;
        world.drain().await;
        check_status(world, &id, ExecutionStatus::Success).await;
    })
    .await;
    let shared = shared(&units);
    println!("{}", json!({"figure": "write units of a simple execution by partition", "units": units}));
    println!("{}", json!({"figure": "executions a second of one team and runbook", "limit": shared}));
    let (fullest, least) = shared.iter().min_by_key(|(_, rate)| **rate).unwrap();
    assert!(*least >= 300, "{fullest} takes only {least} executions a second");
    // No execution writes to an item that another one writes, or a storm would contend for it.
    assert!(!units.keys().any(|place| place.starts_with("table CONTROL#")), "{units:?}");
}

#[tokio::test]
async fn events_a_second_before_a_partition_is_full() {
    let units = units_of(async |world, written| {
        let new = workflow(1, world.clock.now(), json!({}));
        keep(&world.app, world.table.as_ref(), new).await;
        written.lock().unwrap().clear();
        let opened = world.client("ann", &["team:ops:responder"]);
        let incident = json!({"title": "Down", "priority": "HIGH", "teamId": "ops"});
        opened.post("/api/incidents", incident).await.expect(201);
        world.drain().await;
        for event in world.bus.taken() {
            world.app.match_event(&event).await.unwrap();
        }
        world.drain().await;
    })
    .await;
    let shared = shared(&units);
    println!(
        "{}",
        json!({"figure": "write units of an incident and its workflow by partition", "units": units})
    );
    println!("{}", json!({"figure": "incidents a second of one team", "limit": shared}));
    assert!(shared.values().all(|rate| *rate >= 100), "{shared:?}");
}

/// A million delays that end at one moment: the due-index takes them in equal parts.
#[tokio::test]
async fn a_herd_of_due_timers_spreads_over_the_shards() {
    const TIMERS: u128 = 1_000_000;
    let world = World::sqlite().await;
    let runbook = approved(&world, json!({})).await;
    let id = accepted(&world, &runbook).await;
    let mut timer = execution(&world, &id).await;
    let mut shards = BTreeMap::<String, u64>::new();
    for number in 0..TIMERS {
        // Spread over a day, as ids of a herd that was planned over time are.
        let made = timer.created_at.plus(std::time::Duration::from_millis((number % 86_400_000) as u64));
        timer.id = ExecutionId::new(made, number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let due = Entries::of(&Record::from(timer.clone())).due.unwrap();
        *shards.entry(due.pk).or_default() += 1;
    }
    let (least, most) = (shards.values().min().unwrap(), shards.values().max().unwrap());
    println!("{}", json!({"figure": "a million timers over the shards of the due-index", "shards": shards}));
    assert_eq!(shards.len(), usize::from(DUE_SHARDS));
    assert!(*most * 100 < *least * 103, "{shards:?}");
}
