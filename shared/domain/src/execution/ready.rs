//! Which steps may begin, and which never will.

use super::{Execution, SkipCause, StepState};
use crate::ids::{ExecutionId, StepId};
use crate::plan::{Plan, Step};
use crate::time::Time;

/// Whether a step that has not begun may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    Open,
    /// Something before it has to settle first.
    Undecided,
    Closed(SkipCause),
}

/// Steps that may begin, start another attempt, or end their delay now, in the plan's order.
pub fn ready_steps<'p>(execution: &Execution, plan: &'p Plan, now: Time) -> Vec<&'p Step> {
    let ready = |step: &&Step| match execution.steps.get(&step.id).map(|run| &run.state) {
        None => way_to(execution, step) == Way::Open,
        Some(StepState::Waiting { until } | StepState::Delayed { until }) => {
            *until <= now && !awaits_search(execution, step)
        }
        Some(
            StepState::Sending
            | StepState::AwaitsChild { .. }
            | StepState::Succeeded
            | StepState::Skipped { .. }
            | StepState::Failed { .. }
            | StepState::NeedsReview { .. },
        ) => false,
    };
    plan.steps.iter().filter(ready).collect()
}

/// Whether the step goes on only after a search that has yet to be made or repeated.
pub(super) fn awaits_search(execution: &Execution, step: &Step) -> bool {
    let search = step.search.as_ref().and_then(|search| execution.steps.get(search));
    search.is_some_and(|run| !run.settled())
}

/// The first step, in the plan's order, that nothing leads to any more and that was not skipped yet.
pub(super) fn first_closed(execution: &Execution, plan: &Plan) -> Option<(StepId, SkipCause)> {
    let fresh = plan.steps.iter().filter(|step| !execution.steps.contains_key(&step.id));
    let mut closed = fresh.filter_map(|step| match way_to(execution, step) {
        Way::Closed(because) => Some((step.id.clone(), because)),
        Way::Open | Way::Undecided => None,
    });
    closed.next()
}

/// A step begins when all that it needs has settled and at least one way leads to it.
fn way_to(execution: &Execution, step: &Step) -> Way {
    let runs = step.needs.iter().map(|need| (need, execution.steps.get(&need.step)));
    let mut settled = Vec::with_capacity(step.needs.len());
    for (need, run) in runs {
        match run.filter(|run| run.settled()) {
            Some(run) => settled.push((need, run)),
            None => return Way::Undecided,
        }
    }
    if step.entry || settled.iter().any(|(need, run)| run.leads_by(need.branch)) {
        return Way::Open;
    }
    let chose_another = settled.into_iter().find(|(_, run)| run.state == StepState::Succeeded);
    Way::Closed(match chose_another {
        Some((need, _)) => SkipCause::BranchNotTaken { condition: need.step.clone() },
        None => SkipCause::NothingBefore,
    })
}

impl Execution {
    /// The executions that steps wait for.
    pub fn awaited(&self) -> impl Iterator<Item = (&StepId, &ExecutionId)> {
        self.steps.iter().filter_map(|(id, run)| match &run.state {
            StepState::AwaitsChild { execution } => Some((id, execution)),
            StepState::Sending
            | StepState::Waiting { .. }
            | StepState::Delayed { .. }
            | StepState::Succeeded
            | StepState::Skipped { .. }
            | StepState::Failed { .. }
            | StepState::NeedsReview { .. } => None,
        })
    }

    /// When the time of the whole execution is up; `None` if it is unlimited or has not started.
    pub fn deadline(&self, plan: &Plan) -> Option<Time> {
        Some(self.started_at?.plus(plan.timeout?))
    }
}
