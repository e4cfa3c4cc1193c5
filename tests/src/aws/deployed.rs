//! The stack on the local AWS, as `scripts/aws-local deploy` left it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::types::AttributeValue;
use muster_app::ports::Bus as _;
use muster_aws::bus::EventBridge;
use muster_aws::clients::Clients;
use muster_aws::config::BusName;
use muster_store::dynamo::DynamoTable;
use serde::Deserialize;
use serde_json::Value;

use super::invocation::invoke;
use super::issuer::Issuer;
use super::muster::AnyTable;
use crate::support::dynamo::plain_http;
use crate::support::receiver::Receiver;

/// The region that the emulator is taken for.
pub(super) const REGION: &str = "us-east-1";

/// Names the file in which the script describes what it deployed.
const VARIABLE: &str = "MUSTER_AWS_DEPLOYED";

pub(super) struct Deployed {
    description: Description,
    clients: Arc<Clients>,
    issuer: &'static Issuer,
    receiver: Arc<Receiver>,
}

#[derive(Deserialize)]
struct Description {
    endpoint: String,
    api: String,
    issuer: String,
    issuer_key: std::path::PathBuf,
    audience: String,
    /// The name of the function that takes events.
    matcher: String,
    /// The one address on loopback that the worker may call.
    receiver: SocketAddr,
    /// Where that leads to.
    receiver_listens: SocketAddr,
    outputs: BTreeMap<String, String>,
}

impl Deployed {
    /// Finds it, and starts what it expects to find: the issuer of tokens, and the receiver of webhooks.
    pub(super) async fn find() -> Arc<Self> {
        let path = std::env::var(VARIABLE)
            .unwrap_or_else(|_| panic!("{VARIABLE} is not set: run scripts/aws-local test"));
        let description: Description = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        static ISSUER: OnceLock<Issuer> = OnceLock::new();
        static RECEIVER: OnceLock<Arc<Receiver>> = OnceLock::new();
        let issuer = ISSUER.get_or_init(|| Issuer::start(&description.issuer, &description.issuer_key));
        let receiver = RECEIVER.get_or_init(|| {
            let Description { receiver, receiver_listens, .. } = &description;
            Arc::new(Receiver::start_for_all_tests(*receiver, *receiver_listens))
        });
        let clients = clients(&description.endpoint).await;
        Arc::new(Self { issuer, receiver: Arc::clone(receiver), clients, description })
    }

    pub(super) fn api(&self) -> &str {
        &self.description.api
    }

    pub(super) fn receiver(&self) -> Arc<Receiver> {
        Arc::clone(&self.receiver)
    }

    pub(super) fn clients(&self) -> &Arc<Clients> {
        &self.clients
    }

    /// One of the stack's outputs.
    pub(super) fn output(&self, name: &str) -> &str {
        &self.description.outputs[name]
    }

    pub(super) fn token(&self, user: &str, groups: &[&str]) -> String {
        self.issuer.token(&self.description.audience, user, groups)
    }

    pub(super) fn table(&self) -> AnyTable {
        Arc::new(DynamoTable::new(self.clients.dynamo().clone(), self.output("TableName")))
    }

    pub(super) async fn audit_partitions(&self) -> Vec<String> {
        let scan =
            self.clients.dynamo().scan().table_name(self.output("TableName")).projection_expression("pk");
        let scan = scan.filter_expression("begins_with(pk, :audit)");
        let scan = scan.expression_attribute_values(":audit", AttributeValue::S("AUDIT#".into()));
        let items: Vec<_> = scan.into_paginator().items().send().collect::<Result<_, _>>().await.unwrap();
        items.iter().map(|item| item["pk"].as_s().unwrap().clone()).collect()
    }

    pub(super) async fn keep_secret(&self, name: &str, value: &str) {
        let name = format!("{}{name}", self.output("SecretPrefix"));
        self.clients.secrets_manager().create_secret().name(name).secret_string(value).send().await.unwrap();
    }

    /// Puts an event on the installation's bus.
    pub(super) async fn put_event(&self, event: &Value) {
        let bus = BusName::parse(self.output("BusName")).unwrap();
        let bus = EventBridge::new(Arc::clone(&self.clients), bus);
        bus.publish(event.to_string().as_bytes()).await.unwrap();
    }

    pub(super) async fn invoke_matcher(&self, event: &Value) {
        let Description { endpoint, matcher, .. } = &self.description;
        invoke(endpoint, matcher, credentials(), event).await;
    }
}

/// Those that the emulator takes for the owner of its account.
fn credentials() -> Credentials {
    Credentials::new("test", "test", None, None, "aws-local")
}

async fn clients(endpoint: &str) -> Arc<Clients> {
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).region(Region::from_static(REGION));
    let loader = loader.credentials_provider(credentials()).http_client(plain_http()).endpoint_url(endpoint);
    Arc::new(Clients::new(loader.load().await))
}
