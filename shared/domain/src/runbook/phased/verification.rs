//! Whether a run helped (D9), and the call that finds out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::incident::IncidentStatus;
use crate::request::{HeaderValue, WebhookAuth, WebhookMethod};
use crate::workflow::actions::WebhookAction;

/// What is compared before the first step and after the last: the answer to a probe, or the incident's status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Verification {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// How long to wait after the last step, up to a day and to what the run may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle_seconds: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident_status: Option<IncidentStatus>,
}

/// A call that only looks, and what its answer must be. Its fields are those of an action of type webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Probe {
    pub url: String,
    /// GET unless it says otherwise.
    #[serde(default = "get", skip_serializing_if = "is_get")]
    pub method: WebhookMethod,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, HeaderValue>,
    #[serde(default)]
    pub auth: WebhookAuth,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    /// A rule about `response`.
    pub expect: String,
}

impl Probe {
    /// The call without what is expected of it. It only looks, so it may be repeated.
    pub fn call(&self) -> WebhookAction {
        WebhookAction {
            url: self.url.clone(),
            method: self.method,
            headers: self.headers.clone(),
            auth: self.auth.clone(),
            payload: self.payload.clone(),
            timeout_seconds: self.timeout_seconds,
            idempotent: None,
        }
    }
}

fn get() -> WebhookMethod {
    WebhookMethod::Get
}

fn is_get(method: &WebhookMethod) -> bool {
    *method == WebhookMethod::Get
}
