//! An execution that another one waits for does what that one does: it is stopped, paused and resumed with it, and taken
//! back with it. Whoever steers the one tells the other at once; this is for what ends by itself, and for those who could not say so.

use std::time::Duration;

use muster_domain::execution::{Decision, Event, Execution, ExecutionStatus, StopMode, decide};
use muster_domain::ids::UserId;

use super::typed;
use crate::executions::{Seen, is_paused_with, paused_with, stopped_with};
use crate::plans::Compiled;
use crate::table::{CommitError, Key};
use crate::{App, Error};

impl App {
    /// The execution, after it has done what the one that waits for it did meanwhile.
    pub(super) async fn with_parent(&self, seen: Seen, compiled: &Compiled) -> Result<Seen, Error> {
        let waits = seen.value.parent.as_ref().filter(|parent| parent.waits);
        let Some(parent) = waits.filter(|_| seen.value.stop.is_none()) else { return Ok(seen) };
        let stored = self.table.get(&Key::Execution(parent.execution.clone())).await?;
        let Some(parent) = stored.map(typed::<Execution>).transpose()? else { return Ok(seen) };
        let Some(event) = meant_for(&seen.value, &parent) else { return Ok(seen) };
        self.do_likewise(seen, compiled, event).await
    }

    /// Resumes an awaited execution that was paused with the one that waits for it, which goes on.
    pub(super) async fn resume_forgotten(&self, child: &Seen, parent: &Execution) -> Result<(), Error> {
        let paused = child.value.pause.as_ref().filter(|_| is_paused_with(&child.value, &parent.id));
        let Some(pause) = paused.filter(|_| parent.pause.is_none()) else { return Ok(()) };
        let compiled = self.plan_of(&child.value.pinned).await?;
        let resumed =
            self.do_likewise(child.clone(), &compiled, Event::Resume { by: pause.by.clone() }).await?;
        self.nudge(&resumed.value.id, resumed.value.team.as_ref(), Duration::ZERO).await;
        Ok(())
    }

    async fn do_likewise(&self, seen: Seen, compiled: &Compiled, event: Event) -> Result<Seen, Error> {
        let Decision::Moved(moved) = decide(&seen.value, &compiled.plan, event, self.clock.now()) else {
            return Ok(seen);
        };
        let (_, writes) = self.transition(&seen, *moved).await?;
        match self.table.commit(writes).await {
            Ok(()) | Err(CommitError::Conflict { .. }) => self.load_execution(&seen.value.id).await,
            Err(CommitError::Table(error)) => Err(error.into()),
        }
    }
}

/// What the state of the one that waits means for the one that it waits for.
fn meant_for(child: &Execution, parent: &Execution) -> Option<Event> {
    if let Some((by, mode, what)) = stopped(parent) {
        return Some(stopped_with(&parent.id, by, mode, what));
    }
    let pause = parent.pause.as_ref().filter(|_| child.pause.is_none())?;
    Some(Event::Pause { by: pause.by.clone(), reason: paused_with(&parent.id) })
}

/// What was done on the way is taken back with the rest; else it stays, as the rest does. Beside a step that failed, it goes on to
/// its end like any other call.
fn stopped(parent: &Execution) -> Option<(&UserId, StopMode, &'static str)> {
    if let Some(stop) = &parent.stop {
        Some((&stop.by, stop.mode, "was stopped"))
    } else if parent.unwinding.is_some() {
        Some((&parent.requested_by, StopMode::Abort, "takes back what it did"))
    } else if parent.status() == ExecutionStatus::Cancelled {
        Some((&parent.requested_by, StopMode::Kill, "ran out of time"))
    } else {
        None
    }
}
