//! A runbook's definition as clients write it, and as they read it.

use std::collections::BTreeMap;

use muster_domain::ids::TeamId;
use muster_domain::runbook::RunbookDefinition;
use muster_domain::runbook::definition::MAX_TIMEOUT_SECONDS;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::extract::json::object;

use super::request::{HeaderText, Method, WebhookAuth};

/// What a person writes: one webhook, rendered and sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewDefinition {
    /// 1 to 200 characters.
    name: String,
    /// At most 4,000 characters.
    #[serde(default)]
    description: String,
    /// The owning team; absent: a global runbook, which platform admins manage. It never changes.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    team_id: Option<TeamId>,
    /// At most 20, each 1 to 64 characters.
    #[serde(default)]
    tags: Vec<String>,
    /// An absolute `http` or `https` URL of at most 2,048 bytes. Path and query may hold templates; scheme, host and port may
    /// not.
    webhook_url: String,
    #[serde(default)]
    webhook_method: Method,
    /// At most 32. Values are templates, or references to secrets.
    #[serde(default)]
    webhook_headers: BTreeMap<String, HeaderText>,
    #[serde(default, deserialize_with = "object")]
    webhook_auth: WebhookAuth,
    /// A JSON Schema (2020-12) of the parameters, at most 16 KiB; absent: any parameters.
    #[serde(default)]
    parameters: Option<Value>,
    /// The body that is sent: a JSON value whose strings are templates, or one string. Absent: an empty object.
    #[serde(default)]
    payload_template: Option<Value>,
    /// How long one attempt may take, 1 to 20 seconds.
    #[serde(default = "default_timeout_seconds")]
    #[schema(minimum = 1, maximum = 20, default = 20)]
    timeout_seconds: u32,
    /// Whether the receiver may get the same call twice without harm. `false`: an attempt whose outcome is unknown is never
    /// repeated; the execution waits for a person.
    #[serde(default = "default_idempotent")]
    #[schema(default = true)]
    idempotent: bool,
    /// Why it changes, at most 500 characters. Only with PUT: a new runbook has no change to note.
    #[serde(default)]
    pub(crate) change_note: Option<String>,
}

fn default_timeout_seconds() -> u32 {
    MAX_TIMEOUT_SECONDS
}

fn default_idempotent() -> bool {
    true
}

impl From<NewDefinition> for RunbookDefinition {
    fn from(new: NewDefinition) -> Self {
        let headers = new.webhook_headers.into_iter();
        Self {
            name: new.name,
            description: new.description,
            team_id: new.team_id,
            tags: new.tags,
            webhook_url: new.webhook_url,
            webhook_method: new.webhook_method.into(),
            webhook_headers: headers.map(|(name, value)| (name, value.into())).collect(),
            webhook_auth: new.webhook_auth.into(),
            parameters: new.parameters,
            payload_template: new.payload_template,
            timeout_seconds: new.timeout_seconds,
            idempotent: new.idempotent,
        }
    }
}

/// A definition as it is stored, with its defaults.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Definition {
    name: String,
    description: String,
    /// Absent: a global runbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    team_id: Option<TeamId>,
    tags: Vec<String>,
    webhook_url: String,
    webhook_method: Method,
    webhook_headers: BTreeMap<String, HeaderText>,
    webhook_auth: WebhookAuth,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_template: Option<Value>,
    timeout_seconds: u32,
    idempotent: bool,
}

impl From<RunbookDefinition> for Definition {
    fn from(stored: RunbookDefinition) -> Self {
        let headers = stored.webhook_headers.into_iter();
        Self {
            name: stored.name,
            description: stored.description,
            team_id: stored.team_id,
            tags: stored.tags,
            webhook_url: stored.webhook_url,
            webhook_method: stored.webhook_method.into(),
            webhook_headers: headers.map(|(name, value)| (name, value.into())).collect(),
            webhook_auth: stored.webhook_auth.into(),
            parameters: stored.parameters,
            payload_template: stored.payload_template,
            timeout_seconds: stored.timeout_seconds,
            idempotent: stored.idempotent,
        }
    }
}
