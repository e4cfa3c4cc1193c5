//! Slack, as far as Muster meets it: a person who presses a button of a message, and where answers to that go.

use std::sync::Arc;

use async_trait::async_trait;
use hmac::{Hmac, Mac as _};
use muster_app::ports::{Call, Egress};
use muster_domain::outcome::Outcome;
use muster_domain::request::{RenderedRequest, RequestUrl};
use serde_json::{Value, json};
use sha2::Sha256;
use url::form_urlencoded;

/// What stands before the path of an answer.
const HOOKS: &str = "https://hooks.slack.com";

/// What Slack sends when this user presses one of the buttons: `block_actions`, in a form.
pub(crate) fn pressed(slack_user: &str, button: &Value, reason: Option<&str>) -> String {
    let payload = json!({
        "type": "block_actions",
        "user": {"id": slack_user, "username": "somebody", "team_id": "T1"},
        "state": {"values": {"reason": {"reason": {"type": "plain_text_input", "value": reason}}}},
        "actions": [button],
        "response_url": format!("{HOOKS}/actions/T1/2/abc"),
    });
    form(&payload.to_string())
}

pub(crate) fn form(payload: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair("payload", payload).finish()
}

/// The value of `X-Slack-Signature`.
pub(crate) fn signature(secret: &str, timestamp: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("v0:{timestamp}:{body}").as_bytes());
    let digits = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("v0={digits}")
}

/// Brings what is meant for Slack's own host to `receiver`.
pub(crate) struct Readdressed {
    pub(crate) inner: Arc<dyn Egress>,
    pub(crate) receiver: String,
}

#[async_trait]
impl Egress for Readdressed {
    async fn send(&self, call: Call<'_>) -> Outcome {
        let url = match &call.request.url {
            RequestUrl::Text(text) => RequestUrl::Text(text.replacen(HOOKS, &self.receiver, 1)),
            secret @ RequestUrl::Secret(_) => secret.clone(),
        };
        let request = RenderedRequest { url, ..call.request.clone() };
        self.inner.send(Call { request: &request, ..call }).await
    }
}
