//! Jira: a search for the label of the step, and the creation of an issue with that label.

use serde_json::{Map, Value, json};

use super::{fixed, post};
use crate::answer::Answer;
use crate::fault::Fault;
use crate::plan::WebhookCall;
use crate::request::WebhookAuth;
use crate::template::Template;
use crate::workflow::actions::JiraAction;

pub(in crate::plan) fn jira_search(action: &JiraAction) -> Result<WebhookCall, Vec<Fault>> {
    let body = json!({
        "jql": "labels = \"{{step.marker}}\"",
        "fields": ["key"],
        "maxResults": 1,
    });
    let url = fixed(&format!("{}/rest/api/3/search/jql", site(action)))?;
    post(url, auth(action), &body, Answer::JiraSearch)
}

pub(in crate::plan) fn jira_issue(action: &JiraAction) -> Result<WebhookCall, Vec<Fault>> {
    let url = fixed(&format!("{}/rest/api/3/issue", site(action)))?;
    post(url, auth(action), &json!({"fields": fields(action)}), Answer::JiraIssue)
}

fn fields(action: &JiraAction) -> Map<String, Value> {
    let marker = "{{step.marker}}".to_owned();
    let labels: Vec<&String> = action.labels.iter().chain([&marker]).collect();
    let mut fields = Map::from_iter([
        ("project".to_owned(), json!({"key": action.project})),
        ("issuetype".to_owned(), json!({"name": action.issue_type})),
        ("summary".to_owned(), json!(action.summary)),
        ("description".to_owned(), document(&action.description)),
        ("labels".to_owned(), json!(labels)),
    ]);
    let priority = action.priority.as_ref().map(|name| ("priority".to_owned(), json!({"name": name})));
    fields.extend(priority);
    fields
}

/// The description in Atlassian's document format: a paragraph for each line, unless an expression goes over several.
fn document(description: &str) -> Value {
    let lines: Vec<&str> = description.lines().collect();
    let whole = lines.iter().all(|line| Template::compile(line).is_ok());
    let paragraphs: Vec<Value> =
        if whole { lines.into_iter().map(paragraph).collect() } else { vec![paragraph(description)] };
    json!({"type": "doc", "version": 1, "content": paragraphs})
}

/// Jira refuses a text that is empty, as a value may be: hence the space at its end.
fn paragraph(line: &str) -> Value {
    let content =
        if line.is_empty() { json!([]) } else { json!([{"type": "text", "text": format!("{line} ")}]) };
    json!({"type": "paragraph", "content": content})
}

fn auth(action: &JiraAction) -> WebhookAuth {
    WebhookAuth::Basic { username: action.email.clone(), password: action.api_token.clone() }
}

fn site(action: &JiraAction) -> &str {
    action.site.trim_end_matches('/')
}
