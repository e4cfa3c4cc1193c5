//! Which steps may begin, and which never will.

use super::flow::GroupState;
use super::{Execution, SkipCause, StepRun, StepState};
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

/// Steps that may begin, start another attempt, or end their wait now, in the plan's order. On the way back this is the one undo
/// whose turn it is; of a paused execution there are none.
pub fn ready_steps<'p>(execution: &Execution, plan: &'p Plan, now: Time) -> Vec<&'p Step> {
    if execution.pause.is_some() {
        return Vec::new();
    }
    if execution.unwinding.is_some() {
        return ready_undo(execution, plan, now).into_iter().collect();
    }
    plan.steps.iter().filter(|step| is_ready(execution, plan, step, now)).collect()
}

pub(super) fn is_ready(execution: &Execution, plan: &Plan, step: &Step, now: Time) -> bool {
    match execution.steps.get(&step.id).map(|run| &run.state) {
        None => way_to(execution, plan, step) == Way::Open && has_turn(execution, plan, step),
        Some(StepState::Waiting { until } | StepState::Delayed { until }) => {
            *until <= now && !is_held(execution, step)
        }
        Some(StepState::AwaitsCallback { until }) => *until <= now,
        Some(StepState::Void) => true,
        Some(
            StepState::Sending
            | StepState::AwaitsChild { .. }
            | StepState::AwaitsApproval { .. }
            | StepState::Armed
            | StepState::Succeeded
            | StepState::Skipped { .. }
            | StepState::Failed { .. }
            | StepState::NeedsReview { .. },
        ) => false,
    }
}

fn ready_undo<'p>(execution: &Execution, plan: &'p Plan, now: Time) -> Option<&'p Step> {
    let (undo, run) = execution.next_undo()?;
    let ready = match run.state {
        StepState::Armed => true,
        StepState::Waiting { until } => until <= now,
        StepState::Sending
        | StepState::Delayed { .. }
        | StepState::AwaitsChild { .. }
        | StepState::AwaitsApproval { .. }
        | StepState::Void
        | StepState::AwaitsCallback { .. }
        | StepState::Succeeded
        | StepState::Skipped { .. }
        | StepState::Failed { .. }
        | StepState::NeedsReview { .. } => false,
    };
    plan.step(undo).filter(|_| ready)
}

/// A group that is decided begins nothing more, and one that is full waits.
fn has_turn(execution: &Execution, plan: &Plan, step: &Step) -> bool {
    let Some(group) = step.group.and_then(|at| plan.groups.get(at)) else { return true };
    let begun = group.steps.iter().filter_map(|id| execution.steps.get(id));
    let busy = begun.filter(|run| is_busy(run)).count();
    busy < group.limit && execution.group_state(group, plan) == GroupState::Open
}

/// A step that takes a place of its group: it has begun and is not over.
fn is_busy(run: &StepRun) -> bool {
    match run.state {
        StepState::Sending
        | StepState::Waiting { .. }
        | StepState::Delayed { .. }
        | StepState::AwaitsChild { .. }
        | StepState::AwaitsCallback { .. } => true,
        // Whoever waits for people keeps nobody else from working.
        StepState::AwaitsApproval { .. }
        | StepState::Void
        | StepState::Armed
        | StepState::Succeeded
        | StepState::Skipped { .. }
        | StepState::Failed { .. }
        | StepState::NeedsReview { .. } => false,
    }
}

/// Whether the step has begun and goes on only after something else.
pub(super) fn is_held(execution: &Execution, step: &Step) -> bool {
    awaits_search(execution, step) || awaits_decision(execution, step)
}

/// Whether people have yet to decide, perhaps once more, about what the step sends.
fn awaits_decision(execution: &Execution, step: &Step) -> bool {
    step.gates.iter().any(|gate| execution.gate_pass(gate) == GatePass::Undecided)
}

/// Whether the step goes on only after a search that has yet to be made or repeated.
fn awaits_search(execution: &Execution, step: &Step) -> bool {
    let search = step.search.as_ref().and_then(|search| execution.steps.get(search));
    search.is_some_and(|run| !run.settled())
}

/// The first step, in the plan's order, that nothing leads to any more and that was not skipped yet.
pub(super) fn first_closed(execution: &Execution, plan: &Plan) -> Option<(StepId, SkipCause)> {
    let fresh = plan.steps.iter().filter(|step| !execution.steps.contains_key(&step.id));
    let mut closed = fresh.filter_map(|step| match way_to(execution, plan, step) {
        Way::Closed(because) => Some((step.id.clone(), because)),
        Way::Open | Way::Undecided => None,
    });
    closed.next()
}

/// A step begins when what comes before it is over, all that it needs has settled, and at least one way leads to it.
fn way_to(execution: &Execution, plan: &Plan, step: &Step) -> Way {
    if step.after.as_ref().is_some_and(|unit| !execution.unit_is_over(plan, unit)) {
        return Way::Undecided;
    }
    if awaits_decision(execution, step) {
        return Way::Undecided;
    }
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

/// Whether a gate lets the steps that it covers begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GatePass {
    Passed,
    Undecided,
    /// It was refused, or something led past it: what it covers never begins.
    Shut,
}

impl Execution {
    /// The one place that says whether a decision lets a step go on.
    pub(super) fn gate_pass(&self, gate: &StepId) -> GatePass {
        match self.steps.get(gate).map(|run| &run.state) {
            Some(
                StepState::Succeeded
                | StepState::Skipped { because: SkipCause::NotDemanded | SkipCause::RuleNotMet { .. } },
            ) => GatePass::Passed,
            Some(StepState::Skipped { .. } | StepState::Failed { .. }) => GatePass::Shut,
            None
            | Some(
                StepState::Sending
                | StepState::Waiting { .. }
                | StepState::Delayed { .. }
                | StepState::AwaitsChild { .. }
                | StepState::AwaitsApproval { .. }
                | StepState::Void
                | StepState::AwaitsCallback { .. }
                | StepState::Armed
                | StepState::NeedsReview { .. },
            ) => GatePass::Undecided,
        }
    }

    /// The executions that steps wait for.
    pub fn awaited(&self) -> impl Iterator<Item = (&StepId, &ExecutionId)> {
        self.steps.iter().filter_map(|(id, run)| match &run.state {
            StepState::AwaitsChild { execution } => Some((id, execution)),
            StepState::Sending
            | StepState::Waiting { .. }
            | StepState::Delayed { .. }
            | StepState::AwaitsApproval { .. }
            | StepState::Void
            | StepState::AwaitsCallback { .. }
            | StepState::Armed
            | StepState::Succeeded
            | StepState::Skipped { .. }
            | StepState::Failed { .. }
            | StepState::NeedsReview { .. } => None,
        })
    }

    /// The approval steps that wait for people.
    pub fn open_gates(&self) -> impl Iterator<Item = (&StepId, &StepRun)> {
        self.steps.iter().filter(|(_, run)| run.asks_until().is_some())
    }
}
