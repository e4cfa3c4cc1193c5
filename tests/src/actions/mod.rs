//! Actions of workflows against mock servers of the services: the real worker, the real way out, both engines, and answers as
//! the services document them.

mod jira;
mod linear;
mod notifications;
mod slack;
mod teams;
mod webhook;

use std::collections::{BTreeSet, VecDeque};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use muster_app::ports::{Call, Egress};
use muster_app::workflows::RunRequest;
use muster_domain::execution::{Execution, State};
use muster_domain::outcome::Outcome;
use muster_domain::request::{RenderedRequest, RequestUrl};
use muster_domain::workflow::WorkflowDefinition;
use muster_egress::{EgressPolicy, HttpEgress, LocalSecrets};
use rstest::rstest;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::engine::ann;
use crate::support::world::{Engine, World, settings};

/// A world whose workflows call one mock server, whatever host they mean.
struct Stage {
    world: World,
    service: MockServer,
}

/// Values of the secrets that the actions name. Each is a canary: it may be found nowhere but at the service.
const TOKEN: &str = "canary-token";
const SECRET_PATH: &str = "/services/canary-path";

impl Stage {
    async fn start(engine: Engine) -> Self {
        Self::with_patience(engine, Duration::from_secs(20)).await
    }

    /// Waits for no answer longer than `patience`.
    async fn with_patience(engine: Engine, patience: Duration) -> Self {
        let service = MockServer::start().await;
        let directory = tempfile::tempdir().unwrap();
        write_secrets(directory.path(), &service.uri());
        let table = engine.table(&directory).await;
        let secrets = LocalSecrets::open(directory.path().join("secrets")).unwrap();
        let policy = EgressPolicy::allowing(vec![service.address().to_string().parse().unwrap()]);
        let inner = HttpEgress::new(policy, Arc::new(secrets)).unwrap();
        let mut world = World::over(table, directory, settings()).await;
        world.egress = Arc::new(Readdressed { inner, service: service.uri(), patience });
        Self { world, service }
    }

    /// Answers POSTs to this path so, in turn; the last answer for ever.
    async fn answers(&self, route: &str, answers: impl IntoIterator<Item = ResponseTemplate>) {
        let script = Script(Mutex::new(answers.into_iter().collect()));
        self.responds(route, script).await;
    }

    async fn responds(&self, route: &str, respond: impl Respond + 'static) {
        Mock::given(method("POST")).and(path(route)).respond_with(respond).mount(&self.service).await;
    }

    /// Runs a workflow of this one action, `it`, until nothing is left to do.
    async fn run(&self, action: &Value) -> Execution {
        let created = self.world.app.create_workflow(&ann(), definition(action)).await.unwrap();
        let request = RunRequest::default();
        let id = self.world.app.run_workflow(&ann(), &created.workflow.id, &request).await.unwrap();
        self.world.drain().await;
        let execution = super::engine::execution(&self.world, &id).await;
        assert!(execution.trail.is_intact(id.as_str()));
        let told = serde_json::to_string(&execution).unwrap();
        assert!(!told.contains("canary"), "inv_f3: {told}");
        execution
    }

    /// What arrived at this path.
    async fn received(&self, route: &str) -> Vec<Request> {
        let received = self.service.received_requests().await.unwrap();
        received.into_iter().filter(|request| request.url.path() == route).collect()
    }

    async fn bodies(&self, route: &str) -> Vec<Value> {
        let received = self.received(route).await;
        received.iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
    }

    /// The one idempotency key and body that all attempts had (INVARIANTS B4), and how many there were.
    async fn repeated(&self, route: &str) -> (String, usize) {
        let received = self.received(route).await;
        let keys: BTreeSet<String> =
            received.iter().map(|request| header(request, "idempotency-key")).collect();
        let attempts: BTreeSet<String> =
            received.iter().map(|request| header(request, "muster-attempt-id")).collect();
        let bodies: BTreeSet<&[u8]> = received.iter().map(|request| request.body.as_slice()).collect();
        assert_eq!((keys.len(), bodies.len(), attempts.len()), (1, 1, received.len()));
        (keys.into_iter().next().unwrap(), received.len())
    }
}

/// The status that an execution ended in, and why.
fn ending(execution: &Execution) -> String {
    match &execution.state {
        State::Failed { error } => format!("FAILED: {error}"),
        State::Cancelled { reason }
        | State::RolledBack { reason }
        | State::UndoFailed { reason, .. }
        | State::NeedsReview { reason, .. } => {
            format!("{}: {reason}", execution.status())
        }
        State::Pending | State::Running { .. } | State::Waiting { .. } | State::Paused | State::Succeeded => {
            execution.status().to_string()
        }
    }
}

/// What later nodes see of the action.
fn result(execution: &Execution, pointer: &str) -> Value {
    let results = execution.results(&std::collections::BTreeMap::new());
    results.pointer(&format!("/it{pointer}")).cloned().unwrap_or_default()
}

fn header(request: &Request, name: &str) -> String {
    request.headers.get(name).map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
}

fn answer(status: u16, body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

fn text(status: u16, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_string(body)
}

/// Comes after everybody has stopped waiting.
fn too_late() -> ResponseTemplate {
    ResponseTemplate::new(200).set_delay(Duration::from_secs(600))
}

/// The longest that a test of a slow answer waits for each.
const IMPATIENT: Duration = Duration::from_millis(700);

struct Script(Mutex<VecDeque<ResponseTemplate>>);

impl Respond for Script {
    fn respond(&self, _request: &Request) -> ResponseTemplate {
        let mut answers = self.0.lock().unwrap();
        let last = answers.front().cloned().expect("an answer");
        if answers.len() > 1 { answers.pop_front().unwrap() } else { last }
    }
}

/// The real way out, but calls to the services' own hosts arrive at the mock server.
struct Readdressed {
    inner: HttpEgress,
    service: String,
    patience: Duration,
}

#[async_trait]
impl Egress for Readdressed {
    async fn send(&self, call: Call<'_>) -> Outcome {
        let url = match &call.request.url {
            RequestUrl::Text(text) => RequestUrl::Text(self.readdressed(text)),
            secret @ RequestUrl::Secret(_) => secret.clone(),
        };
        let request = RenderedRequest { url, ..call.request.clone() };
        let timeout = call.timeout.min(self.patience);
        self.inner.send(Call { request: &request, timeout, ..call }).await
    }
}

impl Readdressed {
    fn readdressed(&self, url: &str) -> String {
        let path = HOSTS.iter().find_map(|host| url.strip_prefix(host));
        path.map_or_else(|| url.to_owned(), |path| format!("{}{path}", self.service))
    }
}

const HOSTS: [&str; 4] =
    ["https://acme.atlassian.net", "https://api.linear.app", "https://slack.com", "https://ops.example"];

fn write_secrets(directory: &Path, service: &str) {
    let secrets = directory.join("secrets");
    let values = json!({"token": TOKEN, "url": format!("{service}{SECRET_PATH}")});
    std::fs::write(&secrets, values.to_string()).unwrap();
    std::fs::set_permissions(&secrets, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn definition(action: &Value) -> WorkflowDefinition {
    let definition = json!({
        "name": "w", "teamId": "ops", "trigger": {"type": "manual"},
        "definition": {
            "nodes": [{"type": "trigger", "id": "start"}, {"type": "action", "id": "it", "action": action}],
            "edges": [{"from": "start", "to": "it"}],
        },
    });
    serde_json::from_value(definition).unwrap()
}
