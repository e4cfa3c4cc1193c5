//! Deliveries from the command line, proven as their source would prove them.

use std::path::{Path, PathBuf};

use clap::Args;
use muster_app::clock::SystemClock;
use muster_app::ports::Clock as _;
use muster_domain::ids::IntegrationId;
use muster_domain::sources::verification::Scheme;
use serde_json::Value;

use super::proof::{ProofError, prove};
use super::sample::{Report, named, sample};
use super::{delivered, path_of};
use crate::operator::api::{ApiError, Call, IdempotencyKey};
use crate::operator::context::Context;
use crate::operator::error::OperatorError;
use crate::operator::file::{FileError, Source};

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// The integration
    id: IntegrationId,
    /// File with the value of the integration's secret; `-` reads standard input. It is never an argument, for other users of
    /// the machine see those
    #[arg(long, value_name = "FILE")]
    secret_file: PathBuf,
    /// Which report of the sample's alert is sent
    #[arg(long, value_enum, default_value = "firing")]
    report: Report,
}

impl Test {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let integration = context.send(path_of(&self.id)).await?.body;
        let name = integration.get("source").and_then(Value::as_str).unwrap_or_default();
        let source = named(name).ok_or_else(|| DeliveryError::Source { name: name.to_owned() })?;
        let body = sample(source, self.report).as_bytes().to_vec();
        let delivery = Delivery { id: &self.id, secret_file: &self.secret_file, body };
        delivery.send(context, &integration).await
    }
}

/// One delivery to an integration.
pub(crate) struct Delivery<'a> {
    pub(crate) id: &'a IntegrationId,
    pub(crate) secret_file: &'a Path,
    pub(crate) body: Vec<u8>,
}

impl Delivery<'_> {
    /// Asks the server how the integration verifies, and delivers.
    pub(crate) async fn run(self, context: &Context) -> Result<(), OperatorError> {
        let integration = context.send(path_of(self.id)).await?.body;
        self.send(context, &integration).await
    }

    async fn send(self, context: &Context, integration: &Value) -> Result<(), OperatorError> {
        let scheme = integration.get("scheme").cloned().unwrap_or_default();
        let scheme: Scheme = serde_json::from_value(scheme).map_err(DeliveryError::Scheme)?;
        let secret = read_secret(self.secret_file)?;
        let id = IdempotencyKey::random().map_err(ApiError::NoRandomness)?;
        let proof = prove(&scheme, &secret, (id.as_str(), SystemClock.now()), &self.body)
            .map_err(DeliveryError::Proof)?;
        let call = Call::delivery(&["api", "hooks", self.id.as_str()], self.body).proven(proof);
        context.show(call, delivered).await
    }
}

/// The line end that editors put there does not count.
fn read_secret(path: &Path) -> Result<String, FileError> {
    let text = Source::read(path)?.text;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

/// Why there is nothing to deliver.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeliveryError {
    #[error("this version of muster has no sample of the source `{name}`")]
    Source { name: String },
    #[error("this version of muster does not know the integration's scheme")]
    Scheme(#[source] serde_json::Error),
    #[error("signing the delivery")]
    Proof(#[source] ProofError),
    #[error("{name} is the body of a webhook: say with --hook and --secret-file where it is delivered")]
    NoEnvelope { name: String },
}
