//! The one form that every definition compiles to and that the one engine runs.
//!
//! A simple runbook is a plan of one step. Phases, groups and workflow graphs become steps with `needs`.

mod actions;
pub mod dry_run;
mod flow;
mod runbook;
mod workflow;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

pub(crate) use self::actions::{slack_message, teams_message};
pub use self::flow::{Branch, Case, Gate, Group, Join, Jump, OnFailure, Unit};
use crate::answer::Answer;
use crate::fault::Fault;
use crate::ids::{InvalidId, RunbookId, StepId};
use crate::outcome::RetryPolicy;
use crate::request::{HeaderValue, WebhookAuth, WebhookMethod};
use crate::rule::Rule;
use crate::runbook::phased::{Anomaly, Escalation};
use crate::runbook::{RunbookDefinition, SimpleRunbook};
use crate::schema::ParameterSchema;
use crate::secret::SecretRef;
use crate::template::{PayloadTemplate, Template};

/// A compiled definition: its steps, and its templates and schema ready to use. Compiled once per version.
#[derive(Debug)]
pub struct Plan {
    /// In the order in which they start when several are ready.
    pub steps: Vec<Step>,
    /// Steps that run beside each other; [`Step::group`] counts into this list.
    pub groups: Vec<Group>,
    /// What takes steps back, each under the name of its step (`StepId::undo`). They begin only when the execution unwinds.
    pub undos: Vec<Step>,
    /// How many steps may be in flight at once, at least 1.
    pub concurrency: usize,
    /// What the parameters must satisfy; `None` accepts any object.
    pub schema: Option<ParameterSchema>,
    /// The most that a whole execution may take from its first claim; checked before each step (C7).
    pub timeout: Option<Duration>,
    /// Whether an execution that runs out of time, or is stopped for being unusual, takes back what it did.
    pub unwinds_out_of_time: bool,
    /// Who hears of which trouble of an execution.
    pub escalation: Vec<Escalation>,
    /// What follows if an execution behaves unlike those before it.
    pub anomaly: Anomaly,
    /// The prerequisite that no change freeze is in force when it begins; `None`: freezes keep its changes alone from beginning.
    pub unfrozen: Option<StepId>,
}

/// One step: what it needs, what it does, and how often it may be tried.
#[derive(Debug)]
pub struct Step {
    pub id: StepId,
    /// What must be settled before this one.
    pub needs: Vec<Need>,
    /// Whether the start of the plan leads here. Otherwise one of `needs` must, or the step is skipped.
    pub entry: bool,
    pub kind: StepKind,
    pub retry: RetryPolicy,
    /// Whether the receiver may get the same call twice without harm.
    pub idempotent: bool,
    /// A step that looks whether an earlier attempt of this one took effect: it precedes every attempt, and what it finds stands
    /// for the answer of this step.
    pub search: Option<StepId>,
    /// What has to be over before this one, whatever came of it.
    pub after: Option<Unit>,
    /// All must hold when the step's turn comes, or it is skipped.
    pub when: Vec<Rule>,
    /// The group that the step belongs to.
    pub group: Option<usize>,
    /// What follows if the step fails; of a step of a group only whether the group goes on without it.
    pub on_failure: OnFailure,
    /// Approval steps whose decision binds what this one sends.
    pub gates: Vec<StepId>,
    /// What must hold of an answer, named `response`, for the step to succeed.
    pub expect: Option<Rule>,
    /// Whether the call is repeated while the answer is not as expected, within `retry`.
    pub polls: bool,
    /// What is kept of an answer: a name and a dotted path into it.
    pub outputs: Vec<(String, String)>,
    /// How long the step waits for the receiver to call back, after it took the call.
    pub callback: Option<Duration>,
    /// Whether it changes something of a runbook's target, so that change freezes bind it.
    pub changes: bool,
}

/// One way to a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    pub step: StepId,
    /// The answer of a condition that leads here; `None` after any other step: that it succeeded.
    pub branch: Option<bool>,
}

impl Step {
    /// A step that the start of the plan leads to, that nothing precedes, and that stops the plan if it fails.
    pub fn new(id: StepId, kind: StepKind) -> Self {
        Self {
            id,
            needs: Vec::new(),
            entry: true,
            kind,
            retry: RetryPolicy::default(),
            idempotent: true,
            search: None,
            after: None,
            when: Vec::new(),
            group: None,
            on_failure: OnFailure::Stop,
            gates: Vec::new(),
            expect: None,
            polls: false,
            outputs: Vec::new(),
            callback: None,
            changes: false,
        }
    }
}

impl Need {
    pub fn success(step: StepId) -> Self {
        Self { step, branch: None }
    }
}

#[derive(Debug)]
pub enum StepKind {
    Webhook(WebhookCall),
    /// Whether the field, a dotted path into the context, equals the value; a missing field equals nothing. The way of the
    /// other answer is skipped.
    Condition {
        field: String,
        equals: Value,
    },
    /// Succeeds when the time has passed.
    Delay(Duration),
    /// Starts an execution of a runbook.
    Runbook(RunbookCall),
    /// Succeeds if the rule holds, and fails if not.
    Check(Rule),
    /// Chooses how to go on.
    Branch(Branch),
    /// Waits for people's decision.
    Approval(Gate),
}

impl StepKind {
    /// How an answer to the step is read; what makes no call gets none.
    pub const fn answer(&self) -> Answer {
        match self {
            Self::Webhook(call) => call.answer,
            Self::Condition { .. }
            | Self::Delay(_)
            | Self::Runbook(_)
            | Self::Check(_)
            | Self::Branch(_)
            | Self::Approval(_) => Answer::Status,
        }
    }
}

/// A runbook to execute, before its parameters are rendered.
#[derive(Debug)]
pub struct RunbookCall {
    pub runbook: RunbookId,
    /// `None`: the newest approved version when the step starts.
    pub version: Option<u32>,
    /// `None`: no parameters.
    pub parameters: Option<PayloadTemplate>,
    /// Whether the step ends with the execution it starts, or at once.
    pub wait: bool,
}

/// A webhook before rendering.
#[derive(Debug)]
pub struct WebhookCall {
    pub method: WebhookMethod,
    pub url: UrlTemplate,
    pub headers: Vec<(String, HeaderTemplate)>,
    pub auth: WebhookAuth,
    /// `None`: the body is an empty JSON object.
    pub payload: Option<PayloadTemplate>,
    /// The most one attempt may take.
    pub timeout: Duration,
    /// What tells success from failure.
    pub answer: Answer,
}

#[derive(Debug)]
pub enum UrlTemplate {
    /// The whole URL, filled in when the request is sent.
    Secret(SecretRef),
    Text(Template),
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
    /// Compiles a runbook; what cannot compile is reported as faults of the definition.
    pub fn compile(definition: &RunbookDefinition) -> Result<Self, Vec<Fault>> {
        let faults = definition.faults();
        if !faults.is_empty() {
            return Err(faults);
        }
        match definition {
            RunbookDefinition::Simple(simple) => Self::of_simple(simple),
            RunbookDefinition::Phased(phased) => runbook::compile(phased),
        }
    }

    fn of_simple(definition: &SimpleRunbook) -> Result<Self, Vec<Fault>> {
        let id = WEBHOOK_STEP.parse().map_err(|error: InvalidId| vec![Fault::new("", error.to_string())])?;
        let kind = StepKind::Webhook(compile_webhook(definition)?);
        let step = Step { idempotent: definition.idempotent, changes: true, ..Step::new(id, kind) };
        let schema = definition.parameters.as_ref().map(ParameterSchema::compile).transpose()?;
        Ok(Self { schema, ..Self::of_steps(vec![step]) })
    }

    /// A plan that begins one step at a time, without bound or undo.
    pub fn of_steps(steps: Vec<Step>) -> Self {
        Self {
            steps,
            groups: Vec::new(),
            undos: Vec::new(),
            concurrency: 1,
            schema: None,
            timeout: None,
            unwinds_out_of_time: false,
            escalation: Vec::new(),
            anomaly: Anomaly::Off,
            unfrozen: None,
        }
    }

    /// A step by its name, an undo among them.
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        let steps = if id.is_undo() { &self.undos } else { &self.steps };
        steps.iter().find(|step| step.id == *id)
    }
}

fn compile_webhook(definition: &SimpleRunbook) -> Result<WebhookCall, Vec<Fault>> {
    Ok(WebhookCall {
        method: definition.webhook_method,
        url: UrlTemplate::Text(compile_template("/webhookUrl", &definition.webhook_url)?),
        headers: compile_headers("/webhookHeaders", &definition.webhook_headers)?,
        auth: definition.webhook_auth.clone(),
        payload: definition.payload_template.as_ref().map(PayloadTemplate::compile).transpose()?,
        timeout: Duration::from_secs(u64::from(definition.timeout_seconds)),
        answer: Answer::Status,
    })
}

fn compile_headers(
    at: &str,
    headers: &BTreeMap<String, HeaderValue>,
) -> Result<Vec<(String, HeaderTemplate)>, Vec<Fault>> {
    let compile = |(name, value): (&String, &HeaderValue)| {
        let compiled = match value {
            HeaderValue::Secret(_) => HeaderTemplate::Secret(value.clone()),
            HeaderValue::Text(text) => HeaderTemplate::Text(compile_template(at, text)?),
        };
        Ok((name.clone(), compiled))
    };
    headers.iter().map(compile).collect()
}

fn compile_template(at: &str, text: &str) -> Result<Template, Vec<Fault>> {
    Template::compile(text).map_err(|fault| vec![Fault::new(at, fault.to_string())])
}
