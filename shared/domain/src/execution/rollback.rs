//! Taking back an execution that has ended. What has ended never changes, so this is an execution of its own, which begins on its
//! way back and has nothing but the undos that were stored.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Execution, State, StepRun, TrailEvent, Unwinding};
use crate::ids::StepId;
use crate::limits::Admission;
use crate::time::Time;

/// Why an execution cannot be rolled back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRollback {
    #[error("it is {0}; abort it instead, which takes back what it did")]
    StillRuns(&'static str),
    #[error("nothing is left that could be taken back")]
    NothingToUndo,
    #[error("it ended at {ended_at}, and a rollback can be asked for within {} s after that", window.as_secs())]
    TooLate { ended_at: Time, window: Duration },
    #[error("it is a rollback itself")]
    IsRollback,
}

impl Execution {
    /// The undos that a rollback of this ended execution would send: those that were stored and never begun, of steps that may
    /// have acted.
    pub fn rollback(&self, window: Duration, now: Time) -> Result<BTreeMap<StepId, StepRun>, NoRollback> {
        if self.undoes.is_some() {
            return Err(NoRollback::IsRollback);
        }
        let Some(ended_at) = self.ended_at else {
            return Err(NoRollback::StillRuns(self.status_word()));
        };
        if ended_at.plus(window) < now {
            return Err(NoRollback::TooLate { ended_at, window });
        }
        let left = self.armed().filter(|(id, _)| self.may_have_acted(id));
        let left: BTreeMap<StepId, StepRun> = left.map(|(id, run)| (id.clone(), run.clone())).collect();
        if left.is_empty() { Err(NoRollback::NothingToUndo) } else { Ok(left) }
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
