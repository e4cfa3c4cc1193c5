//! Sends a Slack message, by an incoming webhook or as a bot (`chat.postMessage`).

use serde::{Deserialize, Serialize};

use super::check_template;
use crate::fault::Fault;
use crate::secret::SecretRef;

/// Slack offers nothing to tell a repeat by. A message that comes twice does less harm than one that never comes, so an
/// unknown outcome is repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct SlackAction {
    pub target: SlackTarget,
    /// A template; also the fallback where blocks are not shown.
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlackTarget {
    /// The URL is the secret.
    Webhook { url: SecretRef },
    /// `channel` is a template.
    Bot { token: SecretRef, channel: String },
}

impl SlackAction {
    pub(super) fn faults(&self, pointer: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        match &self.target {
            SlackTarget::Webhook { .. } => {}
            SlackTarget::Bot { channel, .. } => check_template(pointer, "channel", channel, &mut faults),
        }
        check_template(pointer, "text", &self.text, &mut faults);
        faults
    }
}

/// As a person writes it: either `webhookUrl`, or `token` and `channel`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    webhook_url: Option<SecretRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<SecretRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    text: String,
}

impl TryFrom<Written> for SlackAction {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let target = match (written.webhook_url, written.token, written.channel) {
            (Some(url), None, None) => SlackTarget::Webhook { url },
            (None, Some(token), Some(channel)) => SlackTarget::Bot { token, channel },
            (_, _, _) => return Err("give either `webhookUrl`, or `token` and `channel`"),
        };
        Ok(Self { target, text: written.text })
    }
}

impl From<SlackAction> for Written {
    fn from(action: SlackAction) -> Self {
        let (webhook_url, token, channel) = match action.target {
            SlackTarget::Webhook { url } => (Some(url), None, None),
            SlackTarget::Bot { token, channel } => (None, Some(token), Some(channel)),
        };
        Self { webhook_url, token, channel, text: action.text }
    }
}
