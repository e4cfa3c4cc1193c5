//! Taking back what was done: the undos that were stored before their steps began, in the reverse of the order of those.

use super::decide::{Decision, Effect, Refusal};
use super::progress::Progress;
use super::{Execution, SkipCause, State, StepRun, StepState, TrailEvent};
use crate::ids::{StepId, UserId};
use crate::outcome::Outcome;

/// What a person decides about an undo that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UndoDecision {
    /// Send it again.
    Retry,
    /// Let it be: what was done stays.
    Skip,
    /// It was taken back by hand.
    Done,
}

impl Execution {
    /// The undo whose turn it is: of the step that began last, of those that are not taken back yet.
    pub(super) fn next_undo(&self) -> Option<(&StepId, &StepRun)> {
        self.undos_left().max_by_key(|(_, run)| run.place)
    }

    /// Those that have not succeeded, and that nobody has let be.
    pub(super) fn undos_left(&self) -> impl Iterator<Item = (&StepId, &StepRun)> {
        self.steps.iter().filter(|(id, run)| id.is_undo() && !run.settled())
    }

    /// Whether the step that an undo belongs to may have done something: whatever surely never left did nothing.
    pub(super) fn may_have_acted(&self, undo: &StepId) -> bool {
        self.steps.get(&undo.made_for()).is_none_or(|run| {
            run.attempts.iter().any(|attempt| match attempt.late.as_ref().or(attempt.outcome.as_ref()) {
                Some(Outcome::Unsent { .. } | Outcome::Refused { .. }) => false,
                Some(Outcome::Answered { .. } | Outcome::Unknown { .. }) | None => true,
            })
        })
    }

    /// The undos that were stored and have not begun.
    pub(super) fn armed(&self) -> impl Iterator<Item = (&StepId, &StepRun)> {
        self.steps.iter().filter(|(id, run)| id.is_undo() && run.state == StepState::Armed)
    }

    /// Whether something is left that an undo could take back.
    pub fn can_unwind(&self) -> bool {
        self.armed().any(|(id, _)| self.may_have_acted(id))
    }

    fn undid_anything(&self) -> bool {
        self.steps.iter().any(|(id, run)| id.is_undo() && run.state == StepState::Succeeded)
    }
}

impl Progress<'_> {
    /// Turns back: from now on only undos begin. `false` if there is nothing to take back.
    pub(super) fn turn_back(&mut self, reason: &str) -> bool {
        if !self.execution().can_unwind() {
            return false;
        }
        self.begin_unwinding(reason.to_owned());
        self.trail(TrailEvent::Unwinding { reason: reason.to_owned() });
        self.effect(Effect::Audit {
            action: "execution.unwinding",
            actor: None,
            reason: Some(reason.to_owned()),
        });
        self.wake_awaited();
        self.pass_idle_undos();
        true
    }

    /// Undos of steps that certainly did nothing are passed by.
    pub(super) fn pass_idle_undos(&mut self) {
        while let Some(idle) = self.idle_undo() {
            self.skip(&idle, SkipCause::NothingDone);
        }
    }

    fn idle_undo(&self) -> Option<StepId> {
        let execution = self.execution();
        execution.armed().map(|(id, _)| id).find(|id| !execution.may_have_acted(id)).cloned()
    }

    /// What an execution on its way back has come to, when nothing is in flight.
    pub(super) fn unwound(&self) -> Option<State> {
        let reason = self.execution().unwinding.as_ref()?.reason.clone();
        match self.execution().next_undo() {
            None if self.execution().undid_anything() => Some(State::RolledBack { reason }),
            None => Some(State::Failed { error: reason }),
            Some((undo, run)) => match &run.state {
                StepState::Failed { error: why } | StepState::NeedsReview { reason: why } => {
                    Some(State::UndoFailed { step: undo.made_for(), reason: why.clone() })
                }
                StepState::Sending
                | StepState::Waiting { .. }
                | StepState::Delayed { .. }
                | StepState::AwaitsChild { .. }
                | StepState::AwaitsApproval { .. }
                | StepState::Void
                | StepState::AwaitsCallback { .. }
                | StepState::Armed
                | StepState::Succeeded
                | StepState::Skipped { .. } => None,
            },
        }
    }
}

/// A person's decision about the undo that failed.
pub(super) fn decide_undo(
    mut progress: Progress<'_>,
    by: UserId,
    decision: UndoDecision,
    reason: String,
) -> Decision {
    let State::UndoFailed { step, .. } = progress.state() else {
        return Decision::Refused(Refusal::WrongState(progress.execution().status_word()));
    };
    let (step, undo) = (step.clone(), step.undo());
    let action = match decision {
        UndoDecision::Retry => {
            progress.resend(&undo);
            "execution.undo_retried"
        }
        UndoDecision::Skip => {
            progress.skip(&undo, SkipCause::LetBe { by: by.clone(), reason: reason.clone() });
            "execution.undo_skipped"
        }
        UndoDecision::Done => {
            progress.mark_succeeded(&undo);
            "execution.undone_by_hand"
        }
    };
    progress.trail(TrailEvent::UndoDecided { by: by.clone(), step, decision, reason: reason.clone() });
    progress.effect(Effect::Audit { action, actor: Some(by), reason: Some(reason) });
    progress.conclude_unclaimed();
    progress.moved()
}
