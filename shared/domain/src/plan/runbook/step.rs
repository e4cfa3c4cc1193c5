//! One written step as the steps of a plan.

use std::time::Duration;

use super::compile_rule;
use super::jumps::Jumps;
use crate::fault::Fault;
use crate::outcome::RetryPolicy;
use crate::plan::actions::jira_search;
use crate::plan::workflow::{INDEXING_MS, of_action};
use crate::plan::{Branch, Case, Gate, Need, OnFailure, Step, StepKind};
use crate::rule::Rule;
use crate::runbook::phased::{Phase, Step as Written, StepType};
use crate::workflow::Action;
use crate::workflow::actions::JiraAction;

/// Compiles the steps of one unit.
#[derive(Clone, Copy)]
pub(super) struct Compiler<'r> {
    pub(super) phase: &'r Phase,
    pub(super) jumps: Jumps<'r>,
}

impl Compiler<'_> {
    /// The step, and before it the search of one that creates a Jira issue. `at` is where it stands.
    pub(super) fn steps(
        &self,
        at: &str,
        written: &Written,
        on_failure: &OnFailure,
    ) -> Result<Vec<Step>, Vec<Fault>> {
        let mut step = self.step(at, written)?;
        step.on_failure = on_failure.clone();
        match &written.action {
            Some(Action::Jira(jira)) => {
                Ok(vec![self.search(at, written, jira, on_failure)?, searched(step, written)])
            }
            Some(
                Action::Webhook(_)
                | Action::Linear(_)
                | Action::Slack(_)
                | Action::Teams(_)
                | Action::Runbook(_),
            )
            | None => Ok(vec![step]),
        }
    }

    /// What takes the step back, if something does.
    pub(super) fn undo(&self, at: &str, written: &Written) -> Result<Option<Step>, Vec<Fault>> {
        let Some(undo) = &written.undo else { return Ok(None) };
        let kind = of_action(undo).map_err(|faults| under(&format!("{at}/undo"), faults))?;
        Ok(Some(Step { idempotent: is_idempotent(undo), ..Step::new(written.id.undo(), kind) }))
    }

    fn step(&self, at: &str, written: &Written) -> Result<Step, Vec<Fault>> {
        let expect = written.expect.as_ref().map(|text| compile_rule(&format!("{at}/expect"), text));
        let outputs = written.outputs.iter().map(|(name, path)| (name.clone(), path.clone()));
        Ok(Step {
            retry: written.retry.map_or_else(RetryPolicy::default, |retry| RetryPolicy {
                max_attempts: retry.max_attempts,
                base_delay_ms: retry.base_delay_ms,
                ..RetryPolicy::default()
            }),
            idempotent: written.idempotent.or(written.action.as_ref().map(is_idempotent)).unwrap_or(true),
            when: self.conditions(at, written)?,
            expect: expect.transpose()?,
            polls: written.kind == StepType::Check && written.retry.is_some(),
            outputs: outputs.collect(),
            changes: written.kind.changes(),
            callback: written.callback.map(|callback| Duration::from_secs(callback.timeout_seconds)),
            ..Step::new(written.id.clone(), self.kind(at, written)?)
        })
    }

    /// The rule of the phase and that of the step.
    fn conditions(&self, at: &str, written: &Written) -> Result<Vec<Rule>, Vec<Fault>> {
        let rules = self.phase.when.iter().chain(&written.when);
        rules.map(|text| compile_rule(&format!("{at}/when"), text)).collect()
    }

    fn kind(&self, at: &str, written: &Written) -> Result<StepKind, Vec<Fault>> {
        if let Some(action) = &written.action {
            let kind = of_action(action).map_err(|faults| under(&format!("{at}/action"), faults))?;
            return Ok(within(kind, written.timeout_seconds));
        }
        match (&written.rule, &written.approval, written.seconds) {
            (Some(rule), _, _) => compile_rule(&format!("{at}/rule"), rule).map(StepKind::Check),
            (None, Some(approval), _) => {
                let covers = approval.covers.clone();
                let covers = covers.unwrap_or_else(|| self.jumps.layout.covered_from(self.jumps.unit));
                Ok(StepKind::Approval(Gate { spec: Some(approval.gate.clone()), covers }))
            }
            (None, None, Some(seconds)) => Ok(StepKind::Delay(Duration::from_secs(seconds))),
            (None, None, None) => self.branch(at, written).map(StepKind::Branch),
        }
    }

    fn branch(&self, at: &str, written: &Written) -> Result<Branch, Vec<Fault>> {
        let cases = written.branches.iter().enumerate().map(|(number, case)| {
            let when = compile_rule(&format!("{at}/branches/{number}/when"), &case.when)?;
            Ok(Case { when, jump: self.jumps.to(&case.goto) })
        });
        let cases = cases.collect::<Result<_, Vec<Fault>>>()?;
        let missing = || vec![Fault::new(at, "is no step that can be compiled")];
        let otherwise = written.otherwise.as_ref().ok_or_else(missing)?;
        Ok(Branch { cases, otherwise: self.jumps.to(otherwise) })
    }

    fn search(
        &self,
        at: &str,
        written: &Written,
        jira: &JiraAction,
        on_failure: &OnFailure,
    ) -> Result<Step, Vec<Fault>> {
        let call = jira_search(jira).map_err(|faults| under(&format!("{at}/action"), faults))?;
        let kind = within(StepKind::Webhook(call), written.timeout_seconds);
        let when = self.conditions(at, written)?;
        let on_failure = on_failure.clone();
        Ok(Step { when, on_failure, ..Step::new(written.id.search(), kind) })
    }
}

/// The creation of an issue: only after the search succeeded, which is repeated before each further attempt.
fn searched(step: Step, written: &Written) -> Step {
    let search = written.id.search();
    let retry = RetryPolicy { base_delay_ms: step.retry.base_delay_ms.max(INDEXING_MS), ..step.retry };
    Step { needs: vec![Need::success(search.clone())], entry: false, retry, search: Some(search), ..step }
}

/// The same call, in at most this time.
fn within(mut kind: StepKind, seconds: Option<u32>) -> StepKind {
    if let (StepKind::Webhook(call), Some(seconds)) = (&mut kind, seconds) {
        call.timeout = Duration::from_secs(u64::from(seconds));
    }
    kind
}

fn is_idempotent(action: &Action) -> bool {
    match action {
        Action::Webhook(webhook) => webhook.idempotent.unwrap_or(true),
        Action::Jira(_) | Action::Linear(_) | Action::Slack(_) | Action::Teams(_) | Action::Runbook(_) => {
            true
        }
    }
}

fn under(at: &str, faults: Vec<Fault>) -> Vec<Fault> {
    faults.into_iter().map(|fault| fault.under(at)).collect()
}
