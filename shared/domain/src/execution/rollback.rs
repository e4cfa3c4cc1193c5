//! Taking back an execution that has ended. What has ended never changes, so this is an execution of its own, which begins on its
//! way back and has nothing but the undos that were stored.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Execution, State, StepRun, StepState, TrailEvent, Unwinding};
use crate::ids::{ExecutionId, StepId};
use crate::limits::Admission;
use crate::plan::Plan;
use crate::time::Time;

/// Why an execution cannot be rolled back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRollback {
    #[error("it is {0}; abort it instead, which takes back what it did")]
    StillRuns(&'static str),
    #[error("it takes back what it did already")]
    OnItsWay,
    #[error(
        "its undo of step {0} failed; decide about that instead: retry it, skip it, or say that it was done by hand"
    )]
    UndoFailed(StepId),
    #[error("nothing is left that could be taken back")]
    NothingToUndo,
    #[error("it ended at {ended_at}, and a rollback can be asked for within {} s after that", window.as_secs())]
    TooLate { ended_at: Time, window: Duration },
    #[error("it is a rollback itself; ask for that of {0} again, which takes back what is left")]
    IsRollback(ExecutionId),
}

impl Execution {
    /// The undos that a rollback of this ended execution would send.
    pub fn rollback(
        &self,
        plan: &Plan,
        window: Duration,
        now: Time,
    ) -> Result<BTreeMap<StepId, StepRun>, NoRollback> {
        if let Some(of) = &self.undoes {
            return Err(NoRollback::IsRollback(of.clone()));
        }
        let Some(ended_at) = self.ended_at else { return Err(self.not_ended()) };
        if ended_at.plus(window) < now {
            return Err(NoRollback::TooLate { ended_at, window });
        }
        let left = self.left_undone(plan);
        if left.is_empty() { Err(NoRollback::NothingToUndo) } else { Ok(left) }
    }

    fn not_ended(&self) -> NoRollback {
        if let State::UndoFailed { step, .. } = &self.state {
            NoRollback::UndoFailed(step.clone())
        } else if self.unwinding.is_some() {
            NoRollback::OnItsWay
        } else {
            NoRollback::StillRuns(self.status_word())
        }
    }

    /// The undos that were stored and have not succeeded, of steps that may have acted, as if nobody had sent them yet: one that
    /// failed is left like one that never began. What a person let be or did by hand is not.
    pub fn left_undone(&self, plan: &Plan) -> BTreeMap<StepId, StepRun> {
        let left = self.undos_left().filter(|(id, _)| self.may_have_acted(id));
        let fresh = left.map(|(id, run)| {
            let budget = plan.step(id).map_or(1, |planned| planned.retry.max_attempts);
            let (request, place) = (run.request.clone(), run.place);
            (id.clone(), StepRun { request, budget, place, ..StepRun::of_state(StepState::Armed) })
        });
        fresh.collect()
    }

    /// Makes an execution that nobody has claimed the rollback of another one.
    #[must_use]
    pub fn rolling_back(
        self,
        ended: &Self,
        undos: BTreeMap<StepId, StepRun>,
        reason: &str,
        now: Time,
    ) -> Self {
        let mut trail = self.trail;
        trail.push(TrailEvent::Unwinding { reason: reason.to_owned() }, now);
        Self {
            pinned: ended.pinned.clone(),
            team: ended.team.clone(),
            incident: ended.incident.clone(),
            parameters: ended.parameters.clone(),
            undoes: Some(ended.id.clone()),
            // It works where that one did, whatever has become of the incident since.
            admission: Admission { target: ended.admission.target.clone(), ..Admission::default() },
            unwinding: Some(Unwinding { since: now, reason: reason.to_owned() }),
            steps: undos,
            state: State::Pending,
            trail,
            ..self
        }
    }
}
