//! What Slack tells when somebody presses a button: a `block_actions` payload, as JSON in a form. Whether Slack sent it is
//! verified before.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url, form_urlencoded};

use super::Verdict;
use crate::ids::SlackUserId;

/// The names that the parts of a message have with which a gate is answered.
pub const APPROVE: &str = "approve";
pub const REJECT: &str = "reject";
pub const REASON: &str = "reason";

/// A button that somebody pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Click {
    pub by: SlackUserId,
    pub verdict: Verdict,
    /// Which button it is; whether Muster made it is still to be found out.
    pub value: String,
    /// What stands in the field beside the buttons.
    pub reason: Option<String>,
    pub reply_to: ReplyUrl,
}

/// Where Slack takes an answer to a click: for half an hour, five times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReplyUrl(String);

#[derive(Debug, thiserror::Error)]
pub enum InvalidClick {
    #[error("the body is no form with a field `payload`")]
    NoPayload,
    #[error("the field `payload` is not what Slack sends when a button is pressed")]
    Payload(#[source] serde_json::Error),
    #[error("the payload of a pressed button has no `{0}`")]
    Lacks(&'static str),
}

impl Click {
    /// `None`: the interaction is none of Muster's buttons.
    pub fn read(body: &[u8]) -> Result<Option<Self>, InvalidClick> {
        let mut fields = form_urlencoded::parse(body);
        let (_, payload) = fields.find(|(name, _)| name == "payload").ok_or(InvalidClick::NoPayload)?;
        let payload: Payload = serde_json::from_str(&payload).map_err(InvalidClick::Payload)?;
        if payload.kind != "block_actions" {
            return Ok(None);
        }
        let pressed =
            payload.actions.iter().find_map(|action| Some((verdict_of(&action.action_id)?, action)));
        let Some((verdict, action)) = pressed else { return Ok(None) };
        Ok(Some(Self {
            by: payload.user.ok_or(InvalidClick::Lacks("user"))?.id,
            verdict,
            value: action.value.clone().ok_or(InvalidClick::Lacks("actions/value"))?,
            reason: payload.state.and_then(State::reason),
            reply_to: payload.response_url.ok_or(InvalidClick::Lacks("response_url"))?,
        }))
    }
}

fn verdict_of(action: &str) -> Option<Verdict> {
    match action {
        APPROVE => Some(Verdict::Approve),
        REJECT => Some(Verdict::Reject),
        _ => None,
    }
}

#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "type")]
    kind: String,
    user: Option<Presser>,
    #[serde(default)]
    actions: Vec<Pressed>,
    state: Option<State>,
    response_url: Option<ReplyUrl>,
}

#[derive(Deserialize)]
struct Presser {
    id: SlackUserId,
}

#[derive(Deserialize)]
struct Pressed {
    action_id: String,
    value: Option<String>,
}

/// The fields of the message, by block and name.
#[derive(Deserialize)]
struct State {
    #[serde(default)]
    values: serde_json::Value,
}

impl State {
    fn reason(self) -> Option<String> {
        let written = self.values.get(REASON)?.get(REASON)?.get("value")?.as_str()?.trim();
        (!written.is_empty()).then(|| written.to_owned())
    }
}

/// The hosts at which Slack, and Slack for governments, takes answers: a payload cannot send Muster anywhere else.
const HOSTS: [&str; 2] = ["hooks.slack.com", "hooks.slack-gov.com"];
const MAX_URL_BYTES: usize = 1_024;

impl ReplyUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ReplyUrl {
    type Error = InvalidReplyUrl;

    fn try_from(text: String) -> Result<Self, InvalidReplyUrl> {
        let url = Url::parse(&text).ok().filter(|_| text.len() <= MAX_URL_BYTES).ok_or(InvalidReplyUrl)?;
        let plain = url.scheme() == "https" && url.port().is_none() && url.username().is_empty();
        let slacks = matches!(url.host(), Some(Host::Domain(host)) if HOSTS.contains(&host));
        (plain && url.password().is_none() && slacks).then(|| Self(url.into())).ok_or(InvalidReplyUrl)
    }
}

impl From<ReplyUrl> for String {
    fn from(url: ReplyUrl) -> Self {
        url.0
    }
}

impl fmt::Display for ReplyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no address of Slack's, as in https://hooks.slack.com/actions/…")]
pub struct InvalidReplyUrl;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn payload() -> Value {
        json!({
            "type": "block_actions",
            "user": {"id": "U012AB3CD", "username": "bo", "team_id": "T1"},
            "api_app_id": "A1", "trigger_id": "1.2.3", "message": {"ts": "1.2"}, "container": {"type": "message"},
            "state": {"values": {"reason": {"reason": {"type": "plain_text_input", "value": " looked "}}}},
            "actions": [{"action_id": "approve", "block_id": "b", "value": "v", "type": "button", "action_ts": "1.2"}],
            "response_url": "https://hooks.slack.com/actions/T1/2/abc",
        })
    }

    fn read(payload: &Value) -> Result<Option<Click>, InvalidClick> {
        let body: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("payload", &payload.to_string())
            .finish();
        Click::read(body.as_bytes())
    }

    fn with(pointer: &str, value: Value) -> Value {
        let mut changed = payload();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed
    }

    #[test]
    fn a_pressed_button_is_read() {
        let click = read(&payload()).unwrap().unwrap();
        assert_eq!((click.by.to_string().as_str(), click.value.as_str()), ("U012AB3CD", "v"));
        assert_eq!((click.verdict, click.reason.as_deref()), (Verdict::Approve, Some("looked")));
        assert_eq!(click.reply_to.as_str(), "https://hooks.slack.com/actions/T1/2/abc");
        let rejected = read(&with("/actions/0/action_id", json!("reject"))).unwrap().unwrap();
        assert_eq!(rejected.verdict, Verdict::Reject);
        for blank in [json!(null), json!("  "), json!(7)] {
            let click = read(&with("/state/values/reason/reason/value", blank)).unwrap().unwrap();
            assert_eq!(click.reason, None);
        }
    }

    #[test]
    fn what_is_no_button_of_muster_is_left_alone() {
        for other in [
            with("/type", json!("view_submission")),
            with("/actions", json!([])),
            with("/actions/0/action_id", json!("snooze")),
        ] {
            assert_eq!(read(&other).unwrap(), None, "{other}");
        }
    }

    #[test]
    fn what_cannot_be_understood_is_refused() {
        for body in ["", "payload", "other=1", "payload=", "payload=%7B", "payload=7", "\u{0}"] {
            Click::read(body.as_bytes()).unwrap_err();
        }
        for wrong in [
            with("/user", json!(null)),
            with("/user/id", json!("")),
            with("/user/id", json!("U#1")),
            with("/actions/0/value", json!(null)),
            with("/response_url", json!(null)),
        ] {
            read(&wrong).unwrap_err();
        }
    }

    #[test]
    fn inv_d1_an_answer_goes_to_slack_and_nowhere_else() {
        for url in ["https://hooks.slack.com/actions/T1/2/abc", "https://hooks.slack-gov.com/actions/T1"] {
            ReplyUrl::try_from(url.to_owned()).unwrap();
        }
        for url in [
            "http://hooks.slack.com/actions",
            "https://hooks.slack.com.example/actions",
            "https://example/hooks.slack.com",
            "https://a@hooks.slack.com/",
            "https://:b@hooks.slack.com/",
            "https://hooks.slack.com:8443/",
            "https://127.0.0.1/",
            "hooks.slack.com",
            "",
            &format!("https://hooks.slack.com/{}", "a".repeat(MAX_URL_BYTES)),
        ] {
            assert_eq!(ReplyUrl::try_from(url.to_owned()), Err(InvalidReplyUrl), "{url}");
        }
    }
}
