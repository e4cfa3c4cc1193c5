//! Sends a Slack message, by an incoming webhook or as a bot (`chat.postMessage`).

use serde::{Deserialize, Serialize};

use super::{check_plain, check_template};
use crate::answer::Answer;
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenTarget", into = "WrittenTarget")]
pub enum SlackTarget {
    /// The URL is the secret.
    Webhook { url: SecretRef },
    /// `channel` is a template.
    Bot { token: SecretRef, channel: String },
}

impl SlackTarget {
    /// How the answer to a message is read.
    pub const fn answer(&self) -> Answer {
        match self {
            Self::Webhook { .. } => Answer::Status,
            Self::Bot { .. } => Answer::SlackApi,
        }
    }

    /// What is wrong with a target that is used as it stands, without a template.
    pub(crate) fn fixed_faults(&self, pointer: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        match self {
            Self::Webhook { .. } => {}
            Self::Bot { channel, .. } => check_plain(pointer, "channel", channel, &mut faults),
        }
        faults
    }
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
        let Written { webhook_url, token, channel, text } = written;
        Ok(Self { target: WrittenTarget { webhook_url, token, channel }.try_into()?, text })
    }
}

impl From<SlackAction> for Written {
    fn from(action: SlackAction) -> Self {
        let WrittenTarget { webhook_url, token, channel } = action.target.into();
        Self { webhook_url, token, channel, text: action.text }
    }
}

/// The same without a text.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenTarget {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    webhook_url: Option<SecretRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<SecretRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
}

impl TryFrom<WrittenTarget> for SlackTarget {
    type Error = &'static str;

    fn try_from(written: WrittenTarget) -> Result<Self, Self::Error> {
        match (written.webhook_url, written.token, written.channel) {
            (Some(url), None, None) => Ok(Self::Webhook { url }),
            (None, Some(token), Some(channel)) => Ok(Self::Bot { token, channel }),
            (_, _, _) => Err("give either `webhookUrl`, or `token` and `channel`"),
        }
    }
}

impl From<SlackTarget> for WrittenTarget {
    fn from(target: SlackTarget) -> Self {
        let (webhook_url, token, channel) = match target {
            SlackTarget::Webhook { url } => (Some(url), None, None),
            SlackTarget::Bot { token, channel } => (None, Some(token), Some(channel)),
        };
        Self { webhook_url, token, channel }
    }
}
