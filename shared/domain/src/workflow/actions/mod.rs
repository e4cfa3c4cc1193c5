//! What a workflow can do. Each kind has a file: its configuration, what makes it valid, and what a repeat does.

mod jira;
mod linear;
mod runbook;
mod slack;
mod teams;
mod webhook;

use serde::{Deserialize, Serialize};

pub use self::jira::JiraAction;
pub use self::linear::LinearAction;
pub use self::runbook::RunbookAction;
pub use self::slack::{SlackAction, SlackTarget};
pub use self::teams::TeamsAction;
pub use self::webhook::WebhookAction;
use crate::fault::{Fault, check_length, pointer_to};
use crate::template::{MAX_SOURCE_BYTES, Template};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Action {
    Webhook(WebhookAction),
    Jira(JiraAction),
    Linear(LinearAction),
    Slack(SlackAction),
    Teams(TeamsAction),
    Runbook(RunbookAction),
}

impl Action {
    /// The `type`, for lists and logs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Jira(_) => "jira",
            Self::Linear(_) => "linear",
            Self::Slack(_) => "slack",
            Self::Teams(_) => "teams",
            Self::Runbook(_) => "runbook",
        }
    }

    /// All that is wrong with it; `pointer` is where it stands.
    pub(crate) fn faults(&self, pointer: &str) -> Vec<Fault> {
        match self {
            Self::Webhook(action) => action.faults(pointer),
            Self::Jira(action) => action.faults(pointer),
            Self::Linear(action) => action.faults(pointer),
            Self::Slack(action) => action.faults(pointer),
            Self::Teams(action) => action.faults(pointer),
            Self::Runbook(action) => action.faults(pointer),
        }
    }
}

/// The longest text that is no template, in characters.
const MAX_PLAIN_CHARS: usize = 200;
/// The most labels of an issue.
const MAX_LABELS: usize = 20;

/// Checks a member that is a template and may not be empty.
fn check_template(pointer: &str, name: &str, text: &str, faults: &mut Vec<Fault>) {
    let at = pointer_to(pointer, name);
    check_length(&at, text, 1, MAX_SOURCE_BYTES, faults);
    if let Err(fault) = Template::compile(text) {
        faults.push(Fault::new(at, fault.to_string()));
    }
}

/// Checks a member that is sent as it stands.
fn check_plain(pointer: &str, name: &str, text: &str, faults: &mut Vec<Fault>) {
    let at = pointer_to(pointer, name);
    check_length(&at, text, 1, MAX_PLAIN_CHARS, faults);
    if text.contains("{{") {
        faults.push(Fault::new(at, "is sent as it stands; it cannot be a template"));
    }
}

fn check_labels(pointer: &str, name: &str, labels: &[String], faults: &mut Vec<Fault>) {
    let at = pointer_to(pointer, name);
    if labels.len() > MAX_LABELS {
        faults.push(Fault::new(&at, format!("has {} entries; at most {MAX_LABELS}", labels.len())));
    }
    for (position, label) in labels.iter().enumerate().take(MAX_LABELS) {
        check_plain(&at, &position.to_string(), label, faults);
    }
}
