//! A workflow's graph as a plan: one step at a time, in topological order, until one fails (C6).

use std::time::Duration;

use serde_json::Value;

use super::{Need, Plan, RunbookCall, Step, StepKind, WebhookCall, compile_headers, compile_template};
use crate::fault::Fault;
use crate::ids::StepId;
use crate::outcome::RetryPolicy;
use crate::template::PayloadTemplate;
use crate::webhook::MAX_TIMEOUT_SECONDS;
use crate::workflow::actions::{RunbookAction, WebhookAction};
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
        let steps = nodes.into_iter().filter_map(|node| step(graph, node).transpose());
        Ok(Self {
            steps: steps.collect::<Result<_, _>>()?,
            concurrency: 1,
            schema: None,
            timeout: Some(workflow.settings.timeout.duration()),
        })
    }
}

/// The trigger is the start of the plan and no step of it.
fn step(graph: &Graph, node: &Node) -> Result<Option<Step>, Vec<Fault>> {
    let kind = match node {
        Node::Trigger { .. } => return Ok(None),
        Node::Action { action, .. } => of_action(action)?,
        Node::Condition { field, equals, .. } => {
            StepKind::Condition { field: field.clone(), equals: equals.clone() }
        }
        Node::Delay { seconds, .. } => StepKind::Delay(Duration::from_secs(*seconds)),
    };
    let before: Vec<&Edge> = graph.edges.iter().filter(|edge| edge.to == *node.id()).collect();
    let (from_start, needs): (Vec<&Edge>, Vec<&Edge>) =
        before.into_iter().partition(|edge| is_trigger(graph, &edge.from));
    Ok(Some(Step {
        id: node.id().clone(),
        needs: needs.into_iter().map(need).collect(),
        entry: !from_start.is_empty(),
        kind,
        retry: RetryPolicy::default(),
        idempotent: is_idempotent(node),
    }))
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

fn of_action(action: &Action) -> Result<StepKind, Vec<Fault>> {
    match action {
        Action::Webhook(webhook) => webhook_call(webhook).map(StepKind::Webhook),
        Action::Runbook(runbook) => runbook_call(runbook).map(StepKind::Runbook),
        Action::Jira(_) | Action::Linear(_) | Action::Slack(_) | Action::Teams(_) => {
            let message = format!("actions of the kind {} cannot run yet", action.kind());
            Err(vec![Fault::new("/definition/nodes", message)])
        }
    }
}

fn webhook_call(action: &WebhookAction) -> Result<WebhookCall, Vec<Fault>> {
    let seconds = action.timeout_seconds.unwrap_or(MAX_TIMEOUT_SECONDS);
    Ok(WebhookCall {
        method: action.method,
        url: compile_template("/url", &action.url)?,
        headers: compile_headers("/headers", &action.headers)?,
        auth: action.auth.clone(),
        payload: action.payload.as_ref().map(PayloadTemplate::compile).transpose()?,
        timeout: Duration::from_secs(u64::from(seconds)),
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
