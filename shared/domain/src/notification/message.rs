//! What a notification says, in the form that each way takes. Values of incidents are bounded, stay on their line, and can
//! neither mention anybody nor show a link under another name.

use serde_json::{Map, Value, json};

use super::{Addressees, EmailAddress, IncidentWords, Notification, Notifier, Recipient, Way};
use crate::execution::ExecutionStatus;
use crate::plan::{WebhookCall, slack_message, teams_message};
use crate::render::render;
use crate::request::{ContentType, RenderedRequest, RequestUrl, WebhookMethod};
use crate::workflow::actions::{SlackAction, TeamsAction};

/// The longest error, and the longest of any other value, in characters: even if each is one that must be escaped, all of
/// them fit into a block of Slack, which takes 3,000.
const MAX_ERROR_CHARS: usize = 300;
const MAX_VALUE_CHARS: usize = 100;

/// The request that tells this recipient; the error says what could not be built.
pub fn prepare(notification: &Notification, recipient: &Recipient) -> Result<RenderedRequest, String> {
    match &recipient.way {
        Way::Slack { target } => {
            // The text is a value of the template and no part of it: nothing in it is an expression.
            let action = SlackAction { target: target.clone(), text: "{{text}}".to_owned() };
            let text = notification.lines(for_slack).join("\n");
            rendered(slack_message(&action), &json!({"text": text}))
        }
        Way::Teams { webhook_url } => {
            let (title, text) = ("{{title}}".to_owned(), "{{text}}".to_owned());
            let action = TeamsAction { webhook_url: webhook_url.clone(), title, text };
            let [title, lines @ ..] = &notification.lines(for_teams)[..] else { return Err(EMPTY.into()) };
            rendered(teams_message(&action), &json!({"title": title, "text": lines.join("\n\n")}))
        }
        Way::Notifier { notifier, to } => Ok(notification.to_notifier(notifier, to)),
    }
}

const EMPTY: &str = "the message has no lines";

fn rendered(
    compiled: Result<WebhookCall, Vec<crate::fault::Fault>>,
    context: &Value,
) -> Result<RenderedRequest, String> {
    let call = compiled.map_err(|faults| {
        let faults = faults.into_iter().map(|fault| format!("{}: {}", fault.pointer, fault.message));
        faults.collect::<Vec<_>>().join("; ")
    })?;
    render(&call, context)
}

impl Notification {
    /// One line for a heading.
    fn subject(&self) -> String {
        let name = one_line(&self.failure.workflow_name, MAX_VALUE_CHARS);
        format!("Workflow {name} {}", what_happened(self.failure.status))
    }

    /// The heading, and below it what, of what, for what and when. `escape` is given every line.
    fn lines(&self, escape: fn(&str) -> String) -> Vec<String> {
        let failure = &self.failure;
        let error = one_line(&failure.error, MAX_ERROR_CHARS);
        let error = match &failure.step {
            Some(step) => format!("Node {step}: {error}"),
            None => error,
        };
        let incident = self.incident.as_ref().map(|id| match self.incident_words() {
            Some(words) => {
                let title = one_line(&words.title, MAX_VALUE_CHARS);
                format!("Incident {id}: {title} ({})", words.priority.as_str())
            }
            None => format!("Incident {id}"),
        });
        let execution = format!("Execution {} of workflow {}", self.execution, failure.workflow);
        let lines =
            [Some(self.subject()), Some(error), incident, Some(execution), Some(failure.at.to_string())];
        lines.into_iter().flatten().map(|line| escape(&line)).collect()
    }

    fn incident_words(&self) -> Option<&IncidentWords> {
        match &self.addressees {
            Addressees::Known { incident, .. } => incident.as_ref(),
            Addressees::Unknown | Addressees::Nobody { .. } => None,
        }
    }

    fn to_notifier(&self, notifier: &Notifier, to: &EmailAddress) -> RenderedRequest {
        let mut body = json!({
            "to": to,
            "subject": self.subject(),
            "text": self.lines(str::to_owned).join("\n"),
            "execution": self.execution_facts(),
            "workflow": {"id": self.failure.workflow, "name": self.failure.workflow_name},
        });
        if let (Some(members), Some(incident)) = (body.as_object_mut(), self.incident_facts()) {
            members.insert("incident".to_owned(), incident);
        }
        RenderedRequest {
            method: WebhookMethod::Post,
            url: RequestUrl::Text(notifier.url.clone()),
            headers: Vec::new(),
            auth: notifier.auth.clone(),
            content_type: ContentType::Json,
            body: body.to_string(),
        }
    }

    fn execution_facts(&self) -> Value {
        let failure = &self.failure;
        let mut facts = Map::from_iter([
            ("id".to_owned(), json!(self.execution)),
            ("status".to_owned(), json!(failure.status)),
            ("error".to_owned(), json!(one_line(&failure.error, MAX_ERROR_CHARS))),
            ("at".to_owned(), json!(failure.at.to_string())),
        ]);
        facts.extend(failure.step.as_ref().map(|step| ("node".to_owned(), json!(step))));
        Value::Object(facts)
    }

    fn incident_facts(&self) -> Option<Value> {
        let id = self.incident.as_ref()?;
        Some(match self.incident_words() {
            Some(words) => json!({"id": id, "title": words.title, "priority": words.priority}),
            None => json!({"id": id}),
        })
    }
}

fn what_happened(status: ExecutionStatus) -> &'static str {
    match status {
        ExecutionStatus::NeedsReview => "waits for a person's decision",
        ExecutionStatus::UndoFailed => "could not take back what it did",
        ExecutionStatus::RolledBack => "was rolled back",
        ExecutionStatus::Cancelled => "ran out of time",
        ExecutionStatus::Failed
        | ExecutionStatus::Pending
        | ExecutionStatus::Running
        | ExecutionStatus::Waiting
        | ExecutionStatus::Paused
        | ExecutionStatus::Success => "failed",
    }
}

/// White space and control characters become single spaces; what is too long ends in an ellipsis.
fn one_line(text: &str, most: usize) -> String {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<&str> = text.split(blank).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// The three characters that mean something everywhere in a Slack text: without them there is no mention and no link.
fn for_slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What links are made of in the Markdown of adaptive cards.
fn for_teams(text: &str) -> String {
    text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
}
