//! Secrets by reference: AWS Secrets Manager.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use muster_app::ports::{SecretError, Secrets};
use muster_domain::ids::SecretName;
use secrecy::SecretString;

use crate::clients::Clients;
use crate::config::SecretPrefix;

/// Reads secrets whose names start with the installation's prefix. Nothing is kept between two reads: a secret that was
/// changed or withdrawn is so for the very next request, and a dump of the process holds no value for long.
#[derive(Debug)]
pub struct SecretsManager {
    clients: Arc<Clients>,
    prefix: SecretPrefix,
}

impl SecretsManager {
    pub fn new(clients: Arc<Clients>, prefix: SecretPrefix) -> Self {
        Self { clients, prefix }
    }
}

#[async_trait]
impl Secrets for SecretsManager {
    async fn read(&self, name: &SecretName) -> Result<SecretString, SecretError> {
        let id = format!("{}{name}", self.prefix.as_str());
        let request = self.clients.secrets_manager().get_secret_value().secret_id(id);
        let reply = match request.send().await {
            Ok(reply) => reply,
            Err(error) if is_missing(error.as_service_error()) => {
                return Err(SecretError::Missing(name.clone()));
            }
            Err(error) => return Err(unreadable(name, error)),
        };
        reply.secret_string.map(SecretString::from).ok_or_else(|| unreadable(name, NotText))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("its value is not a text")]
struct NotText;

fn is_missing(error: Option<&GetSecretValueError>) -> bool {
    error.is_some_and(GetSecretValueError::is_resource_not_found_exception)
}

fn unreadable(name: &SecretName, error: impl std::error::Error + Send + Sync + 'static) -> SecretError {
    SecretError::Unreadable { name: name.clone(), source: Box::new(error) }
}
