//! The one form that every definition compiles to and that the one engine runs.
//!
//! A simple runbook is a plan of one step. Phases, groups and workflow graphs become steps with `needs`.

use std::time::Duration;

use crate::fault::Fault;
use crate::ids::{InvalidId, StepId};
use crate::outcome::RetryPolicy;
use crate::request::{HeaderValue, WebhookAuth, WebhookMethod};
use crate::runbook::RunbookDefinition;
use crate::schema::ParameterSchema;
use crate::template::{PayloadTemplate, Template};

/// A compiled definition: its steps, and its templates and schema ready to use. Compiled once per version.
#[derive(Debug)]
pub struct Plan {
    /// In the order in which they start when several are ready.
    pub steps: Vec<Step>,
    /// How many steps may be in flight at once, at least 1.
    pub concurrency: usize,
    /// What the parameters must satisfy; `None` accepts any object.
    pub schema: Option<ParameterSchema>,
}

/// One step: what it needs, what it does, and how often it may be tried.
#[derive(Debug)]
pub struct Step {
    pub id: StepId,
    /// Steps that must have succeeded before this one starts.
    pub needs: Vec<StepId>,
    pub kind: StepKind,
    pub retry: RetryPolicy,
    /// Whether the receiver may get the same call twice without harm.
    pub idempotent: bool,
}

#[derive(Debug)]
pub enum StepKind {
    Webhook(WebhookCall),
}

/// A webhook before rendering.
#[derive(Debug)]
pub struct WebhookCall {
    pub method: WebhookMethod,
    pub url: Template,
    pub headers: Vec<(String, HeaderTemplate)>,
    pub auth: WebhookAuth,
    /// `None`: the body is an empty JSON object.
    pub payload: Option<PayloadTemplate>,
    /// The most one attempt may take.
    pub timeout: Duration,
}

#[derive(Debug)]
pub enum HeaderTemplate {
    /// Filled in when the request is sent.
    Secret(HeaderValue),
    Text(Template),
}

/// Name of the single step of a simple runbook.
const WEBHOOK_STEP: &str = "webhook";

impl Plan {
    /// Compiles a definition; what cannot compile is reported as faults of the definition.
    pub fn compile(definition: &RunbookDefinition) -> Result<Self, Vec<Fault>> {
        let faults = definition.faults();
        if !faults.is_empty() {
            return Err(faults);
        }
        let id = WEBHOOK_STEP.parse().map_err(|error: InvalidId| vec![Fault::new("", error.to_string())])?;
        let step = Step {
            id,
            needs: Vec::new(),
            kind: StepKind::Webhook(compile_webhook(definition)?),
            retry: RetryPolicy::default(),
            idempotent: definition.idempotent,
        };
        let schema = definition.parameters.as_ref().map(ParameterSchema::compile).transpose()?;
        Ok(Self { steps: vec![step], concurrency: 1, schema })
    }

    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == *id)
    }
}

fn compile_webhook(definition: &RunbookDefinition) -> Result<WebhookCall, Vec<Fault>> {
    let template = |pointer: &str, text: &str| {
        Template::compile(text).map_err(|fault| vec![Fault::new(pointer, fault.to_string())])
    };
    let mut headers = Vec::new();
    for (name, value) in &definition.webhook_headers {
        let compiled = match value {
            HeaderValue::Secret(_) => HeaderTemplate::Secret(value.clone()),
            HeaderValue::Text(text) => HeaderTemplate::Text(template("/webhookHeaders", text)?),
        };
        headers.push((name.clone(), compiled));
    }
    Ok(WebhookCall {
        method: definition.webhook_method,
        url: template("/webhookUrl", &definition.webhook_url)?,
        headers,
        auth: definition.webhook_auth.clone(),
        payload: definition.payload_template.as_ref().map(PayloadTemplate::compile).transpose()?,
        timeout: Duration::from_secs(u64::from(definition.timeout_seconds)),
    })
}
