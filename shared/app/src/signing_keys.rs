//! Keys with which something that comes back to Muster is known again: callbacks, buttons, and what Slack signs.

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretSlice};

/// A key of the installation. Nothing shows it.
#[derive(Debug, Clone)]
pub struct SigningKey(SecretSlice<u8>);

impl SigningKey {
    pub fn new(bytes: SecretSlice<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

/// Where the keys are. None of them can be named in a definition, so that nobody can send one anywhere.
#[async_trait]
pub trait SigningKeys: Send + Sync {
    /// The one with which Muster signs.
    async fn current(&self) -> Result<SigningKey, SigningKeyError>;

    /// The current one, and the one before it if there is one: what was sent before a change can still call back.
    async fn accepted(&self) -> Result<Vec<SigningKey>, SigningKeyError>;
}

#[derive(Debug, thiserror::Error)]
#[error("reading a signing key")]
pub struct SigningKeyError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Keys that were read when the process started.
pub struct FixedKeys {
    pub current: SigningKey,
    pub previous: Option<SigningKey>,
}

#[async_trait]
impl SigningKeys for FixedKeys {
    async fn current(&self) -> Result<SigningKey, SigningKeyError> {
        Ok(self.current.clone())
    }

    async fn accepted(&self) -> Result<Vec<SigningKey>, SigningKeyError> {
        Ok([self.current.clone()].into_iter().chain(self.previous.clone()).collect())
    }
}
