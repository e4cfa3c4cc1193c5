//! From a step's templates and an execution's facts to the one request that every attempt sends.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use url::Url;

use crate::answer::Answer;
use crate::execution::{Execution, Parent, Pinned};
use crate::ids::StepId;
use crate::incident::Incident;
use crate::plan::{HeaderTemplate, RunbookCall, Step, UrlTemplate, WebhookCall};
use crate::request::{ContentType, HeaderValue, RenderedRequest, RequestUrl, WebhookMethod};
use crate::template::{PayloadTemplate, RenderedPayload, Template};
use crate::workflow::actions::{JiraAction, LinearAction};

/// What templates and conditions may name: `incident`, `team`, `workflow`, `runbook`, `params`, `steps` (B4). `bodies` are the
/// responses that are kept beside the execution.
pub fn context(
    execution: &Execution,
    incident: Option<&Incident>,
    bodies: &BTreeMap<StepId, String>,
) -> Value {
    let team = execution.team.as_ref().map_or("", |team| team.as_str());
    json!({
        "incident": incident_context(incident, team),
        "team": {"id": team, "name": team},
        "workflow": workflow_context(execution),
        "runbook": runbook_context(&execution.pinned),
        "params": execution.parameters,
        "steps": execution.results(bodies),
    })
}

/// Adds what a template may name of the step that it belongs to: `step.key`, which is the `Idempotency-Key` of each attempt,
/// and for Jira `step.marker`, for Linear `step.issueId`, which are made of it. A search names the step that it is made for.
pub fn name_step(context: &mut Value, execution: &Execution, step: &Step) {
    let key = format!("{}-{}", execution.id, step.id.written());
    let mut named = Map::new();
    match step.kind.answer() {
        Answer::JiraIssue | Answer::JiraSearch => {
            named.insert("marker".to_owned(), JiraAction::marker(&key).into());
        }
        Answer::LinearIssue => {
            named.insert("issueId".to_owned(), LinearAction::issue_id(&key).into());
        }
        Answer::Status | Answer::SlackApi => {}
    }
    named.insert("key".to_owned(), key.into());
    if let Some(context) = context.as_object_mut() {
        context.insert("step".to_owned(), named.into());
    }
}

/// What rules may name of an incident before anything runs: `incident`, `team`.
pub fn incident_alone(incident: &Incident) -> Value {
    let team = incident.team.as_ref().map_or("", |team| team.as_str());
    json!({"incident": incident_context(Some(incident), team), "team": {"id": team, "name": team}})
}

/// The workflow that runs, or that started the runbook; its names are empty if there is none.
fn workflow_context(execution: &Execution) -> Value {
    match (&execution.pinned, &execution.parent) {
        (Pinned::Workflow(workflow), _) => {
            json!({"id": workflow.id, "name": workflow.name, "executionId": execution.id})
        }
        (Pinned::Runbook(_), Some(Parent { workflow: Some(workflow), execution, .. })) => {
            json!({"id": workflow.id, "name": workflow.name, "executionId": execution})
        }
        (Pinned::Runbook(_), Some(_) | None) => json!({"id": "", "name": "", "executionId": execution.id}),
    }
}

fn runbook_context(pinned: &Pinned) -> Value {
    match pinned {
        Pinned::Runbook(runbook) => {
            json!({"id": runbook.id, "name": runbook.name, "version": runbook.version})
        }
        Pinned::Workflow(_) => json!({"id": "", "name": "", "version": 0}),
    }
}

/// An execution without an incident has a stand-in, so that one template serves both.
fn incident_context(incident: Option<&Incident>, team: &str) -> Value {
    match incident {
        Some(incident) => json!({
            "id": incident.id,
            "title": incident.title,
            "priority": incident.priority,
            "status": incident.status,
            "createdAt": incident.created_at.to_string(),
            "teamName": incident.team.as_ref().map_or(team, |team| team.as_str()),
            "metadata": incident.metadata,
        }),
        None => json!({
            "id": "",
            "title": "Manual Execution",
            "priority": "MEDIUM",
            "status": "OPEN",
            "createdAt": "",
            "teamName": team,
            "metadata": {},
        }),
    }
}

/// The request of a call, secrets still references. The error names the place that could not be rendered.
pub fn render(call: &WebhookCall, context: &Value) -> Result<RenderedRequest, String> {
    let (content_type, body) = match &call.payload {
        None => (ContentType::Json, empty_body(call.method).to_owned()),
        Some(payload) => {
            let rendered = render_payload(payload, context)?;
            (rendered.content_type, rendered.body)
        }
    };
    Ok(RenderedRequest {
        method: call.method,
        url: match &call.url {
            UrlTemplate::Secret(url) => RequestUrl::Secret(url.clone()),
            UrlTemplate::Text(url) => RequestUrl::Text(render_url(url, context)?),
        },
        headers: render_headers(call, context)?,
        auth: call.auth.clone(),
        content_type,
        body,
    })
}

/// What a call without a payload sends.
fn empty_body(method: WebhookMethod) -> &'static str {
    match method {
        WebhookMethod::Post | WebhookMethod::Put | WebhookMethod::Patch => "{}",
        WebhookMethod::Get => "",
    }
}

/// The parameters that a step gives to the runbook it starts.
pub fn render_parameters(call: &RunbookCall, context: &Value) -> Result<Map<String, Value>, String> {
    let Some(parameters) = &call.parameters else { return Ok(Map::new()) };
    let rendered = render_payload(parameters, context)?;
    serde_json::from_str(&rendered.body).map_err(|error| format!("parameters: {error}"))
}

fn render_payload(payload: &PayloadTemplate, context: &Value) -> Result<RenderedPayload, String> {
    payload.render(context).map_err(|faults| {
        let places = faults.iter().map(|fault| format!("{}: {}", fault.pointer, fault.message));
        format!("payload {}", places.collect::<Vec<_>>().join("; "))
    })
}

fn render_headers(call: &WebhookCall, context: &Value) -> Result<Vec<(String, HeaderValue)>, String> {
    let render_one = |(name, template): &(String, HeaderTemplate)| {
        let value = match template {
            HeaderTemplate::Secret(secret) => secret.clone(),
            HeaderTemplate::Text(template) => {
                let text = template.render(context).map_err(|fault| format!("header {name}: {fault}"))?;
                if text.chars().any(char::is_control) {
                    return Err(format!("header {name}: the rendered value holds control characters"));
                }
                HeaderValue::Text(text)
            }
        };
        Ok((name.clone(), value))
    };
    call.headers.iter().map(render_one).collect()
}

/// Values enter a URL percent-encoded, and can neither climb out of their path segment nor change where it points.
fn render_url(url: &Template, context: &Value) -> Result<String, String> {
    let text = url.render_for_url(context).map_err(|fault| format!("url: {fault}"))?;
    let climbs = |segment: &str| matches!(segment, "." | "..");
    let path = text.split(['?', '#']).next().unwrap_or_default();
    if !url.is_constant() && path.split(['/', '\\']).any(climbs) {
        return Err("url: a value is `.` or `..`, which would leave its place in the path".into());
    }
    Url::parse(&text).map_err(|error| format!("url: {error}"))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Plan, StepKind};
    use crate::runbook::RunbookDefinition;

    fn check(url: &str, params: Value, expected: Result<&str, &str>) {
        let definition: RunbookDefinition =
            serde_json::from_value(json!({"name": "n", "webhookUrl": url})).expect("parses");
        let plan = Plan::compile(&definition).expect("compiles");
        let StepKind::Webhook(call) = &plan.steps[0].kind else { panic!("a runbook calls a webhook") };
        let rendered = render(call, &json!({"params": params}));
        match (rendered, expected) {
            (Ok(request), Ok(url)) => assert_eq!(request.url, url.to_owned().into()),
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (rendered, expected) => panic!("{rendered:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn inv_e1_a_value_in_a_url_stays_in_its_place() {
        let url = "https://ops.example/{{params.a}}/restart?by={{params.b}}";
        check(url, json!({"a": "web", "b": "x"}), Ok("https://ops.example/web/restart?by=x"));
        check(
            url,
            json!({"a": "a/b?c#d", "b": "1&admin=1"}),
            Ok("https://ops.example/a%2Fb%3Fc%23d/restart?by=1%26admin%3D1"),
        );
        check(url, json!({"a": "é \r\n", "b": ""}), Ok("https://ops.example/%C3%A9%20%0D%0A/restart?by="));
        check(url, json!({"a": "..", "b": ""}), Err("leave its place"));
        check(url, json!({"a": ".", "b": ""}), Err("leave its place"));
        check(url, json!({"b": ""}), Err("params.a"));
    }

    #[test]
    fn without_an_incident_templates_see_a_stand_in() {
        let stand_in = incident_context(None, "ops");
        assert_eq!(stand_in["title"], "Manual Execution");
        assert_eq!(stand_in["priority"], "MEDIUM");
        assert_eq!(stand_in["status"], "OPEN");
        assert_eq!(stand_in["teamName"], "ops");
    }
}
