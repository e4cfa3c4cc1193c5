//! Reads variables one by one and remembers all that was wrong.

use std::net::SocketAddr;

use super::values::{ClaimName, QueueUrl, SecretId, SecretPrefix, loopback_address, loopback_endpoint};
use super::{CommonConfig, FromEnvironment};

/// The process's own variables. One that is not Unicode counts as missing.
pub fn of_process(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Whether the process has what Lambda gives every function. The runtime's crate panics without.
pub fn is_in_lambda(source: &dyn Fn(&str) -> Option<String>) -> bool {
    let given = |name| source(name).is_some();
    let memory = source("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").and_then(|text| text.parse::<i32>().ok());
    memory.is_some()
        && given("AWS_LAMBDA_FUNCTION_NAME")
        && given("AWS_LAMBDA_FUNCTION_VERSION")
        && given("AWS_LAMBDA_RUNTIME_API")
}

/// Reads what every function reads, and what this one does, from `source`, which is [`of_process`] or a test's.
pub fn read<C: FromEnvironment>(
    source: &dyn Fn(&str) -> Option<String>,
) -> Result<(CommonConfig, C), ConfigError> {
    let mut variables = Variables { source, problems: Vec::new() };
    let (common, own) = (CommonConfig::read(&mut variables), C::read(&mut variables));
    let config = common.zip(own).filter(|_| variables.problems.is_empty());
    config.ok_or(ConfigError { problems: variables.problems })
}

/// Why a function cannot start: everything that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("reading the environment: {}", .problems.join("; "))]
pub struct ConfigError {
    pub problems: Vec<String>,
}

/// Variables as they are read, and what was wrong with them.
pub struct Variables<'s> {
    source: &'s dyn Fn(&str) -> Option<String>,
    problems: Vec<String>,
}

impl Variables<'_> {
    pub(super) fn parsed<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, &'static str>,
    ) -> Option<T> {
        let Some(text) = (self.source)(name) else {
            self.problems.push(format!("{name} is not set"));
            return None;
        };
        match parse(&text) {
            Ok(value) => Some(value),
            Err(expected) => {
                self.problems.push(format!("{name} is {text:?} and must be {expected}"));
                None
            }
        }
    }

    pub(super) fn queue(&mut self) -> Option<QueueUrl> {
        self.parsed("MUSTER_QUEUE_URL", QueueUrl::parse)
    }

    pub(super) fn groups_claim(&mut self) -> Option<ClaimName> {
        self.parsed("MUSTER_GROUPS_CLAIM", ClaimName::parse)
    }

    /// The receiver on loopback that the egress guard lets through, if any. In AWS loopback is Lambda's own, so no function
    /// that speaks with AWS itself takes one.
    pub(super) fn loopback_receiver(&mut self) -> Option<Option<SocketAddr>> {
        const NAME: &str = "MUSTER_LOOPBACK_EGRESS";
        if (self.source)(NAME).is_none() {
            return Some(None);
        }
        let endpoint = self.parsed("AWS_ENDPOINT_URL", loopback_endpoint);
        let receiver = self.parsed(NAME, loopback_address);
        endpoint.and(receiver).map(Some)
    }

    pub(super) fn callback_key(&mut self) -> Option<SecretId> {
        self.parsed("MUSTER_CALLBACK_KEY", SecretId::parse)
    }

    pub(super) fn secret_prefix(&mut self) -> Option<SecretPrefix> {
        self.parsed("MUSTER_SECRET_PREFIX", SecretPrefix::parse)
    }
}
