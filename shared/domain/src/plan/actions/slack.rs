//! Slack: a message in one block, and the same text where blocks are not shown.

use serde_json::{Map, Value, json};

use super::{fixed, post, secret};
use crate::fault::Fault;
use crate::plan::WebhookCall;
use crate::request::WebhookAuth;
use crate::workflow::actions::{SlackAction, SlackTarget};

const POST_MESSAGE: &str = "https://slack.com/api/chat.postMessage";

/// `more` is shown below the text.
pub(crate) fn slack_message(action: &SlackAction, more: Vec<Value>) -> Result<WebhookCall, Vec<Fault>> {
    let mut message = message(&action.text, more);
    match &action.target {
        SlackTarget::Webhook { url } => {
            post(secret(url), WebhookAuth::None, &Value::Object(message), action.target.answer())
        }
        SlackTarget::Bot { token, channel } => {
            message.insert("channel".to_owned(), json!(channel));
            let auth = WebhookAuth::Bearer { token: token.clone() };
            post(fixed(POST_MESSAGE)?, auth, &Value::Object(message), action.target.answer())
        }
    }
}

fn message(text: &str, more: Vec<Value>) -> Map<String, Value> {
    let section = json!({"type": "section", "text": {"type": "mrkdwn", "text": text}});
    let blocks: Vec<Value> = [section].into_iter().chain(more).collect();
    Map::from_iter([("text".to_owned(), json!(text)), ("blocks".to_owned(), json!(blocks))])
}
