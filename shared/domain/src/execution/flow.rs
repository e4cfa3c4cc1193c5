//! How far a plan of units has come: what is over, what a failure means, and what a group has come to.

use super::{Execution, SkipCause, StepRun, StepState};
use crate::ids::StepId;
use crate::plan::{Group, Join, Jump, OnFailure, Plan, Step, Unit};

/// What a group has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum GroupState {
    /// Steps of it may begin.
    Open,
    /// What has not begun will not; something is still to end.
    Decided,
    Succeeded,
    Failed(String),
}

/// A failure that ends the way forward.
pub(super) struct Blocked {
    pub error: String,
    pub unwinds: bool,
}

impl Execution {
    /// Whether all of a unit is over, so that what comes after it may begin.
    pub(super) fn unit_is_over(&self, plan: &Plan, unit: &Unit) -> bool {
        match unit {
            Unit::Step(id) => plan.step(id).is_none_or(|step| self.is_over(plan, step)),
            Unit::Group(index) => plan.groups.get(*index).is_none_or(|group| self.group_is_over(group, plan)),
        }
    }

    fn group_is_over(&self, group: &Group, plan: &Plan) -> bool {
        match self.group_state(group, plan) {
            GroupState::Succeeded => true,
            GroupState::Failed(_) => goes_on(&group.on_failure),
            GroupState::Open | GroupState::Decided => false,
        }
    }

    /// Whether nothing further will come of a step, and the plan goes on behind it.
    pub(super) fn is_over(&self, plan: &Plan, step: &Step) -> bool {
        match self.steps.get(&step.id) {
            None => false,
            Some(run) if run.settled() => true,
            Some(StepRun { state: StepState::Failed { .. }, .. }) => {
                match step.group.and_then(|at| plan.groups.get(at)) {
                    None => goes_on(&step.on_failure),
                    Some(group) => self.group_is_over(group, plan),
                }
            }
            Some(_) => false,
        }
    }

    pub(super) fn group_state(&self, group: &Group, plan: &Plan) -> GroupState {
        let runs = || group.steps.iter().map(|id| (id, self.steps.get(id)));
        let ended = runs().all(|(_, run)| run.is_some_and(has_ended));
        let succeeded = |run: Option<&StepRun>| run.is_some_and(|run| run.state == StepState::Succeeded);
        match group.join {
            Join::Any if runs().any(|(_, run)| succeeded(run)) => decided(ended, Ok(())),
            Join::Any if ended => {
                GroupState::Failed(format!("group {}: none of its steps succeeded", group.id))
            }
            Join::Any => GroupState::Open,
            Join::All | Join::NoneFailed => match runs().find_map(|(id, run)| harm(group, plan, id, run?)) {
                Some(error) => decided(ended, Err(error)),
                None if ended => GroupState::Succeeded,
                None => GroupState::Open,
            },
        }
    }

    /// The first failure, in the plan's order, behind which the plan does not go on.
    pub(super) fn blocked(&self, plan: &Plan) -> Option<Blocked> {
        plan.steps.iter().find_map(|step| {
            let run = self.steps.get(&step.id)?;
            if let Some(group) = step.group.and_then(|at| plan.groups.get(at)) {
                let GroupState::Failed(error) = self.group_state(group, plan) else { return None };
                return blocked_by(&group.on_failure, error);
            }
            let StepState::Failed { error } = &run.state else { return None };
            blocked_by(&step.on_failure, named(&step.id, error))
        })
    }

    /// The first step that will not run any more because a failure led past it, or because its group is decided.
    pub(super) fn first_passed(&self, plan: &Plan) -> Option<(StepId, SkipCause)> {
        plan.steps.iter().find_map(|step| {
            let group = step.group.and_then(|at| plan.groups.get(at));
            if let Some(group) = group
                && let Some(found) = self.passed_by_group(group, plan)
            {
                return Some(found);
            }
            let StepState::Failed { .. } = self.steps.get(&step.id)?.state else { return None };
            if group.is_some() {
                return None;
            }
            self.first_over(&step.on_failure, &step.id)
        })
    }

    /// Of a decided group what has not begun or only waits, else what its failure leads past.
    fn passed_by_group(&self, group: &Group, plan: &Plan) -> Option<(StepId, SkipCause)> {
        match self.group_state(group, plan) {
            GroupState::Open | GroupState::Succeeded => None,
            GroupState::Decided => {
                let idle = |id: &&StepId| self.steps.get(*id).is_none_or(only_waits);
                let cause = SkipCause::GroupDecided { group: group.id.clone() };
                group.steps.iter().find(idle).map(|id| (id.clone(), cause))
            }
            GroupState::Failed(_) => self.first_over(&group.on_failure, &group.id),
        }
    }

    fn first_over(&self, on_failure: &OnFailure, of: &StepId) -> Option<(StepId, SkipCause)> {
        let OnFailure::Jump(jump) = on_failure else { return None };
        let next = self.first_fresh(jump)?;
        Some((next, SkipCause::AfterFailure { of: of.clone() }))
    }

    /// The first step on the way of a jump that has no run yet.
    pub(super) fn first_fresh(&self, jump: &Jump) -> Option<StepId> {
        jump.over.iter().find(|id| !self.steps.contains_key(*id)).cloned()
    }
}

/// A prerequisite that does not hold is named.
fn named(step: &StepId, error: &str) -> String {
    if step.is_prerequisite() {
        format!("prerequisite {}: {error}", step.written())
    } else {
        error.to_owned()
    }
}

fn decided(ended: bool, outcome: Result<(), String>) -> GroupState {
    match (ended, outcome) {
        (false, _) => GroupState::Decided,
        (true, Ok(())) => GroupState::Succeeded,
        (true, Err(error)) => GroupState::Failed(error),
    }
}

/// Why a step's state keeps its group from succeeding.
fn harm(group: &Group, plan: &Plan, id: &StepId, run: &StepRun) -> Option<String> {
    match &run.state {
        StepState::Failed { error } => {
            let tolerated = plan.step(id).is_some_and(|step| goes_on(&step.on_failure));
            (!tolerated).then(|| format!("group {}: step {id}: {error}", group.id))
        }
        StepState::Skipped { because } if group.join == Join::All => {
            let decided = matches!(because, SkipCause::GroupDecided { .. });
            (!decided).then(|| format!("group {}: step {id} was skipped", group.id))
        }
        StepState::Skipped { .. }
        | StepState::Sending
        | StepState::Waiting { .. }
        | StepState::Delayed { .. }
        | StepState::AwaitsChild { .. }
        | StepState::AwaitsApproval { .. }
        | StepState::Void
        | StepState::AwaitsCallback { .. }
        | StepState::Armed
        | StepState::Succeeded
        | StepState::NeedsReview { .. } => None,
    }
}

/// A step that waits and has nothing in flight: it can be left.
fn only_waits(run: &StepRun) -> bool {
    match run.state {
        StepState::Waiting { .. }
        | StepState::Delayed { .. }
        | StepState::AwaitsApproval { .. }
        | StepState::Void
        | StepState::AwaitsCallback { .. } => true,
        StepState::Sending
        | StepState::AwaitsChild { .. }
        | StepState::Armed
        | StepState::Succeeded
        | StepState::Skipped { .. }
        | StepState::Failed { .. }
        | StepState::NeedsReview { .. } => false,
    }
}

fn has_ended(run: &StepRun) -> bool {
    run.settled() || matches!(run.state, StepState::Failed { .. })
}

fn goes_on(on_failure: &OnFailure) -> bool {
    match on_failure {
        OnFailure::Continue | OnFailure::Jump(_) => true,
        OnFailure::Stop | OnFailure::Unwind => false,
    }
}

fn blocked_by(on_failure: &OnFailure, error: String) -> Option<Blocked> {
    match on_failure {
        OnFailure::Stop => Some(Blocked { error, unwinds: false }),
        OnFailure::Unwind => Some(Blocked { error, unwinds: true }),
        OnFailure::Continue | OnFailure::Jump(_) => None,
    }
}
