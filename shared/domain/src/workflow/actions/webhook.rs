//! Calls a webhook, as a simple runbook does but without an approval.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fault::{Fault, pointer_to};
use crate::request::{HeaderValue, WebhookAuth, WebhookMethod};
use crate::webhook;

/// Every attempt carries the same `Idempotency-Key` and the same bytes, so that the receiver can tell a repeat. If it
/// cannot, `idempotent: false` has an attempt with an unknown outcome never repeated: the execution waits as NEEDS_REVIEW for
/// a person's decision, as a runbook's does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookAction {
    /// Absolute `http` or `https` URL. Path and query may hold templates; scheme, host and port may not.
    pub url: String,
    #[serde(default)]
    pub method: WebhookMethod,
    /// Values are templates or `{"$secret": "name"}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, HeaderValue>,
    #[serde(default)]
    pub auth: WebhookAuth,
    /// A JSON value whose strings are templates, or one string. Absent: an empty object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
    /// How long one attempt may take, 1 to 20 seconds; absent: 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    /// Whether the receiver may get the same call twice without harm; absent: it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
}

impl WebhookAction {
    pub(super) fn faults(&self, pointer: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        webhook::check_url(&pointer_to(pointer, "url"), &self.url, &mut faults);
        webhook::check_headers(&pointer_to(pointer, "headers"), &self.headers, &mut faults);
        webhook::check_auth(&pointer_to(pointer, "auth"), &self.auth, &mut faults);
        if let Some(payload) = &self.payload {
            webhook::check_payload(&pointer_to(pointer, "payload"), payload, &mut faults);
        }
        if let Some(seconds) = self.timeout_seconds {
            webhook::check_timeout(&pointer_to(pointer, "timeoutSeconds"), seconds, &mut faults);
        }
        faults
    }
}
