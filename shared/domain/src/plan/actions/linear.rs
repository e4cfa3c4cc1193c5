//! Linear: one mutation that names the id of the issue itself.

use serde_json::{Map, Value, json};

use super::{fixed, post};
use crate::answer::Answer;
use crate::fault::Fault;
use crate::plan::WebhookCall;
use crate::request::WebhookAuth;
use crate::workflow::actions::LinearAction;

const LINEAR: &str = "https://api.linear.app/graphql";

/// Of the issue it answers what people follow.
const ISSUE_CREATE: &str = "mutation Create($input: IssueCreateInput!) \
    { issueCreate(input: $input) { success issue { id identifier url } } }";

pub(in crate::plan) fn linear_issue(action: &LinearAction) -> Result<WebhookCall, Vec<Fault>> {
    // A personal API key stands in the header as it is, without a scheme.
    let auth = WebhookAuth::ApiKey { header: "Authorization".to_owned(), key: action.api_key.clone() };
    let body = json!({"query": ISSUE_CREATE, "variables": {"input": input(action)}});
    post(fixed(LINEAR)?, auth, &body, Answer::LinearIssue)
}

fn input(action: &LinearAction) -> Map<String, Value> {
    let mut input = Map::from_iter([
        ("id".to_owned(), json!("{{step.issueId}}")),
        ("teamId".to_owned(), json!(action.team_id)),
        ("title".to_owned(), json!(action.title)),
        ("description".to_owned(), json!(action.description)),
    ]);
    input.extend(action.priority.map(|priority| ("priority".to_owned(), json!(priority))));
    if !action.label_ids.is_empty() {
        input.insert("labelIds".to_owned(), json!(action.label_ids));
    }
    input
}
