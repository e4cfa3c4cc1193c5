//! The queue and the bus are away for an hour while people and workflows go on: nothing is lost, and nothing happens twice.

use std::collections::BTreeMap;
use std::time::Duration;

use muster_app::paging::Paging;
use muster_app::ports::BusErrorKind;
use muster_domain::execution::State;
use muster_domain::ids::{IncidentId, WorkflowId};
use muster_domain::incident::{IncidentPatch, IncidentStatus};
use rstest::rstest;

use super::workflows::{begun, call, incident, saved, story, workflow};
use super::*;

const MINUTE: Duration = Duration::from_secs(60);

/// How many incidents are opened, each five minutes after the one before; every second of them is acknowledged later.
const OPENED: usize = 12;
const ACKNOWLEDGED: usize = OPENED / 2;
/// How many executions people start by hand meanwhile.
const BY_HAND: usize = 3;

#[rstest]
#[tokio::test]
async fn inv_a1_b6_an_hour_without_queue_and_bus_loses_nothing_and_doubles_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let outage = Outage::prepare(engine).await;
    let running = outage.begin().await;
    let (incidents, by_hand) = outage.last_an_hour().await;
    outage.end().await;
    outage.check_events(&incidents).await;
    outage.check_executions(&by_hand).await;
    outage.check_calls();
    outage.check_overtaken(&running).await;
    outage.check_nothing_owed().await;
}

struct Outage {
    world: World,
    /// Starts for every new incident: waits for two minutes, and calls `/opened`.
    on_opening: WorkflowId,
    /// Starts for every acknowledged one: calls `/acknowledged`, waits for a minute, and calls `/later`.
    on_acknowledging: WorkflowId,
    /// Is started by hand: waits for a minute, and calls `/by-hand`.
    manual: WorkflowId,
}

impl Outage {
    async fn prepare(engine: Engine) -> Self {
        let world = World::on(engine).await;
        let pause = |seconds: u64| json!({"type": "delay", "id": "pause", "seconds": seconds});
        let two = [("start", "pause", None), ("pause", "last", None)];
        let named = |id: &str, path: &str| {
            let mut node = call(&world, path);
            node["id"] = json!(id);
            node
        };
        let mut on_opening = workflow(json!([pause(120), named("last", "opened")]), &two);
        on_opening["trigger"] = json!({"type": "incident_created"});
        let three = [("start", "first", None), ("first", "pause", None), ("pause", "last", None)];
        let nodes = json!([named("first", "acknowledged"), pause(60), named("last", "later")]);
        let mut on_acknowledging = workflow(nodes, &three);
        let transition = json!({"to": "ACKNOWLEDGED", "from": "OPEN"});
        on_acknowledging["trigger"] = json!({"type": "state_changed", "stateTransition": transition});
        let manual = workflow(json!([pause(60), named("last", "by-hand")]), &two);
        Self {
            on_opening: saved(&world, on_opening).await,
            on_acknowledging: saved(&world, on_acknowledging).await,
            manual: saved(&world, manual).await,
            world,
        }
    }

    /// The last thing before: an execution that is in the middle of its delay when everything goes away.
    async fn begin(&self) -> ExecutionId {
        let running = begun(&self.world, &self.manual, None).await;
        self.world.drain_due().await;
        assert_eq!(story(&execution(&self.world, &running).await), "pause delayed");
        self.world.queue.goes_down();
        self.world.bus.goes_down(BusErrorKind::Unavailable);
        running
    }

    /// What people do meanwhile is accepted, and the sweeper tries in vain.
    async fn last_an_hour(&self) -> (Vec<IncidentId>, Vec<ExecutionId>) {
        let (mut incidents, mut by_hand) = (Vec::new(), Vec::new());
        for minute in 0..60 {
            if minute % 5 == 0 {
                incidents.push(incident(&self.world, json!({"service": "web"})).await);
            }
            if minute % 10 == 7 {
                self.acknowledge(&incidents[minute / 10 * 2]).await;
            }
            if minute % 20 == 19 {
                by_hand.push(begun(&self.world, &self.manual, None).await);
            }
            self.world.clock.advance(MINUTE);
            self.world.app.sweep().await.unwrap();
            assert_eq!(self.world.queue.len(), 0, "nothing gets through");
        }
        assert_eq!((incidents.len(), by_hand.len()), (OPENED, BY_HAND));
        assert!(self.world.receiver.received().is_empty() && self.world.bus.taken().is_empty());
        (incidents, by_hand)
    }

    async fn acknowledge(&self, incident: &IncidentId) {
        let status = Some(IncidentStatus::Acknowledged);
        let patch = IncidentPatch { status, ..IncidentPatch::default() };
        self.world.app.change_incident(&ann(), incident, patch, None).await.unwrap();
    }

    /// Both are back; the bus delivers out of order, and every event twice.
    async fn end(&self) {
        self.world.queue.comes_back();
        self.world.bus.comes_back();
        let mut delivered = 0;
        for _ in 0..20 {
            self.world.clock.advance(MINUTE);
            self.world.app.sweep().await.unwrap();
            self.world.drain_due().await;
            let taken = self.world.bus.taken();
            let fresh = &taken[delivered..];
            for event in fresh.iter().rev().chain(fresh) {
                let bytes = event.envelope().to_string();
                self.world.app.receive_event(bytes.as_bytes()).await.unwrap();
            }
            delivered = taken.len();
        }
    }

    /// Each change of each incident was told once.
    async fn check_events(&self, incidents: &[IncidentId]) {
        let mut told: BTreeMap<String, usize> = BTreeMap::new();
        for event in self.world.bus.taken() {
            *told.entry(event.idempotency_key()).or_default() += 1;
        }
        let mut stored = Vec::new();
        for incident in incidents {
            let paging = Paging { limit: 100, cursor: None };
            let events = self.world.app.events_of_incident(&bob(), incident, &paging).await.unwrap().items;
            stored.extend(events.iter().map(|event| (event.idempotency_key(), 1)));
        }
        assert_eq!(told, stored.into_iter().collect());
        assert_eq!(told.len(), OPENED + ACKNOWLEDGED);
    }

    /// Each event started each workflow that waits for it once, and all came to a good end.
    async fn check_executions(&self, by_hand: &[ExecutionId]) {
        for (workflow, expected) in [(&self.on_opening, OPENED), (&self.on_acknowledging, ACKNOWLEDGED)] {
            let executions = self.executions(workflow).await;
            let causes: std::collections::BTreeSet<_> =
                executions.iter().map(|execution| execution.cause.clone().unwrap()).collect();
            assert_eq!((executions.len(), causes.len()), (expected, expected));
            for execution in executions {
                check_status(&self.world, &execution.id, ExecutionStatus::Success).await;
                check_promises(&self.world, &execution.id).await;
            }
        }
        for id in by_hand {
            check_status(&self.world, id, ExecutionStatus::Success).await;
        }
    }

    async fn executions(&self, workflow: &WorkflowId) -> Vec<Execution> {
        let paging = Paging { limit: 100, cursor: None };
        self.world.app.executions_of_workflow(&bob(), workflow, &paging).await.unwrap().items
    }

    /// One call under each key.
    fn check_calls(&self) {
        let (mut keys, mut paths) = (BTreeMap::<_, usize>::new(), BTreeMap::<_, usize>::new());
        for received in self.world.receiver.received() {
            *keys.entry(received.header("idempotency-key")).or_default() += 1;
            *paths.entry(received.uri.path().to_owned()).or_default() += 1;
        }
        assert!(keys.values().all(|times| *times == 1), "{keys:?}");
        let expected = [
            ("/acknowledged", ACKNOWLEDGED),
            ("/by-hand", BY_HAND),
            ("/later", ACKNOWLEDGED),
            ("/opened", OPENED),
        ];
        assert_eq!(paths, expected.map(|(path, times)| (path.to_owned(), times)).into());
    }

    /// Longer than its timeout: that counts from its stored start, and it calls nothing an hour late.
    async fn check_overtaken(&self, running: &ExecutionId) {
        let ended = execution(&self.world, running).await;
        assert_eq!(ended.state, State::Cancelled { reason: "Timed out after 300 s".into() });
        check_promises(&self.world, running).await;
    }

    async fn check_nothing_owed(&self) {
        assert_eq!(self.world.queue.next_due(), None);
        self.world.clock.advance(60 * MINUTE);
        assert_eq!(self.world.app.sweep().await.unwrap().due, 0);
    }
}
