//! Signing keys: secrets of the stack's own, of which Secrets Manager keeps the version before.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use muster_app::callbacks::{Callbacks, PublicUrl};
use muster_app::signing_keys::{SigningKey, SigningKeyError, SigningKeys};
use secrecy::SecretSlice;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::clients::Clients;
use crate::config::SecretId;

/// How long keys are held. The routes of callbacks and of Slack are open to everybody, and whoever floods them must not make a
/// read of each request; a key that was changed counts within this time.
const HELD: Duration = Duration::from_secs(10);
const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// What callbacks need in AWS. Nothing is read before a call or a callback needs it.
pub fn callbacks(clients: &Arc<Clients>, id: SecretId, public_url: Option<PublicUrl>) -> Callbacks {
    Callbacks { keys: keys(clients, id), public_url }
}

/// The keys that a secret of the stack holds.
pub fn keys(clients: &Arc<Clients>, id: SecretId) -> Arc<dyn SigningKeys> {
    Arc::new(StackKeys { clients: Arc::clone(clients), id, held: Mutex::default() })
}

struct StackKeys {
    clients: Arc<Clients>,
    id: SecretId,
    held: Mutex<Option<Held>>,
}

#[derive(Clone)]
struct Held {
    since: Instant,
    current: SigningKey,
    previous: Option<SigningKey>,
}

impl StackKeys {
    async fn read(&self) -> Result<Held, SigningKeyError> {
        let mut held = self.held.lock().await;
        if let Some(fresh) = held.as_ref().filter(|held| held.since.elapsed() < HELD) {
            return Ok(fresh.clone());
        }
        let current = self.version(CURRENT).await?.ok_or_else(|| SigningKeyError(Box::new(NoKey)))?;
        let previous = self.version(PREVIOUS).await?;
        let read = Held { since: Instant::now(), current, previous };
        *held = Some(read.clone());
        Ok(read)
    }

    /// `None` if the secret has no such version, or none that is a text.
    async fn version(&self, stage: &str) -> Result<Option<SigningKey>, SigningKeyError> {
        let request = self.clients.secrets_manager().get_secret_value().secret_id(self.id.as_str());
        match request.version_stage(stage).send().await {
            Ok(reply) => {
                Ok(reply.secret_string.map(|text| SigningKey::new(SecretSlice::from(text.into_bytes()))))
            }
            Err(error) if is_missing(error.as_service_error()) => Ok(None),
            Err(error) => Err(SigningKeyError(Box::new(error))),
        }
    }
}

fn is_missing(error: Option<&GetSecretValueError>) -> bool {
    error.is_some_and(GetSecretValueError::is_resource_not_found_exception)
}

#[async_trait]
impl SigningKeys for StackKeys {
    async fn current(&self) -> Result<SigningKey, SigningKeyError> {
        Ok(self.read().await?.current)
    }

    async fn accepted(&self) -> Result<Vec<SigningKey>, SigningKeyError> {
        let Held { current, previous, .. } = self.read().await?;
        Ok([current].into_iter().chain(previous).collect())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the secret has no value")]
struct NoKey;
