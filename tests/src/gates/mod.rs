//! Gates through the API and the engine: who may let a run go on, until when, and what makes a decision void.

mod answering;
mod changing;
mod inbox;
mod people;
mod racing;
mod seeded_races;
mod slack;
mod telling;
mod time;

use std::time::Duration;

use http::Method;
use muster_domain::ids::ExecutionId;
use muster_domain::time::Time;
use serde_json::{Value, json};

use crate::http::{bob, incident, text};
use crate::support::client::Client;
use crate::support::world::{Engine, World};

/// Responders of team ops, who may answer.
const CARL: &str = "carl";
const FAY: &str = "fay";

/// An execution that asks people, and where it stands.
struct Gated {
    world: World,
    execution: String,
}

/// One responder of team ops must agree within ten minutes.
fn one_of_ops() -> Value {
    json!({"levels": [{"of": ["team:ops:responder"], "needed": 1}], "expiresInSeconds": 600})
}

fn with(mut approval: Value, name: &str, value: Value) -> Value {
    approval[name] = value;
    approval
}

/// A phase that asks, and one whose single step calls the receiver at `/fix`.
fn runbook(world: &World, approval: &Value) -> Value {
    let fix = json!({
        "id": "fix", "type": "remediation", "irreversible": {"reason": "it is restarted"},
        "action": {"type": "webhook", "url": world.receiver.url("/fix"), "payload": {"status": "{{incident.status}}"}},
    });
    let ask = json!({"id": "ask", "type": "approval", "approval": approval});
    json!({
        "name": "Restart with a question", "teamId": "ops",
        "phases": [{"id": "decide", "steps": [ask]}, {"id": "act", "steps": [fix]}],
    })
}

impl Gated {
    /// An execution that dan asked for, of a runbook that ann wrote; it has asked.
    async fn on(engine: Engine, approval: Value) -> Self {
        let world = World::on(engine).await;
        let definition = runbook(&world, &approval);
        Self::running(world, definition).await
    }

    async fn running(world: World, definition: Value) -> Self {
        let ann = world.client("ann", &["team:ops:admin"]);
        let created = ann.post("/api/runbooks", definition).await.expect(201);
        let id = text(&created["id"]);
        bob(&world).post(&format!("/api/runbooks/{id}/approve"), json!({})).await.expect(200);
        let incident = incident(&world, json!({})).await;
        let path = format!("/api/incidents/{incident}/runbooks/{id}/execute");
        let dan = world.client("dan", &["team:ops:responder"]);
        let execution = text(&dan.post(&path, json!({})).await.expect(201)["execution"]["id"]);
        let gated = Self { world, execution };
        gated.world.drain().await;
        gated
    }

    fn client(&self, user: &str) -> Client {
        self.world.client(user, &["team:ops:responder"])
    }

    fn id(&self) -> ExecutionId {
        self.execution.parse().unwrap()
    }

    /// All rounds of all gates.
    async fn approvals(&self) -> Vec<Value> {
        let path = format!("/api/executions/{}/approvals", self.execution);
        bob(&self.world).get(&path).await.expect(200)["items"].as_array().unwrap().clone()
    }

    /// The newest round of a gate.
    async fn asked(&self, step: &str) -> Value {
        let mut rounds = self.approvals().await;
        rounds.retain(|approval| approval["step"] == step);
        rounds.pop().unwrap_or_else(|| panic!("step {step} has not asked"))
    }

    /// What the answer of this person to what is asked now is met with.
    async fn says(&self, user: &str, verdict: &str) -> crate::support::client::Answer {
        self.says_to("ask", user, verdict).await
    }

    async fn says_to(&self, step: &str, user: &str, verdict: &str) -> crate::support::client::Answer {
        let digest = self.asked(step).await["digest"].clone();
        self.answers(&self.client(user), (step, verdict), json!({"digest": digest, "reason": "looked"})).await
    }

    async fn answers(
        &self,
        client: &Client,
        (step, verdict): (&str, &str),
        body: Value,
    ) -> crate::support::client::Answer {
        let path = format!("/api/executions/{}/steps/{step}/{verdict}", self.execution);
        client.send(Method::POST, &path, body.to_string().into_bytes()).await
    }

    async fn status(&self) -> String {
        text(
            &bob(&self.world).get(&format!("/api/executions/{}", self.execution)).await.expect(200)["status"],
        )
    }

    /// How often the step behind the gate was called.
    fn calls(&self) -> usize {
        self.world.receiver.received().iter().filter(|call| call.uri.path().starts_with("/fix")).count()
    }

    async fn check(&self, status: &str, calls: usize) {
        assert_eq!((self.status().await.as_str(), self.calls()), (status, calls));
        let resources = self.approvals().await.into_iter().map(|approval| {
            let (step, round) = (text(&approval["step"]), &approval["round"]);
            format!("approval:{}:{step}:{round}", self.execution)
        });
        for resource in resources.chain([self.execution.clone()]) {
            let auditor = crate::engine::caller("aud", &["auditor"]);
            let export = self.world.app.audit_export(&auditor, &resource.parse().unwrap()).await.unwrap();
            export.verify().unwrap();
            assert!(!export.entries.is_empty(), "{resource}");
        }
    }

    /// Time goes by, and the sweeper comes by every minute.
    async fn passes(&self, seconds: u64) {
        let end = self.world.clock_now().plus(Duration::from_secs(seconds));
        while self.world.clock_now() < end {
            let next = self.world.clock_now().plus(Duration::from_secs(60)).min(end);
            self.world.clock.move_to(next);
            self.world.app.sweep().await.unwrap();
            self.world.drain_due().await;
        }
    }
}

impl World {
    fn clock_now(&self) -> Time {
        muster_app::ports::Clock::now(self.clock.as_ref())
    }
}
