//! What a step needs to begin, from its templates and rules. Pure, so that a dry run and a worker bring the same bytes.

use serde_json::Value;

use super::Execution;
use super::decide::Prepared;
use crate::plan::{Branch, Gate, Plan, RunbookCall, Step, StepKind, WebhookCall};
use crate::render::{name_step, render};
use crate::rule::{Rule, RuleError};
use crate::workflow::condition;

/// What a step comes with, or what has to be looked up for it first.
pub enum Preparation<'p> {
    Ready(Box<Prepared>),
    /// It needs nothing: a delay.
    Nothing,
    /// The execution that it starts.
    Child(&'p RunbookCall),
    /// What people are to be asked.
    Gate(&'p Gate),
}

/// Prepares a step that has not begun. `context` is what templates and rules may name; the step's own names are added to it.
pub fn prepare<'p>(
    execution: &Execution,
    plan: &'p Plan,
    step: &'p Step,
    context: &mut Value,
) -> Preparation<'p> {
    if let Some(kept) = unwanted(step, context) {
        return Preparation::Ready(Box::new(kept));
    }
    name_step(context, execution, step);
    let ready = match &step.kind {
        StepKind::Delay(_) => return Preparation::Nothing,
        StepKind::Runbook(call) => return Preparation::Child(call),
        StepKind::Approval(gate) => return Preparation::Gate(gate),
        StepKind::Webhook(call) => prepare_call(execution, plan, (step, call), context),
        StepKind::Condition { field, equals } => {
            Prepared::Answer(condition::holds(condition::find(context, field), equals))
        }
        StepKind::Check(rule) => match rule.holds(context) {
            Ok(holds) => Prepared::Answer(holds),
            Err(error) => unjudged(rule, &error),
        },
        StepKind::Branch(branch) => way(branch, context),
    };
    Preparation::Ready(Box::new(ready))
}

fn unjudged(rule: &Rule, error: &RuleError) -> Prepared {
    Prepared::Impossible(format!("its rule cannot be judged: {}: {error}", rule.text()))
}

/// A step is skipped if one of its rules does not hold, and fails if one cannot be judged.
fn unwanted(step: &Step, context: &Value) -> Option<Prepared> {
    step.when.iter().find_map(|rule| match rule.holds(context) {
        Ok(true) => None,
        Ok(false) => Some(Prepared::Unwanted { rule: rule.text().to_owned() }),
        Err(error) => Some(unjudged(rule, &error)),
    })
}

/// A call comes with what takes it back, if the plan has that: both are stored before anything is sent.
fn prepare_call(
    execution: &Execution,
    plan: &Plan,
    (step, call): (&Step, &WebhookCall),
    context: &mut Value,
) -> Prepared {
    let request = match render(call, context) {
        Ok(request) => request,
        Err(error) => return Prepared::Request(Err(error)),
    };
    let Some(undo) = plan.step(&step.id.undo()) else { return Prepared::Request(Ok(request)) };
    let StepKind::Webhook(taking_back) = &undo.kind else { return Prepared::Request(Ok(request)) };
    name_step(context, execution, undo);
    match render(taking_back, context) {
        Ok(undo) => Prepared::Undoable { request, undo },
        Err(error) => Prepared::Request(Err(format!("its undo: {error}"))),
    }
}

fn way(branch: &Branch, context: &Value) -> Prepared {
    for case in &branch.cases {
        match case.when.holds(context) {
            Ok(true) => return Prepared::Way(case.jump.clone()),
            Ok(false) => {}
            Err(error) => return unjudged(&case.when, &error),
        }
    }
    Prepared::Way(branch.otherwise.clone())
}
