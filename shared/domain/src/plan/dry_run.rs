//! What a run would do (D8), as far as that can be known before it: the exact request of each step, where it would ask and wait,
//! and what only its results decide. It is made of a plan and a context alone, so there is nothing that it could send with.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Gate, HeaderTemplate, Plan, RunbookCall, Step, StepKind, UrlTemplate, WebhookCall};
use crate::execution::Execution;
use crate::execution::decide::Prepared;
use crate::execution::prepare::{Preparation, prepare};
use crate::ids::{RunbookId, StepId};
use crate::incident::Incident;
use crate::render::{context, render_parameters};
use crate::request::RenderedRequest;
use crate::template::ValuePath;

/// One step of a dry run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Foreseen {
    pub step: StepId,
    pub outlook: Outlook,
    /// Whether an earlier branch, which only a run decides, may lead past it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub maybe: bool,
    /// The approvals that bind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<StepId>,
}

/// What a step would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "camelCase")]
pub enum Outlook {
    /// Send this request, secrets as references; `undo` takes it back. `callback`: for how many seconds it would then wait for the
    /// receiver to say that it is done.
    Sends {
        request: Box<RenderedRequest>,
        undo: Option<Box<RenderedRequest>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        callback: Option<u64>,
    },
    /// Execute a runbook with these parameters.
    Starts { runbook: RunbookId, parameters: Map<String, Value> },
    /// Ask people about these steps. `demanded`: whatever the risk of the run is.
    Asks { covers: Vec<StepId>, demanded: bool },
    /// Wait this long, in seconds.
    Waits { seconds: u64 },
    /// Judge a rule or a condition, with this answer.
    Judges { holds: bool },
    /// Lead on to a step, a phase or the end.
    Branches { to: String },
    /// Not run: its rule does not hold.
    Skipped { rule: String },
    /// Not run: a branch leads past it.
    PassedBy { branch: StepId },
    /// Only the results of earlier steps decide, and this is what is missing.
    Undecidable { because: String },
    /// It would fail.
    Fails { error: String },
}

impl Plan {
    /// What an execution that has not begun would do, step by step in the plan's order.
    pub fn foresee(&self, execution: &Execution, incident: Option<&Incident>) -> Vec<Foreseen> {
        let mut context = context(execution, incident, &BTreeMap::new());
        let mut road = Road::default();
        let foresee = |step: &Step| {
            let outlook = match road.passed.get(&step.id) {
                Some(branch) => Outlook::PassedBy { branch: branch.clone() },
                None => self.outlook(execution, step, &mut context),
            };
            road.follow(step, &outlook);
            let maybe = road.maybe.contains(&step.id);
            Foreseen { step: step.id.clone(), outlook, maybe, gates: step.gates.clone() }
        };
        self.steps.iter().map(foresee).collect()
    }

    fn outlook(&self, execution: &Execution, step: &Step, context: &mut Value) -> Outlook {
        match prepare(execution, self, step, context) {
            Preparation::Ready(ready) => ready_outlook(step, *ready),
            Preparation::Nothing => Outlook::Waits { seconds: delay_of(step) },
            Preparation::Child(call) => child_outlook(step, call, context),
            Preparation::Gate(Gate { spec, covers }) => {
                Outlook::Asks { covers: covers.clone(), demanded: spec.is_some() }
            }
        }
    }
}

/// Which steps branches lead past: surely, or perhaps.
#[derive(Default)]
struct Road {
    passed: BTreeMap<StepId, StepId>,
    maybe: BTreeSet<StepId>,
}

impl Road {
    fn follow(&mut self, step: &Step, outlook: &Outlook) {
        let StepKind::Branch(branch) = &step.kind else { return };
        let mut jumps = branch.cases.iter().map(|case| &case.jump).chain([&branch.otherwise]);
        match outlook {
            Outlook::Branches { to } => {
                let over = jumps.find(|jump| jump.to == *to).map_or(&[][..], |jump| &jump.over);
                self.passed.extend(over.iter().map(|passed| (passed.clone(), step.id.clone())));
            }
            Outlook::Undecidable { .. } => self.maybe.extend(jumps.flat_map(|jump| jump.over.clone())),
            Outlook::Sends { .. }
            | Outlook::Starts { .. }
            | Outlook::Asks { .. }
            | Outlook::Waits { .. }
            | Outlook::Judges { .. }
            | Outlook::Skipped { .. }
            | Outlook::PassedBy { .. }
            | Outlook::Fails { .. } => {}
        }
    }
}

fn ready_outlook(step: &Step, ready: Prepared) -> Outlook {
    let callback = step.callback.map(|patience| patience.as_secs());
    match ready {
        Prepared::Request(Ok(request)) => Outlook::Sends { request: Box::new(request), undo: None, callback },
        Prepared::Undoable { request, undo } => {
            Outlook::Sends { request: Box::new(request), undo: Some(Box::new(undo)), callback }
        }
        Prepared::Request(Err(error)) | Prepared::Impossible(error) => open_or_failed(step, error),
        Prepared::Answer(holds) => Outlook::Judges { holds },
        Prepared::Way(jump) => Outlook::Branches { to: jump.to },
        Prepared::Unwanted { rule } => Outlook::Skipped { rule },
        Prepared::Child(_) | Prepared::Ask(_) | Prepared::NotDemanded => {
            Outlook::Undecidable { because: "it is known only in a run".into() }
        }
    }
}

fn child_outlook(step: &Step, call: &RunbookCall, context: &Value) -> Outlook {
    match render_parameters(call, context) {
        Ok(parameters) => Outlook::Starts { runbook: call.runbook.clone(), parameters },
        Err(error) => open_or_failed(step, error),
    }
}

/// What reads the results of earlier steps may well succeed in a run.
fn open_or_failed(step: &Step, error: String) -> Outlook {
    if reads_results(step) { Outlook::Undecidable { because: error } } else { Outlook::Fails { error } }
}

/// Whether a step's templates or rules name results of earlier steps.
fn reads_results(step: &Step) -> bool {
    let rules = step.when.iter().flat_map(|rule| rule.roots());
    let own: Vec<String> = match &step.kind {
        StepKind::Webhook(call) => call.roots(),
        StepKind::Runbook(call) => {
            call.parameters.iter().flat_map(|given| given.paths().into_iter().map(root)).collect()
        }
        StepKind::Condition { field, .. } => vec![field.split('.').next().unwrap_or_default().to_owned()],
        StepKind::Check(rule) => rule.roots().into_iter().collect(),
        StepKind::Branch(branch) => branch.cases.iter().flat_map(|case| case.when.roots()).collect(),
        StepKind::Delay(_) | StepKind::Approval(_) => Vec::new(),
    };
    rules.chain(own).any(|root| root == "steps")
}

impl WebhookCall {
    /// The first names of all paths that its templates read.
    fn roots(&self) -> Vec<String> {
        let url = match &self.url {
            UrlTemplate::Text(template) => template.paths().map(root).collect(),
            UrlTemplate::Secret(_) => Vec::new(),
        };
        let headers = self.headers.iter().flat_map(|(_, header)| match header {
            HeaderTemplate::Text(template) => template.paths().map(root).collect(),
            HeaderTemplate::Secret(_) => Vec::new(),
        });
        let payload = self.payload.iter().flat_map(|payload| payload.paths().into_iter().map(root));
        [url, headers.collect::<Vec<_>>(), payload.collect()].concat()
    }
}

fn root(path: &ValuePath) -> String {
    path.segments().first().cloned().unwrap_or_default()
}

fn delay_of(step: &Step) -> u64 {
    match &step.kind {
        StepKind::Delay(lasting) => lasting.as_secs(),
        StepKind::Webhook(_)
        | StepKind::Condition { .. }
        | StepKind::Runbook(_)
        | StepKind::Check(_)
        | StepKind::Branch(_)
        | StepKind::Approval(_) => 0,
    }
}
