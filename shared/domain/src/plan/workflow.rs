//! A workflow's graph as a plan: one step at a time, in topological order, until one fails (C6).

use std::time::Duration;

use serde_json::Value;

use super::actions::{jira_issue, jira_search, linear_issue, slack_message, teams_message};
use super::{
    Need, Plan, RunbookCall, Step, StepKind, UrlTemplate, WebhookCall, compile_headers, compile_template,
};
use crate::answer::Answer;
use crate::fault::Fault;
use crate::ids::StepId;
use crate::outcome::RetryPolicy;
use crate::template::PayloadTemplate;
use crate::webhook::MAX_TIMEOUT_SECONDS;
use crate::workflow::actions::{JiraAction, RunbookAction, WebhookAction};
use crate::workflow::{Action, Branch, Edge, Graph, Node, WorkflowDefinition};

impl Plan {
    /// Compiles a workflow; what cannot compile is reported as faults of the definition.
    pub fn of_workflow(workflow: &WorkflowDefinition) -> Result<Self, Vec<Fault>> {
        let faults = workflow.faults();
        if !faults.is_empty() {
            return Err(faults);
        }
        let graph = &workflow.definition;
        let nodes = graph.topological_order().unwrap_or_default();
        let steps = nodes.into_iter().map(|node| steps(graph, node)).collect::<Result<Vec<_>, _>>()?;
        let timeout = Some(workflow.settings.timeout.duration());
        Ok(Self { timeout, ..Self::of_steps(steps.into_iter().flatten().collect()) })
    }
}

/// The trigger is the start of the plan and no step of it. A fault is reported at the node.
fn steps(graph: &Graph, node: &Node) -> Result<Vec<Step>, Vec<Fault>> {
    let at = graph.nodes.iter().position(|other| other.id() == node.id()).unwrap_or_default();
    let at = format!("/definition/nodes/{at}/action");
    let under = |faults: Vec<Fault>| faults.into_iter().map(|fault| fault.under(&at)).collect::<Vec<_>>();
    let kind = match node {
        Node::Trigger { .. } => return Ok(Vec::new()),
        Node::Action { action: Action::Jira(jira), .. } => return searched(graph, node, jira).map_err(under),
        Node::Action { action, .. } => of_action(action).map_err(under)?,
        Node::Condition { field, equals, .. } => {
            StepKind::Condition { field: field.clone(), equals: equals.clone() }
        }
        Node::Delay { seconds, .. } => StepKind::Delay(Duration::from_secs(*seconds)),
    };
    Ok(vec![step(graph, node, kind)])
}

/// Two steps: the search, and after it the creation, which begins with the search whenever it is repeated.
fn searched(graph: &Graph, node: &Node, jira: &JiraAction) -> Result<Vec<Step>, Vec<Fault>> {
    let id = node.id().search();
    let create = step(graph, node, StepKind::Webhook(jira_issue(jira)?));
    let search = Step { id: id.clone(), ..step(graph, node, StepKind::Webhook(jira_search(jira)?)) };
    // What the node needs is kept, so that a skipped creation has the cause of the node.
    let needs = create.needs.iter().cloned().chain([Need::success(id.clone())]).collect();
    let retry = RetryPolicy { base_delay_ms: INDEXING_MS, ..RetryPolicy::default() };
    Ok(vec![search, Step { needs, retry, search: Some(id), ..create }])
}

/// Jira's search sees a new issue after a while; a repeat waits for that.
pub(super) const INDEXING_MS: u64 = 5_000;

fn step(graph: &Graph, node: &Node, kind: StepKind) -> Step {
    let before: Vec<&Edge> = graph.edges.iter().filter(|edge| edge.to == *node.id()).collect();
    let (from_start, needs): (Vec<&Edge>, Vec<&Edge>) =
        before.into_iter().partition(|edge| is_trigger(graph, &edge.from));
    Step {
        needs: needs.into_iter().map(need).collect(),
        entry: !from_start.is_empty(),
        idempotent: is_idempotent(node),
        ..Step::new(node.id().clone(), kind)
    }
}

fn is_trigger(graph: &Graph, id: &StepId) -> bool {
    graph.nodes.iter().any(|node| matches!(node, Node::Trigger { id: trigger, .. } if trigger == id))
}

fn need(edge: &Edge) -> Need {
    let branch = edge.when.map(|branch| match branch {
        Branch::True => true,
        Branch::False => false,
    });
    Need { step: edge.from.clone(), branch }
}

fn is_idempotent(node: &Node) -> bool {
    match node {
        Node::Action { action: Action::Webhook(webhook), .. } => webhook.idempotent.unwrap_or(true),
        Node::Trigger { .. } | Node::Action { .. } | Node::Condition { .. } | Node::Delay { .. } => true,
    }
}

pub(super) fn of_action(action: &Action) -> Result<StepKind, Vec<Fault>> {
    match action {
        Action::Webhook(webhook) => webhook_call(webhook).map(StepKind::Webhook),
        Action::Runbook(runbook) => runbook_call(runbook).map(StepKind::Runbook),
        Action::Jira(jira) => jira_issue(jira).map(StepKind::Webhook),
        Action::Linear(linear) => linear_issue(linear).map(StepKind::Webhook),
        Action::Slack(slack) => slack_message(slack, Vec::new()).map(StepKind::Webhook),
        Action::Teams(teams) => teams_message(teams).map(StepKind::Webhook),
    }
}

pub(super) fn webhook_call(action: &WebhookAction) -> Result<WebhookCall, Vec<Fault>> {
    let seconds = action.timeout_seconds.unwrap_or(MAX_TIMEOUT_SECONDS);
    Ok(WebhookCall {
        method: action.method,
        url: UrlTemplate::Text(compile_template("/url", &action.url)?),
        headers: compile_headers("/headers", &action.headers)?,
        auth: action.auth.clone(),
        payload: action.payload.as_ref().map(PayloadTemplate::compile).transpose()?,
        timeout: Duration::from_secs(u64::from(seconds)),
        answer: Answer::Status,
    })
}

fn runbook_call(action: &RunbookAction) -> Result<RunbookCall, Vec<Fault>> {
    let given = (!action.parameters.is_empty()).then(|| Value::Object(action.parameters.clone()));
    Ok(RunbookCall {
        runbook: action.runbook_id.clone(),
        version: action.version,
        parameters: given.as_ref().map(PayloadTemplate::compile).transpose()?,
        wait: action.wait,
    })
}
