//! Ways forward, and what follows a failure.

use crate::ids::StepId;
use crate::plan::{Jump, OnFailure};
use crate::runbook::phased::{FailurePolicy, Layout, Step, Target};
use crate::workflow::Action;

/// A unit, and where one can go from it.
#[derive(Clone, Copy)]
pub(super) struct Jumps<'r> {
    pub(super) layout: &'r Layout<'r>,
    /// The number of the unit.
    pub(super) unit: usize,
    /// What follows a failure of which nothing is written.
    pub(super) failure: &'r OnFailure,
}

impl Jumps<'_> {
    pub(super) fn on_failure(&self, written: Option<&FailurePolicy>) -> OnFailure {
        match written {
            None => self.failure.clone(),
            Some(FailurePolicy::Abort) => OnFailure::Stop,
            Some(FailurePolicy::Continue) => OnFailure::Continue,
            Some(FailurePolicy::Rollback) => OnFailure::Unwind,
            Some(FailurePolicy::Goto(name)) => OnFailure::Jump(self.to(name)),
        }
    }

    /// The way to what the definition names; a name that leads nowhere was refused when the definition was validated.
    pub(super) fn to(&self, name: &str) -> Jump {
        let end = match self.layout.target(name) {
            Some(Target::Unit(unit) | Target::Member(unit)) => unit,
            Some(Target::End) | None => self.layout.units.len(),
        };
        let between = (self.unit + 1..end).flat_map(|unit| self.layout.steps_of(unit));
        Jump { to: name.to_owned(), over: between.flat_map(compiled_ids).collect() }
    }
}

/// Of a step of a group: whether the group goes on without it.
pub(super) fn within_group(written: Option<&FailurePolicy>) -> OnFailure {
    match written {
        Some(FailurePolicy::Continue) => OnFailure::Continue,
        Some(FailurePolicy::Abort | FailurePolicy::Rollback | FailurePolicy::Goto(_)) | None => {
            OnFailure::Stop
        }
    }
}

/// The names of the steps that a written one compiles to.
fn compiled_ids(step: &Step) -> Vec<StepId> {
    match &step.action {
        Some(Action::Jira(_)) => vec![step.id.search(), step.id.clone()],
        Some(
            Action::Webhook(_) | Action::Linear(_) | Action::Slack(_) | Action::Teams(_) | Action::Runbook(_),
        )
        | None => vec![step.id.clone()],
    }
}
