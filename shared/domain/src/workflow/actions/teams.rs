//! Sends a Teams message, as an adaptive card to the URL of a Teams workflow.

use serde::{Deserialize, Serialize};

use super::check_template;
use crate::fault::Fault;
use crate::secret::SecretRef;

/// Teams offers nothing to tell a repeat by. A message that comes twice does less harm than one that never comes, so an
/// unknown outcome is repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TeamsAction {
    /// The URL is the secret.
    pub webhook_url: SecretRef,
    /// A template.
    pub title: String,
    /// A template.
    pub text: String,
}

impl TeamsAction {
    pub(super) fn faults(&self, pointer: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        check_template(pointer, "title", &self.title, &mut faults);
        check_template(pointer, "text", &self.text, &mut faults);
        faults
    }
}
