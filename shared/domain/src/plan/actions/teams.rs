//! Teams: an adaptive card to the URL of a Teams workflow.

use serde_json::{Value, json};

use super::{post, secret};
use crate::answer::Answer;
use crate::fault::Fault;
use crate::plan::WebhookCall;
use crate::request::WebhookAuth;
use crate::workflow::actions::TeamsAction;

pub(crate) fn teams_message(action: &TeamsAction) -> Result<WebhookCall, Vec<Fault>> {
    let body = json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": card(action),
        }],
    });
    post(secret(&action.webhook_url), WebhookAuth::None, &body, Answer::Status)
}

/// Version 1.4 is the newest that Teams shows everywhere.
fn card(action: &TeamsAction) -> Value {
    json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "size": "Medium", "weight": "Bolder", "wrap": true, "text": action.title},
            {"type": "TextBlock", "wrap": true, "text": action.text},
        ],
    })
}
