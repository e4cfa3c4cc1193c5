//! DynamoDB within the test process: an engine that speaks the real protocol on a loopback port, and the real client.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region, SharedHttpClient};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use dynoxide::Database;
use muster_store::dynamo::Backoff;
use muster_store::lists::Index;
use tokio::net::TcpListener;

/// Waits of a test: long enough to yield, too short to notice.
pub(crate) const BACKOFF: Backoff = Backoff { tries: 4, base: Duration::from_millis(1) };

/// A table of one test, in the engine that all tests of the process share.
#[derive(Debug, Clone)]
pub(crate) struct Dynamo {
    client: Client,
    table: String,
}

impl Dynamo {
    /// A new, empty table.
    pub(crate) async fn start() -> Self {
        Self::start_over(plain_http()).await
    }

    /// A new, empty table, reached through an HTTP client of the test's own.
    pub(crate) async fn start_over(http: SharedHttpClient) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let table = format!("muster-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let client = client(endpoint(), http);
        create_table(&client, &table).await;
        Self { client, table }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The table's name.
    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    pub(crate) fn address(&self) -> SocketAddr {
        endpoint()
    }

    /// Where another process finds the engine.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", endpoint())
    }
}

/// Where the engine listens: started once, on a thread and a runtime of its own, for it outlives each test's runtime.
fn endpoint() -> SocketAddr {
    static ENDPOINT: OnceLock<SocketAddr> = OnceLock::new();
    *ENDPOINT.get_or_init(|| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        std::thread::Builder::new().name("dynamodb".into()).spawn(move || serve(listener)).unwrap();
        address
    })
}

fn serve(listener: std::net::TcpListener) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).unwrap();
        let database = Database::memory().unwrap();
        dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()).await.unwrap();
    });
}

pub(crate) fn client(endpoint: SocketAddr, http: SharedHttpClient) -> Client {
    let retry = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(format!("http://{endpoint}"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .retry_config(retry)
        .http_client(http)
        .build();
    Client::from_conf(config)
}

/// Without TLS, so that the tests need no trust store of the machine.
pub(crate) fn plain_http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

/// The table as `infra/template.yaml` declares it.
async fn create_table(client: &Client, name: &str) {
    let keys = ["pk", "sk"].into_iter();
    let of_indexes = Index::ALL.into_iter().flat_map(|index| [index.pk_attribute(), index.sk_attribute()]);
    let attributes = keys.chain(of_indexes).map(attribute).collect();
    client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(attributes))
        .set_key_schema(Some(key_schema("pk", "sk")))
        .set_global_secondary_indexes(Some(Index::ALL.map(global_index).into()))
        .send()
        .await
        .unwrap();
}

fn attribute(name: &str) -> AttributeDefinition {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build()
        .unwrap()
}

fn key_schema(pk: &str, sk: &str) -> Vec<KeySchemaElement> {
    let element =
        |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    vec![element(pk, KeyType::Hash), element(sk, KeyType::Range)]
}

fn global_index(index: Index) -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::builder()
        .index_name(index.name())
        .set_key_schema(Some(key_schema(index.pk_attribute(), index.sk_attribute())))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .unwrap()
}
