//! The simple form of a definition: one templated webhook.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::TeamId;
use crate::request::{HeaderValue, WebhookAuth, WebhookMethod};
use crate::webhook::MAX_TIMEOUT_SECONDS;

/// One webhook, rendered and sent (A2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SimpleRunbook {
    /// 1 to 200 characters.
    pub name: String,
    /// At most 4,000 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The owning team; absent for a global runbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<TeamId>,
    /// At most 20, each 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Absolute `http` or `https` URL. Path and query may hold templates; scheme, host and port may not.
    pub webhook_url: String,
    /// POST, PUT or PATCH: what a simple runbook does is to change something.
    #[serde(default, deserialize_with = "Sending::deserialize", skip_serializing_if = "is_default")]
    pub webhook_method: WebhookMethod,
    /// Values are templates or `{"$secret": "name"}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub webhook_headers: BTreeMap<String, HeaderValue>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub webhook_auth: WebhookAuth,
    /// A JSON Schema of the parameters; absent: any parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Value>,
    /// A JSON value whose strings are templates, or one string. Absent: an empty object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_template: Option<Value>,
    /// How long one attempt may take, 1 to 20 seconds.
    #[serde(default = "default_timeout_seconds", skip_serializing_if = "is_default_timeout")]
    pub timeout_seconds: u32,
    /// Whether the receiver may get the same call twice without harm. `false`: an attempt with an unknown outcome
    /// is never repeated; a person decides.
    #[serde(default = "default_idempotent", skip_serializing_if = "is_true")]
    pub idempotent: bool,
}

/// The methods of a simple runbook.
#[derive(Deserialize)]
#[serde(remote = "WebhookMethod", rename_all = "UPPERCASE")]
enum Sending {
    Post,
    Put,
    Patch,
}

fn default_timeout_seconds() -> u32 {
    MAX_TIMEOUT_SECONDS
}

fn is_default_timeout(seconds: &u32) -> bool {
    *seconds == MAX_TIMEOUT_SECONDS
}

fn default_idempotent() -> bool {
    true
}

fn is_true(value: &bool) -> bool {
    *value
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
