//! The clients of AWS's services: configured once in a cold start, each built when it is first used.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

/// How long one try of a request may take. The SDK's own default waits for ever.
const TRY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a request may take with all its tries: less than the shortest timeout of a function.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// All clients. They share one configuration, one pool of connections and one set of root certificates.
#[derive(Debug)]
pub struct Clients {
    config: SdkConfig,
    dynamo: OnceLock<aws_sdk_dynamodb::Client>,
    sqs: OnceLock<aws_sdk_sqs::Client>,
    event_bridge: OnceLock<aws_sdk_eventbridge::Client>,
    secrets_manager: OnceLock<aws_sdk_secretsmanager::Client>,
}

impl Clients {
    /// Reads region, credentials and endpoints as every AWS tool does, `AWS_ENDPOINT_URL` included.
    pub async fn load() -> Arc<Self> {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .build_https();
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(TRY_TIMEOUT)
            .operation_timeout(REQUEST_TIMEOUT)
            .build();
        // Pinned: a later version of the SDK must not change how it retries without our saying so.
        let loader = aws_config::defaults(BehaviorVersion::v2026_01_12());
        Arc::new(Self::new(loader.http_client(http).timeout_config(timeouts).load().await))
    }

    pub fn new(config: SdkConfig) -> Self {
        Self {
            config,
            dynamo: OnceLock::new(),
            sqs: OnceLock::new(),
            event_bridge: OnceLock::new(),
            secrets_manager: OnceLock::new(),
        }
    }

    pub fn dynamo(&self) -> &aws_sdk_dynamodb::Client {
        self.dynamo.get_or_init(|| aws_sdk_dynamodb::Client::new(&self.config))
    }

    pub fn sqs(&self) -> &aws_sdk_sqs::Client {
        self.sqs.get_or_init(|| aws_sdk_sqs::Client::new(&self.config))
    }

    pub fn event_bridge(&self) -> &aws_sdk_eventbridge::Client {
        self.event_bridge.get_or_init(|| aws_sdk_eventbridge::Client::new(&self.config))
    }

    pub fn secrets_manager(&self) -> &aws_sdk_secretsmanager::Client {
        self.secrets_manager.get_or_init(|| aws_sdk_secretsmanager::Client::new(&self.config))
    }
}
