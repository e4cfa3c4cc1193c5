//! How a plan goes from step to step: units in order, groups, branches, gates, and what follows a failure.

use crate::approval::GateSpec;
use crate::ids::StepId;
use crate::rule::Rule;

/// One place in the order of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    Step(StepId),
    /// All steps of a group, by its place in the plan's list.
    Group(usize),
}

/// Steps that run beside each other.
#[derive(Debug)]
pub struct Group {
    /// As the definition names it.
    pub id: StepId,
    /// How many of its steps may be in flight at once, at least 1.
    pub limit: usize,
    pub join: Join,
    pub on_failure: OnFailure,
    pub steps: Vec<StepId>,
}

/// What a group needs to succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// Every step succeeded.
    All,
    /// No step failed; skipped ones do no harm.
    NoneFailed,
    /// One step succeeded; what has not begun then is skipped.
    Any,
}

/// What follows when a step, or a group, fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnFailure {
    /// Nothing further begins; the execution fails.
    Stop,
    /// The next one begins.
    Continue,
    /// Nothing further begins, and what was done is taken back.
    Unwind,
    /// What lies between is skipped.
    Jump(Jump),
}

/// A way forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jump {
    /// Where it leads, for people: a step, a phase or the end.
    pub to: String,
    /// What is skipped on the way, in the plan's order.
    pub over: Vec<StepId>,
}

/// The first case whose rule holds decides.
#[derive(Debug)]
pub struct Branch {
    pub cases: Vec<Case>,
    /// Taken if none holds.
    pub otherwise: Jump,
}

#[derive(Debug)]
pub struct Case {
    pub when: Rule,
    pub jump: Jump,
}

/// Where people decide whether the plan goes on.
#[derive(Debug)]
pub struct Gate {
    /// Who decides, and until when. `None`: whoever the execution's risk demands, and nobody if it demands none.
    pub spec: Option<GateSpec>,
    /// The steps whose requests the decision binds.
    pub covers: Vec<StepId>,
}
