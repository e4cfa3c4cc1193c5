//! A short history of an installation in bad weather, and the calm after it.

use std::collections::BTreeMap;
use std::time::Duration;

use muster_app::ports::Clock as _;
use muster_domain::ids::ExecutionId;
use serde_json::{Value, json};

use super::courier::{Content, Courier, handle_quietly};
use super::installation::Installation;
use super::phased;
use super::weather::Turn;
use crate::support::client::Client;

/// How often a client asks again before the test gives it up.
const MOST_TRIES: usize = 200;
/// Rounds of deliveries in bad weather.
const ROUNDS: usize = 40;
/// Rounds after which the calm must have come.
const MOST_CALM: usize = 2_000;

/// What was asked of Muster, and answered.
pub(super) struct History {
    pub(super) muster: Installation,
    pub(super) courier: Courier,
    pub(super) runbook: String,
    /// Started by every incident that is created.
    pub(super) on_created: String,
    /// Started by every incident that is resolved.
    pub(super) on_resolved: String,
    /// Accepted for a person.
    pub(super) executions: Vec<String>,
    pub(super) incidents: Vec<String>,
    pub(super) resolved: Vec<String>,
    /// The run of a phased runbook, if the seed has one; it is among those accepted.
    pub(super) phased: Option<String>,
    /// How executions ended, as soon as that was seen.
    pub(super) ends: BTreeMap<ExecutionId, String>,
}

pub(super) async fn run(seed: u64) -> History {
    let mut history = History::begin(seed).await;
    history.muster.weather.turns(Turn::Bad);
    history.people_act().await;
    if phased::is_drawn(seed) {
        history.begin_phased().await;
    }
    history.bad_weather().await;
    history.muster.weather.turns(Turn::Clear);
    history.calm().await;
    history
}

impl History {
    /// What people prepared while the weather was fine.
    async fn begin(seed: u64) -> Self {
        let muster = Installation::start(seed).await;
        let street = format!("http://{}", muster.street);
        let (ann, bob) = (ann(&muster), muster.client("bob", &["platform-admin"]));
        let definition = json!({
            "name": "Restart",
            "teamId": "ops",
            "webhookUrl": format!("{street}/restart"),
            "webhookAuth": {"type": "bearer", "token": {"$secret": "endpoint"}},
            "payloadTemplate": {"title": "{{incident.title}}"},
        });
        let runbook = id_of(&ann.post("/api/runbooks", definition).await.expect(201));
        bob.post(&format!("/api/runbooks/{runbook}/approve"), json!({})).await.expect(200);
        let on_created = json!([
            {"id": "start", "type": "trigger"},
            {"id": "wait", "type": "delay", "seconds": 3},
            {"id": "restart", "type": "action", "action": {"type": "runbook", "runbookId": runbook, "wait": true}},
        ]);
        let edges = json!([{"from": "start", "to": "wait"}, {"from": "wait", "to": "restart"}]);
        let on_created = workflow(&ann, json!({"type": "incident_created"}), on_created, edges).await;
        let call = json!({"type": "webhook", "url": format!("{street}/resolved")});
        let on_resolved =
            json!([{"id": "start", "type": "trigger"}, {"id": "tell", "type": "action", "action": call}]);
        let trigger = json!({"type": "state_changed", "stateTransition": {"to": "RESOLVED"}});
        let on_resolved =
            workflow(&ann, trigger, on_resolved, json!([{"from": "start", "to": "tell"}])).await;
        Self {
            courier: Courier::new(),
            muster,
            runbook,
            on_created,
            on_resolved,
            executions: Vec::new(),
            incidents: Vec::new(),
            resolved: Vec::new(),
            phased: None,
            ends: BTreeMap::new(),
        }
    }

    /// Clients that ask again with the same key until they are answered.
    async fn people_act(&mut self) {
        let ann = ann(&self.muster);
        for number in 0..3 {
            let new = json!({"title": format!("Incident {number}"), "priority": "HIGH", "teamId": "ops"});
            let opened = insist(&ann, &format!("incident-{number}"), "/api/incidents", new).await;
            self.incidents.push(id_of(&opened));
            let path = format!("/api/runbooks/{}/execute", self.runbook);
            let accepted = insist(&ann, &format!("execute-{number}"), &path, json!({})).await;
            self.executions.push(id_of(&accepted["execution"]));
        }
        let incident = self.incidents[self.muster.weather.below(3)].clone();
        self.resolve(&ann, &incident).await;
        self.resolved.push(incident);
        for _ in 0..3 {
            let alarm = include_bytes!("../../../events/sources/cloudwatch-event-alarm.json").to_vec();
            self.courier.keep(&self.muster, Content::Event(alarm), self.muster.clock.now());
        }
    }

    /// Written and approved while the weather holds its breath; asked for in it.
    async fn begin_phased(&mut self) {
        self.muster.weather.turns(Turn::Clear);
        let (ann, bob) = (ann(&self.muster), self.muster.client("bob", &["platform-admin"]));
        let definition = phased::definition(&format!("http://{}", self.muster.street));
        let runbook = id_of(&ann.post("/api/runbooks", definition).await.expect(201));
        bob.post(&format!("/api/runbooks/{runbook}/approve"), json!({})).await.expect(200);
        self.muster.weather.turns(Turn::Bad);
        let path = format!("/api/runbooks/{runbook}/execute");
        let accepted = insist(&ann, "execute-phased", &path, json!({})).await;
        let execution = id_of(&accepted["execution"]);
        self.executions.push(execution.clone());
        self.phased = Some(execution);
    }

    /// A PATCH has no key: a repeat changes nothing, because the incident is resolved already.
    async fn resolve(&self, ann: &Client, incident: &str) {
        let path = format!("/api/incidents/{incident}");
        for _ in 0..MOST_TRIES {
            let answer = ann.patch(&path, json!({"status": "RESOLVED"})).await;
            let seen = ann.get(&path).await;
            if answer.status < 300 || (seen.status == 200 && seen.json()["status"] == "RESOLVED") {
                return;
            }
        }
        panic!("{incident} cannot be resolved");
    }

    async fn bad_weather(&mut self) {
        for _ in 0..ROUNDS {
            self.courier.deliver(&self.muster).await;
            phased::steer(self).await;
            if self.muster.weather.once_in(4) {
                let _ = self.muster.app.sweep().await;
            }
            let seconds = if self.muster.weather.once_in(8) { 90 } else { self.muster.weather.below(4) };
            self.muster.clock.advance(Duration::from_secs(seconds as u64));
            if self.muster.weather.once_in(8) {
                self.look().await;
            }
        }
    }

    /// Until nothing is on its way and nothing is owed.
    async fn calm(&mut self) {
        for _ in 0..MOST_CALM {
            while self.courier.deliver(&self.muster).await {}
            phased::settle(self).await;
            let swept = self.muster.app.sweep().await.unwrap();
            match self.courier.next_due(&self.muster) {
                Some(moment) => self.muster.clock.move_to(moment),
                None if swept.nudged == 0 && super::promises::owed(self).await.is_empty() => {
                    return self.look().await;
                }
                None => self.muster.clock.advance(Duration::from_secs(10)),
            }
        }
        panic!("the calm does not come: {}", super::promises::owed(self).await);
    }

    /// Every end that is seen stays as it was seen.
    async fn look(&mut self) {
        for execution in super::promises::executions(self).await {
            if !execution.status().is_terminal() {
                continue;
            }
            let now = format!("{:?}", execution.state);
            let before = self.ends.entry(execution.id.clone()).or_insert_with(|| now.clone());
            assert_eq!(*before, now, "inv_b7: {} ended twice", execution.id);
        }
    }

    /// Delivers all that was ever sent once more.
    pub(super) async fn replay(&self) {
        let sent = self.courier.sent.lock().unwrap().clone();
        for content in &sent {
            handle_quietly(&self.muster, content).await;
        }
    }
}

fn ann(muster: &Installation) -> Client {
    muster.client("ann", &["team:ops:admin"])
}

fn id_of(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

async fn workflow(ann: &Client, trigger: Value, nodes: Value, edges: Value) -> String {
    let definition = json!({
        "name": format!("On {}", trigger["type"].as_str().unwrap()),
        "teamId": "ops",
        "enabled": true,
        "trigger": trigger,
        "definition": {"nodes": nodes, "edges": edges},
        "settings": {"timeout": "15min"},
    });
    id_of(&ann.post("/api/workflows", definition).await.expect(201))
}

/// Asks until there is an answer that another try would not change, always with the same key.
async fn insist(client: &Client, key: &str, path: &str, body: Value) -> Value {
    let client = client.with("idempotency-key", key);
    for _ in 0..MOST_TRIES {
        let answer = client.post(path, body.clone()).await;
        if answer.status < 300 {
            return answer.json();
        }
        assert!([409, 429, 500, 503].contains(&answer.status), "{answer:?}");
    }
    panic!("{path} is never accepted");
}
