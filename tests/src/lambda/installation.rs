//! Muster in AWS, as far as it fits on loopback: the table, the queue, the secrets, and the real binaries around them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use muster_app::clock::SystemClock;
use muster_app::executions::{ExecuteRequest, Executed};
use muster_app::ports::{Clock, Table};
use muster_app::table::{Key, Versioned, Write};
use muster_app::{App, Caller, SelfApproval, Settings};
use muster_aws::clients::Clients;
use muster_aws::queue::NoQueue;
use muster_domain::execution::{Execution, State, StepState};
use muster_domain::ids::{ExecutionId, IncidentId, RunbookId};
use muster_domain::incident::IncidentEvent;
use muster_domain::policy::Principal;
use muster_domain::time::Time;
use muster_store::dynamo::DynamoTable;
use serde_json::{Value, json};

use super::template;
use crate::support::dynamo::{Dynamo, plain_http};
use crate::support::event_bridge::EventBridge;
use crate::support::lambda::Function;
use crate::support::ledger::Services;
use crate::support::secrets_manager::SecretsManager;
use crate::support::sqs::Sqs;

pub(crate) const QUEUE_URL: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/muster-test-work";
pub(crate) const DEAD_LETTERS_URL: &str =
    "https://sqs.eu-west-1.amazonaws.com/123456789012/muster-test-work-dead";
pub(crate) const BUS: &str = "muster-test";
pub(crate) const CALLBACK_KEY: &str =
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:CallbackKey-a1B2c3";
pub(crate) const SLACK_SIGNING_SECRET: &str =
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:SlackSigningSecret-d4E5f6";
pub(crate) const SECRET_PREFIX: &str = "muster/test/";

pub(crate) struct Installation {
    dynamo: Dynamo,
    pub(crate) sqs: Arc<Sqs>,
    pub(crate) secrets: Arc<SecretsManager>,
    pub(crate) event_bridge: Arc<EventBridge>,
    sqs_address: SocketAddr,
    secrets_address: SocketAddr,
    event_bridge_address: SocketAddr,
}

/// What a test changes of a function's variables.
pub(crate) type Change = (&'static str, &'static str);

/// The table is away: nothing listens there, and the SDK tries once instead of waiting in vain.
pub(crate) const WITHOUT_TABLE: [Change; 2] =
    [("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9"), ("AWS_MAX_ATTEMPTS", "1")];

impl Installation {
    pub(crate) async fn start() -> Self {
        let dynamo = Dynamo::start().await;
        let (sqs, sqs_address) = Sqs::start().await;
        let (secrets, secrets_address) = SecretsManager::start().await;
        let (event_bridge, event_bridge_address) = EventBridge::start().await;
        Self { dynamo, sqs, secrets, event_bridge, sqs_address, secrets_address, event_bridge_address }
    }

    /// Starts a function's binary with the variables that the template gives it.
    pub(crate) async fn function(&self, binary: &str) -> Function {
        self.function_with(binary, &[]).await
    }

    /// The same, with some of them changed or added.
    pub(crate) async fn function_with(&self, binary: &str, changes: &[Change]) -> Function {
        Function::start(binary, self.variables(binary, changes)).await
    }

    /// The variables that the template gives to a function, and where AWS is; with these changed or added.
    pub(super) fn variables(&self, binary: &str, changes: &[Change]) -> Vec<(String, String)> {
        let mut variables = self.aws();
        variables.extend(template::variables_of(binary).into_iter().map(|name| {
            let value = self.value(&name);
            (name, value)
        }));
        variables.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        variables
    }

    /// Where its parts of AWS listen.
    pub(super) fn services(&self) -> Services {
        vec![
            ("DynamoDB_", self.dynamo.address()),
            ("AmazonSQS", self.sqs_address),
            ("AWSEvents", self.event_bridge_address),
            ("secretsmanager", self.secrets_address),
        ]
    }

    pub(super) fn table_name(&self) -> &str {
        self.dynamo.table()
    }

    /// Where AWS is, and with which credentials.
    fn aws(&self) -> Vec<(String, String)> {
        let variables = [
            ("AWS_REGION", "eu-west-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "example".to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.dynamo.url()),
            ("AWS_ENDPOINT_URL_SQS", format!("http://{}", self.sqs_address)),
            ("AWS_ENDPOINT_URL_EVENTBRIDGE", format!("http://{}", self.event_bridge_address)),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", format!("http://{}", self.secrets_address)),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).into()
    }

    fn value(&self, name: &str) -> String {
        let value = match name {
            "MUSTER_TABLE" => self.dynamo.table(),
            "MUSTER_QUEUE_URL" => QUEUE_URL,
            "MUSTER_DLQ_URL" => DEAD_LETTERS_URL,
            "MUSTER_BUS" => BUS,
            "MUSTER_SECRET_PREFIX" => SECRET_PREFIX,
            "MUSTER_CALLBACK_KEY" => CALLBACK_KEY,
            "MUSTER_SLACK_SIGNING_SECRET" => SLACK_SIGNING_SECRET,
            "MUSTER_PUBLIC_URL" => "https://api.muster.test",
            "MUSTER_ENVIRONMENT" => "test",
            "MUSTER_GROUPS_CLAIM" => "cognito:groups",
            "MUSTER_ALLOW_SELF_APPROVAL" => "false",
            "MUSTER_LOG" => "info",
            other => panic!("the tests have no value for {other}"),
        };
        value.to_owned()
    }

    /// A client of the queues for the test itself.
    pub(crate) async fn sqs_client(&self) -> Arc<Clients> {
        clients(self.sqs_address).await
    }

    /// A client of the secrets for the test itself.
    pub(crate) async fn secrets_client(&self) -> Arc<Clients> {
        clients(self.secrets_address).await
    }

    /// A client of the bus for the test itself.
    pub(crate) async fn event_bridge_client(&self) -> Arc<Clients> {
        clients(self.event_bridge_address).await
    }

    /// An incident that was opened `ago`, and whose nudge was lost.
    pub(crate) async fn opened(&self, ago: Duration) -> IncidentId {
        opened(&self.app(ago), "payments").await
    }

    /// The first event of an incident as it is stored.
    pub(crate) async fn first_event(&self, incident: &IncidentId) -> IncidentEvent {
        let stored = self.table().get(&Key::IncidentEvent(incident.clone(), 1)).await.unwrap();
        stored.unwrap().typed().unwrap().value
    }

    pub(crate) fn table(&self) -> DynamoTable {
        DynamoTable::new(self.dynamo.client().clone(), self.dynamo.table())
    }

    /// An execution of an approved runbook that was accepted `ago`, and whose nudge was lost.
    pub(crate) async fn accepted(&self, ago: Duration, definition: Value) -> ExecutionId {
        accepted(&self.app(ago), definition).await
    }

    /// A runbook that was written and approved `ago`.
    pub(crate) async fn approved(&self, ago: Duration, definition: Value) -> RunbookId {
        approved(&self.app(ago), definition).await
    }

    /// As though this much time had passed: what the execution counts from and waits for lies so much earlier. The
    /// functions have the machine's clock.
    pub(crate) async fn passes(&self, id: &ExecutionId, time: Duration) {
        let Versioned { value: mut execution, version } = self.stored(id).await;
        let by = i64::try_from(time.as_millis()).unwrap();
        let earlier = |at: Time| Time::from_millis(at.millis() - by);
        execution.started_at = execution.started_at.map(earlier);
        execution.due_at = execution.due_at.map(earlier);
        if let State::Waiting { until, .. } = &mut execution.state {
            *until = earlier(*until);
        }
        for step in execution.steps.values_mut() {
            if let StepState::Delayed { until } = &mut step.state {
                *until = earlier(*until);
            }
        }
        self.table().commit(vec![Write::replace(execution, version)]).await.unwrap();
    }

    /// The use cases as they were `ago`, in the test's own process.
    pub(crate) fn app(&self, ago: Duration) -> App {
        past(Arc::new(self.table()), ago)
    }

    /// The execution as it is stored.
    pub(crate) async fn stored(&self, id: &ExecutionId) -> Versioned<Execution> {
        let stored = self.table().get(&Key::Execution(id.clone())).await.unwrap();
        stored.unwrap().typed().unwrap()
    }

    /// Fails if the execution's trail and its audit entries do not prove each other; gives the entries' actions.
    pub(crate) async fn proven(&self, id: &ExecutionId) -> Vec<String> {
        let app = self.app(Duration::ZERO);
        let resource = id.as_str().parse().unwrap();
        let export = app.audit_export(&caller("eve", "auditor"), &resource).await.unwrap();
        export.verify().unwrap();
        export.entries.into_iter().map(|entry| entry.action).collect()
    }
}

async fn clients(address: SocketAddr) -> Arc<Clients> {
    let loader =
        aws_config::defaults(BehaviorVersion::v2026_01_12()).region(Region::from_static("eu-west-1"));
    let loader =
        loader.test_credentials().http_client(plain_http()).endpoint_url(format!("http://{address}"));
    Arc::new(Clients::new(loader.load().await))
}

/// The use cases on any table, as they were `ago`. They have no queue: what they accept has lost its nudge.
pub(crate) fn past(table: Arc<dyn Table>, ago: Duration) -> App {
    let settings = Settings { self_approval: SelfApproval::Refused, nudge_grace: Duration::from_secs(50) };
    App::new(table, Arc::new(NoQueue), Arc::new(Past::by(ago)), settings)
}

/// A new incident of the team.
pub(crate) async fn opened(app: &App, team: &str) -> IncidentId {
    let new = json!({"title": "Checkout is slow", "priority": "HIGH", "teamId": team});
    let new = serde_json::from_value(new).unwrap();
    app.create_incident(&caller("ann", &format!("team:{team}:admin")), new).await.unwrap().id
}

/// A new runbook, which was approved.
async fn approved(app: &App, definition: Value) -> RunbookId {
    let (ann, bob) = (author(&definition), caller("bob", "platform-admin"));
    let definition = serde_json::from_value(definition).unwrap();
    let runbook = app.create_runbook(&ann, definition).await.unwrap().runbook.id;
    app.approve_runbook(&bob, &runbook, None, None).await.unwrap();
    runbook
}

/// A new execution of a new runbook, which was approved.
pub(crate) async fn accepted(app: &App, definition: Value) -> ExecutionId {
    let ann = author(&definition);
    let runbook = approved(app, definition).await;
    let request: ExecuteRequest = serde_json::from_value(json!({})).unwrap();
    match app.execute_runbook(&ann, &runbook, &request).await.unwrap() {
        Executed::Accepted(accepted) => accepted.id,
        Executed::DryRun(steps) => panic!("a dry run: {steps:?}"),
    }
}

/// Ann, who administers the team of the definition.
fn author(definition: &Value) -> Caller {
    caller("ann", &format!("team:{}:admin", definition["teamId"].as_str().unwrap()))
}

/// A definition whose one call goes to `url`.
pub(crate) fn calling(url: &str) -> Value {
    json!({"name": "Restart checkout", "teamId": "payments", "webhookUrl": url, "payloadTemplate": {"service": "checkout"}})
}

fn caller(user: &str, group: &str) -> Caller {
    let principal = Principal::from_groups(user.parse().unwrap(), [group]);
    Caller { principal, idempotency: None, correlation_id: None }
}

/// A clock that stands still at a moment of the past.
struct Past(Time);

impl Past {
    fn by(ago: Duration) -> Self {
        let ago = i64::try_from(ago.as_millis()).unwrap();
        Self(Time::from_millis(SystemClock.now().millis() - ago))
    }
}

impl Clock for Past {
    fn now(&self) -> Time {
        self.0
    }
}
