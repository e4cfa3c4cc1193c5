//! The values of one call's secrets: read when the call is made, dropped and wiped when it ends.

use std::collections::BTreeMap;

use muster_app::ports::{SecretError, Secrets};
use muster_domain::ids::SecretName;
use muster_domain::outcome::Outcome;
use muster_domain::request::RenderedRequest;
use muster_domain::secret::SecretRef;
use secrecy::{ExposeSecret, SecretString};

use crate::failure;
use crate::refusal::Refusal;

#[derive(Default)]
pub(crate) struct Credentials {
    values: BTreeMap<SecretName, SecretString>,
}

impl Credentials {
    /// Reads each secret that `request` names, once. A missing one is refused, since repeating cannot help; a store that does
    /// not answer may answer later.
    pub(crate) async fn read(secrets: &dyn Secrets, request: &RenderedRequest) -> Result<Self, Outcome> {
        let mut values = BTreeMap::new();
        for name in request.secrets() {
            if !values.contains_key(name) {
                let value = secrets.read(name).await.map_err(|error| outcome_of(&error))?;
                values.insert(name.clone(), value);
            }
        }
        Ok(Self { values })
    }

    /// The value behind a reference. An empty one proves nothing to a receiver, and is refused.
    pub(crate) fn expose(&self, secret: &SecretRef) -> Result<&str, Refusal> {
        let refused = |why| Refusal::Secret { name: secret.name.clone(), why };
        let value = self.values.get(&secret.name).ok_or_else(|| refused("was not read"))?;
        Some(value.expose_secret()).filter(|value| !value.is_empty()).ok_or_else(|| refused("is empty"))
    }

    pub(crate) fn exposed(&self) -> impl Iterator<Item = &str> {
        self.values.values().map(ExposeSecret::expose_secret)
    }
}

fn outcome_of(error: &SecretError) -> Outcome {
    match error {
        SecretError::Missing(_) => Outcome::Refused { reason: error.to_string() },
        SecretError::Unreadable { .. } => Outcome::Unsent { reason: failure::in_full(error) },
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Credentials {
    fn from(values: [(&str, &str); N]) -> Self {
        let values = values.map(|(name, value)| (name.parse().unwrap(), SecretString::from(value)));
        Self { values: values.into() }
    }
}
