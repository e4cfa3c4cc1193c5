//! A whole Muster whose every call goes through the weather: the adapters of AWS, the real clients, stand-ins behind them.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use axum::Router;
use muster_app::ports::{Clock, Table};
use muster_app::{App, SelfApproval, Settings};
use muster_aws::bus::EventBridge as Bus;
use muster_aws::clients::Clients;
use muster_aws::config::{BusName, QueueUrl};
use muster_aws::queue::SqsQueue;
use muster_domain::policy::Principal;
use muster_egress::{EgressPolicy, HttpEgress, LocalSecrets};
use muster_http::{HttpSettings, router};
use muster_store::dynamo::DynamoTable;
use tempfile::TempDir;

use super::between::{Services, Street};
use super::weather::Weather;
use crate::support::client::Client;
use crate::support::clock::ManualClock;
use crate::support::dynamo::{BACKOFF, Dynamo, plain_http};
use crate::support::event_bridge::EventBridge;
use crate::support::proxy;
use crate::support::receiver::Receiver;
use crate::support::sqs::Sqs;

/// A value that may be nowhere but in the file of secrets and in the calls it signs.
pub(super) const CANARY: &str = "canary-8d1f0c5e";

pub(super) struct Installation {
    pub(super) weather: Arc<Weather>,
    pub(super) app: Arc<App>,
    router: Router,
    pub(super) clock: Arc<ManualClock>,
    pub(super) egress: HttpEgress,
    /// The same table, without the weather: for those who look.
    pub(super) table: DynamoTable,
    pub(super) sqs: Arc<Sqs>,
    pub(super) bridge: Arc<EventBridge>,
    pub(super) receiver: Receiver,
    /// Where runbooks call, through the weather.
    pub(super) street: SocketAddr,
    _secrets: TempDir,
}

impl Installation {
    pub(super) async fn start(seed: u64) -> Self {
        let weather = Arc::new(Weather::of_seed(seed));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let dynamo = Dynamo::start().await;
        let (sqs, queue) = Sqs::start().await;
        let (bridge, bus) = EventBridge::start().await;
        let receiver = Receiver::start().await;
        let services = Services {
            weather: Arc::clone(&weather),
            client: client.clone(),
            table: dynamo.address(),
            queue,
            bus,
        };
        let services = proxy::serve(Arc::new(services)).await;
        let street =
            Street { weather: Arc::clone(&weather), client, receiver: receiver.target().parse().unwrap() };
        let street = proxy::serve(Arc::new(street)).await;
        let clients = Arc::new(Clients::new(config(services)));
        let clock = Arc::<ManualClock>::default();
        let directory = secrets();
        let app = app(&clients, &dynamo, &clock);
        Self {
            router: router(Arc::clone(&app), HttpSettings::default()),
            egress: egress_to(street, &directory),
            table: DynamoTable::new(dynamo.client().clone(), dynamo.table()).with_backoff(BACKOFF),
            weather,
            app,
            clock,
            sqs,
            bridge,
            receiver,
            street,
            _secrets: directory,
        }
    }

    pub(super) fn client(&self, user: &str, groups: &[&str]) -> Client {
        let principal = Principal::from_groups(user.parse().unwrap(), groups.iter().copied());
        Client::new(self.router.clone(), Some(principal))
    }

    pub(super) fn sound(&self) -> &dyn Table {
        &self.table
    }
}

fn app(clients: &Arc<Clients>, dynamo: &Dynamo, clock: &Arc<ManualClock>) -> Arc<App> {
    let table = DynamoTable::new(clients.dynamo().clone(), dynamo.table()).with_backoff(BACKOFF);
    let queue = SqsQueue::new(Arc::clone(clients), QueueUrl::parse("http://sqs/jobs").unwrap());
    let bus = Bus::new(Arc::clone(clients), BusName::parse("muster").unwrap());
    let settings = Settings { self_approval: SelfApproval::Refused, nudge_grace: Duration::from_secs(2) };
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    let app = App::new(Arc::new(table), Arc::new(queue), clock, settings);
    Arc::new(app.with_bus(Arc::new(bus)))
}

fn config(services: SocketAddr) -> SdkConfig {
    let retry = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(format!("http://{services}"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("t", "t", None, None, "tests")))
        .retry_config(retry)
        .http_client(plain_http())
        .build()
}

fn secrets() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("secrets");
    fs::write(&file, format!("endpoint={CANARY}\n")).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    directory
}

fn egress_to(street: SocketAddr, directory: &TempDir) -> HttpEgress {
    let policy = EgressPolicy::allowing(vec![street.to_string().parse().unwrap()]);
    HttpEgress::new(policy, Arc::new(LocalSecrets::open(directory.path().join("secrets")).unwrap())).unwrap()
}
