//! What a tick costs: by the age workflows there are and what became due, never by the open incidents.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use muster_store::sqlite::SqliteTable;

use super::*;
use crate::support::counted::CountedTable;
use crate::support::world::settings;

const WORKFLOWS: usize = 50;
const INCIDENTS: u32 = 100_000;
const DUE: usize = 3;
/// What every sweep reads besides: the shards of the due-index, and the open approvals.
const ELSE: usize = muster_app::table::DUE_SHARDS as usize + 1;
const MINUTE: Duration = Duration::from_secs(60);

/// Half of them were judged long ago, half are not old enough for hours.
async fn fill(table: &dyn Table, judged: Time, young: Time) {
    let (incident, _) = opened(0, judged, json!({}));
    let one = |number: u32| {
        let from = if number.is_multiple_of(2) { judged } else { young };
        let at = from.plus(Duration::from_millis(u64::from(number)));
        let id = IncidentId::new(at, u128::from(number));
        Write::create(Incident { id, created_at: at, updated_at: at, ..incident.clone() })
    };
    let hundreds =
        (0..INCIDENTS / 100).map(|hundred| (hundred * 100..(hundred + 1) * 100).map(one).collect());
    let commits = stream::iter(hundreds).map(|writes: Vec<Write>| table.commit(writes));
    commits.buffer_unordered(16).for_each(|done| async { done.unwrap() }).await;
}

#[tokio::test]
async fn a_quiet_tick_reads_by_the_age_workflows_and_never_by_the_open_incidents() {
    let directory = tempfile::tempdir().unwrap();
    let counted =
        CountedTable::over(Arc::new(SqliteTable::open(&directory.path().join("muster.db")).unwrap()));
    let world = World::over(counted.clone(), directory, settings()).await;
    for number in 0..WORKFLOWS as u128 {
        // Half of them of the team, half global, each with a threshold of its own.
        let team = if number % 2 == 0 { json!("ops") } else { json!(null) };
        let trigger = json!({"type": "age", "ageThresholdMinutes": 600 + number});
        kept(&world, number, json!({"teamId": team, "trigger": trigger})).await;
    }
    world.app.sweep().await.unwrap();
    let start = now(&world);
    fill(counted.inner.as_ref(), start.minus(5_000 * MINUTE), start.plus(2_000 * MINUTE)).await;

    for tick in 0..3 {
        counted.take();
        world.clock.advance(MINUTE);
        let swept = world.app.sweep().await.unwrap();
        let counts = counted.take();
        assert_eq!(
            (swept.aged, counts.reads, counts.queries, counts.commits),
            (0, 2, ELSE + WORKFLOWS, 0),
            "tick {tick}"
        );
        assert_eq!(counts.records, 1 + WORKFLOWS, "the generation and the cursors");
    }

    for number in 0..DUE as u128 {
        let (incident, _) = opened(1_000_000 + number, now(&world), json!({}));
        counted.commit(vec![Write::create(incident)]).await.unwrap();
    }
    world.clock.advance(600 * MINUTE);
    counted.take();
    // Only the first workflow's threshold is reached.
    assert_eq!(world.app.sweep().await.unwrap().aged, DUE as u64);
    let counts = counted.take();
    assert_eq!(counts.queries, ELSE + WORKFLOWS);
    // Each start reads what was decided before; the first also reads the workflow's version.
    assert_eq!(counts.reads, 2 + DUE + 1);
    // Beside the generation and the cursors: the incidents, the version, and the count that the first start left.
    assert_eq!(counts.records, 1 + WORKFLOWS + DUE + 1 + (DUE - 1));
}
