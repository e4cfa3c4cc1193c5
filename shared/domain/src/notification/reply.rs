//! What Muster answers to somebody who pressed a button in Slack. It is owed like any other notification, so that it is tried
//! again, recorded, and given up in the end.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Addressees, Notification, Occasion, Recipient, Way};
use crate::approval::{Button, ReplyUrl};
use crate::digest::Digest;
use crate::ids::StepId;
use crate::request::{ContentType, RenderedRequest, RequestUrl, WebhookAuth, WebhookMethod};
use crate::time::Time;

/// One answer to one click.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    pub step: StepId,
    pub round: u32,
    /// What tells the click from all others.
    pub click: Digest,
    pub text: String,
    pub at: Time,
}

/// Who sees an answer, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Seen {
    /// Everybody, in place of the message with the buttons: nobody is to press them any more.
    InPlace,
    /// Everybody, below the message: others are still asked.
    Below,
    /// Only whoever pressed the button.
    ByPresser,
}

/// Answers to clicks are numbered from here on, so that none is taken for an asking.
const FIRST: u32 = 1 << 31;

impl Notification {
    /// What a click is answered; the same for a repeat of it.
    pub fn reply(button: &Button, reply: Reply, (url, seen): (ReplyUrl, Seen), due_at: Time) -> Self {
        let [a, b, c, d, ..] = *reply.click.as_bytes();
        let number = FIRST | u32::from_be_bytes([a, b, c, d]);
        let recipient = Recipient::new(Way::SlackReply { url, seen }, None, reply.at);
        let addressees = Addressees::Known { recipients: vec![recipient], incident: None };
        let concerned = (Some(button.team.clone()), None);
        let owed = Self::new(button.execution.clone(), number, Occasion::Reply(reply), concerned, due_at);
        Self { addressees, ..owed }
    }
}

/// The request that brings a text to where Slack takes answers to a click.
pub(super) fn to_slack(url: &ReplyUrl, text: &str, seen: Seen) -> RenderedRequest {
    RenderedRequest {
        method: WebhookMethod::Post,
        url: RequestUrl::Text(url.to_string()),
        headers: Vec::new(),
        auth: WebhookAuth::None,
        content_type: ContentType::Json,
        body: body(text, seen).to_string(),
    }
}

fn body(text: &str, seen: Seen) -> Value {
    match seen {
        Seen::InPlace => json!({"text": text, "replace_original": true}),
        Seen::Below => json!({"text": text, "replace_original": false, "response_type": "in_channel"}),
        Seen::ByPresser => json!({"text": text, "replace_original": false, "response_type": "ephemeral"}),
    }
}
