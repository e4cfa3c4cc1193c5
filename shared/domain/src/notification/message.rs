//! What a notification says, in the form that each way takes. Values of incidents are bounded, stay on their line, and can
//! neither mention anybody nor show a link under another name.

use serde_json::{Map, Value, json};

use super::{
    Addressees, Asking, EmailAddress, Escalated, Failure, IncidentWords, Notification, Notifier, Occasion,
    Recipient, Way, buttons, reply,
};
use crate::execution::ExecutionStatus;
use crate::plan::{WebhookCall, slack_message, teams_message};
use crate::render::render;
use crate::request::{ContentType, RenderedRequest, RequestUrl, WebhookMethod};
use crate::workflow::actions::{SlackAction, TeamsAction};

/// The longest error, and the longest of any other value, in characters: even if each is one that must be escaped, all of
/// them fit into a block of Slack, which takes 3,000.
const MAX_ERROR_CHARS: usize = 300;
const MAX_VALUE_CHARS: usize = 100;
/// The longest answer to a click: it holds what somebody wrote, or why it does not count.
const MAX_REPLY_CHARS: usize = 1_000;

/// The request that tells this recipient; the error says what could not be built. `button` is the value of the buttons by which
/// an asking is answered, if there are to be any.
pub fn prepare(
    notification: &Notification,
    recipient: &Recipient,
    button: Option<&str>,
) -> Result<RenderedRequest, String> {
    match &recipient.way {
        Way::Slack { target, .. } => {
            // The text is a value of the template and no part of it: nothing in it is an expression.
            let action = SlackAction { target: target.clone(), text: "{{text}}".to_owned() };
            let text = notification.lines(for_slack).join("\n");
            let more = match (&notification.occasion, button) {
                (Occasion::Asking(asking), Some(value)) => buttons::blocks(asking, value).to_vec(),
                (_, Some(_) | None) => Vec::new(),
            };
            rendered(slack_message(&action, more), &json!({"text": text}))
        }
        Way::SlackReply { url, seen } => {
            Ok(reply::to_slack(url, &notification.lines(for_slack).join("\n"), *seen))
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
        match &self.occasion {
            Occasion::Failure(failure) => {
                let name = one_line(&failure.workflow_name, MAX_VALUE_CHARS);
                format!("Workflow {name} {}", what_happened(failure.status))
            }
            Occasion::Asking(asking) => {
                let name = one_line(&asking.runbook.name, MAX_VALUE_CHARS);
                let more = if asking.escalated_to.is_empty() { "" } else { "still " };
                format!("Runbook {name} {more}waits for a decision: {}", asking.step)
            }
            Occasion::Trouble(trouble) => {
                let name = one_line(&trouble.runbook.name, MAX_VALUE_CHARS);
                format!("Runbook {name} {}", what_happened(trouble.status))
            }
            Occasion::Reply(reply) => one_line(&reply.text, MAX_REPLY_CHARS),
        }
    }

    /// The heading, and below it what, of what, for what and when. `escape` is given every line.
    fn lines(&self, escape: fn(&str) -> String) -> Vec<String> {
        let incident = self.incident.as_ref().map(|id| match self.incident_words() {
            Some(words) => {
                let title = one_line(&words.title, MAX_VALUE_CHARS);
                format!("Incident {id}: {title} ({})", words.priority.as_str())
            }
            None => format!("Incident {id}"),
        });
        let (before, after) = match &self.occasion {
            Occasion::Failure(failure) => self.of_failure(failure),
            Occasion::Asking(asking) => self.of_asking(asking),
            Occasion::Trouble(trouble) => self.of_trouble(trouble),
            Occasion::Reply(_) => (Vec::new(), Vec::new()),
        };
        let lines = [self.subject()].into_iter().chain(before).chain(incident).chain(after);
        lines.map(|line| escape(&line)).collect()
    }

    /// What stands before and after the incident.
    fn of_failure(&self, failure: &Failure) -> (Vec<String>, Vec<String>) {
        let error = one_line(&failure.error, MAX_ERROR_CHARS);
        let error = match &failure.step {
            Some(step) => format!("Node {step}: {error}"),
            None => error,
        };
        let execution = format!("Execution {} of workflow {}", self.execution, failure.workflow);
        (vec![error], vec![execution, failure.at.to_string()])
    }

    fn of_trouble(&self, trouble: &Escalated) -> (Vec<String>, Vec<String>) {
        let because = one_line(&trouble.because, MAX_ERROR_CHARS);
        let because = match &trouble.step {
            Some(step) => format!("Step {step}: {because}"),
            None => because,
        };
        let (id, runbook, by) = (&self.execution, &trouble.runbook.id, &trouble.requested_by);
        let execution = format!("Execution {id} of runbook {runbook}, asked for by {by}");
        let see = format!("To see it: muster execution get {id}");
        (vec![because], vec![execution, see, trouble.at.to_string()])
    }

    /// Who may decide what, until when, and how to answer.
    fn of_asking(&self, asking: &Asking) -> (Vec<String>, Vec<String>) {
        let needs = one_line(&asking.needs.join(", then "), MAX_ERROR_CHARS);
        let others: Vec<String> = asking.escalated_to.iter().map(ToString::to_string).collect();
        let others = (!others.is_empty()).then(|| one_line(&others.join(", "), MAX_ERROR_CHARS));
        let others = others.map(|others| format!("May answer as well: {others}"));
        let before = [Some(format!("Needs {needs}")), others, Some(format!("Until {}", asking.until))];
        let (id, step, digest) = (&self.execution, &asking.step, &asking.digest);
        let after = vec![
            format!("Execution {id} of runbook {}, asked for by {}", asking.runbook.id, asking.requested_by),
            format!("To see it: muster execution approvals {id}"),
            format!("To answer: muster execution approve {id} {step} --digest {digest} --reason …"),
        ];
        (before.into_iter().flatten().collect(), after)
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
        });
        if let Some(members) = body.as_object_mut() {
            members.extend(self.about());
        }
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
        let (status, error, at, step) = match &self.occasion {
            Occasion::Failure(failure) => {
                (failure.status, &failure.error, failure.at, ("node", &failure.step))
            }
            Occasion::Trouble(trouble) => {
                (trouble.status, &trouble.because, trouble.at, ("step", &trouble.step))
            }
            Occasion::Asking(asking) => {
                let at = asking.at.to_string();
                return json!({"id": self.execution, "status": ExecutionStatus::Waiting, "at": at});
            }
            Occasion::Reply(reply) => return json!({"id": self.execution, "at": reply.at.to_string()}),
        };
        let mut facts = Map::from_iter([
            ("id".to_owned(), json!(self.execution)),
            ("status".to_owned(), json!(status)),
            ("error".to_owned(), json!(one_line(error, MAX_ERROR_CHARS))),
            ("at".to_owned(), json!(at.to_string())),
        ]);
        let (called, step) = step;
        facts.extend(step.as_ref().map(|step| (called.to_owned(), json!(step))));
        Value::Object(facts)
    }

    /// The workflow that failed, what is asked of whom, or the runbook in trouble.
    fn about(&self) -> Map<String, Value> {
        match &self.occasion {
            Occasion::Failure(failure) => {
                let workflow = json!({"id": failure.workflow, "name": failure.workflow_name});
                Map::from_iter([("workflow".to_owned(), workflow)])
            }
            Occasion::Asking(asking) => {
                let approval = json!({
                    "step": asking.step,
                    "round": asking.round,
                    "needs": asking.needs,
                    "escalatedTo": asking.escalated_to,
                    "digest": asking.digest,
                    "until": asking.until.to_string(),
                });
                let runbook = json!({"id": asking.runbook.id, "name": asking.runbook.name});
                Map::from_iter([("approval".to_owned(), approval), ("runbook".to_owned(), runbook)])
            }
            Occasion::Trouble(trouble) => {
                let runbook = json!({"id": trouble.runbook.id, "name": trouble.runbook.name});
                let troubles = json!(trouble.troubles);
                Map::from_iter([("runbook".to_owned(), runbook), ("troubles".to_owned(), troubles)])
            }
            Occasion::Reply(_) => Map::new(),
        }
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
        // Of what succeeded only that is told.
        ExecutionStatus::Success => "did not help",
        ExecutionStatus::Failed
        | ExecutionStatus::Pending
        | ExecutionStatus::Running
        | ExecutionStatus::Waiting
        | ExecutionStatus::Paused => "failed",
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
