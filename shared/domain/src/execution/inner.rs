//! Steps that make no call: conditions, delays, and the start of other executions.

use std::time::Duration;

use serde_json::Value;

use super::decide::Effect;
use super::progress::Progress;
use super::{Execution, ExecutionStatus, InnerRun, SkipCause, StepRun, StepState, TrailEvent};
use crate::ids::StepId;
use crate::plan::Jump;

/// How an execution that a step waits for ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildEnd {
    pub step: StepId,
    pub status: ExecutionStatus,
    /// Why it did not succeed.
    pub error: Option<String>,
}

impl Progress<'_> {
    /// A condition was answered; one of its ways is closed now.
    pub(super) fn answer(&mut self, step: &StepId, answer: bool) {
        let inner = InnerRun { answer: Some(answer), ..self.inner_run() };
        self.settle_inner(step, InnerRun { ended_at: Some(inner.started_at), ..inner });
        self.trail(TrailEvent::Answered { step: step.clone(), answer });
    }

    /// Begins a delay, or ends one whose time has come.
    pub(super) fn delay(&mut self, step: &StepId, lasting: Duration) {
        let now = self.now();
        if let Some(run) = self.run_mut(step) {
            run.state = StepState::Succeeded;
            if let Some(inner) = &mut run.inner {
                inner.ended_at = Some(now);
            }
            self.trail(TrailEvent::Resumed { step: step.clone() });
        } else {
            let until = now.plus(lasting);
            let inner = self.inner_run();
            self.insert(step, StepState::Delayed { until }, inner);
            self.trail(TrailEvent::Delayed { step: step.clone(), until });
        }
    }

    /// Starts another execution in the same commit, and waits for it if that is wanted.
    pub(super) fn start_child(&mut self, step: &StepId, child: Execution) {
        let execution = child.id.clone();
        let inner = InnerRun { child: Some(execution.clone()), ..self.inner_run() };
        if child.parent.as_ref().is_some_and(|parent| parent.waits) {
            self.insert(step, StepState::AwaitsChild { execution: execution.clone() }, inner);
        } else {
            self.settle_inner(step, InnerRun { ended_at: Some(inner.started_at), ..inner });
        }
        self.trail(TrailEvent::Started { step: step.clone(), execution: execution.clone() });
        self.effect(Effect::Wake { execution });
        self.child(child);
    }

    pub(super) fn fail_inner(&mut self, step: &StepId, error: String) {
        let inner = InnerRun { ended_at: Some(self.now()), ..self.inner_run() };
        let failed = StepState::Failed { error: error.clone() };
        match self.run_mut(step) {
            Some(run) => run.state = failed,
            None => self.insert(step, failed, inner),
        }
        self.trail(TrailEvent::StepFailed { step: step.clone(), error });
    }

    /// An earlier attempt took effect after all: what was found of it stands for the answer.
    pub(super) fn take_found(&mut self, step: &StepId, found: Value) {
        let inner = InnerRun { ended_at: Some(self.now()), found: Some(found), ..self.inner_run() };
        match self.run_mut(step) {
            Some(run) => {
                run.state = StepState::Succeeded;
                run.inner = Some(inner);
            }
            None => self.settle_inner(step, inner),
        }
        self.trail(TrailEvent::Found { step: step.clone() });
    }

    /// A step that waited for another execution ends with it.
    pub(super) fn end_children(&mut self, ended: Vec<ChildEnd>) {
        for ChildEnd { step, status, error } in ended {
            let now = self.now();
            let Some(run) = self.run_mut(&step) else { continue };
            let StepState::AwaitsChild { execution } = run.state.clone() else { continue };
            run.state = match status {
                ExecutionStatus::Success => StepState::Succeeded,
                ExecutionStatus::Failed
                | ExecutionStatus::Cancelled
                | ExecutionStatus::RolledBack
                | ExecutionStatus::Pending
                | ExecutionStatus::Running
                | ExecutionStatus::Waiting
                | ExecutionStatus::Paused
                | ExecutionStatus::NeedsReview
                | ExecutionStatus::UndoFailed => {
                    let why = error.unwrap_or_else(|| "it says no more".into());
                    StepState::Failed { error: format!("execution {execution} is {status}: {why}") }
                }
            };
            if let Some(inner) = &mut run.inner {
                inner.ended_at = Some(now);
            }
            self.trail(TrailEvent::ChildEnded { step, execution, status });
        }
    }

    /// A step that nothing leads to any more.
    pub(super) fn skip(&mut self, step: &StepId, because: SkipCause) {
        let skipped = StepState::Skipped { because };
        match self.run_mut(step) {
            Some(run) => run.state = skipped,
            None => self.insert_run(step, StepRun::of_state(skipped)),
        }
        self.trail(TrailEvent::Skipped { step: step.clone() });
    }

    /// A step that a person did by hand.
    pub(super) fn mark_succeeded(&mut self, step: &StepId) {
        if let Some(run) = self.run_mut(step) {
            run.state = StepState::Succeeded;
        }
    }

    /// A check was made.
    pub(super) fn check(&mut self, step: &StepId, holds: bool, rule: &str) {
        if holds {
            self.answer(step, true);
        } else {
            let error = format!("the check does not hold: {rule}");
            let inner = InnerRun { answer: Some(false), ended_at: Some(self.now()), ..self.inner_run() };
            self.insert(step, StepState::Failed { error: error.clone() }, inner);
            self.trail(TrailEvent::StepFailed { step: step.clone(), error });
        }
    }

    /// A branch chose its way; what lies between is skipped.
    pub(super) fn branch(&mut self, step: &StepId, jump: &Jump) {
        let inner = InnerRun { way: Some(jump.to.clone()), ..self.inner_run() };
        self.settle_inner(step, InnerRun { ended_at: Some(inner.started_at), ..inner });
        self.trail(TrailEvent::Branched { step: step.clone(), to: jump.to.clone() });
        while let Some(passed) = self.execution().first_fresh(jump) {
            self.skip(&passed, SkipCause::PassedBy { branch: step.clone() });
        }
    }

    pub(super) fn settle_inner(&mut self, step: &StepId, inner: InnerRun) {
        self.insert(step, StepState::Succeeded, inner);
    }

    pub(super) fn insert(&mut self, step: &StepId, state: StepState, inner: InnerRun) {
        let run = StepRun { inner: Some(inner), ..StepRun::of_state(state) };
        self.insert_run(step, run);
    }

    pub(super) fn inner_run(&self) -> InnerRun {
        InnerRun {
            started_at: self.now(),
            ended_at: None,
            answer: None,
            child: None,
            found: None,
            gate: None,
            way: None,
            called_back: None,
        }
    }
}
