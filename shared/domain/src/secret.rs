//! References to secrets. A definition, a stored request and a log line may hold these, never a value.

use serde::{Deserialize, Serialize};

use crate::ids::SecretName;

/// `{"$secret": "name"}`: replaced by the value when the request is sent, and nowhere earlier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretRef {
    #[serde(rename = "$secret")]
    pub name: SecretName,
}
