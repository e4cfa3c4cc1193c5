//! What people change of an execution that runs: cancel, abort, pause, resume; and what they decide where Muster cannot: about an
//! unknown outcome, and about an undo that failed (A8, B5, D2, D6).

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use muster_domain::execution::{
    Decision, Event, Execution, Resolution, State, StopMode, UndoDecision, decide,
};
use muster_domain::fault::Fault;
use muster_domain::ids::{ExecutionId, UserId};
use muster_domain::policy::{Action, Owner};

use crate::approvals::reason_faults;
use crate::notifications::tellings_in;
use crate::once::Decided;
use crate::runbooks::refuse_faults;
use crate::{App, Caller, Error};

impl App {
    /// Stops what has not begun at once, and what runs before its next call. What was done stays done.
    pub async fn cancel_execution(
        &self,
        caller: &Caller,
        id: &ExecutionId,
        reason: Option<String>,
    ) -> Result<Execution, Error> {
        refuse_faults(reason_faults(reason.as_deref()))?;
        let by = caller.principal.user.clone();
        let reason = reason.unwrap_or_else(|| format!("Cancelled by {by}"));
        self.steer(caller, id, &Event::Stop { by, mode: StopMode::Kill, reason }).await
    }

    /// Stops an execution and takes back what it did, the last step first.
    pub async fn abort_execution(
        &self,
        caller: &Caller,
        id: &ExecutionId,
        reason: String,
    ) -> Result<Execution, Error> {
        let (by, reason) = signed(caller, &reason, "says why what was done must be taken back")?;
        self.steer(caller, id, &Event::Stop { by, mode: StopMode::Abort, reason }).await
    }

    /// Begins no further call until somebody resumes the execution. What is in flight ends.
    pub async fn pause_execution(
        &self,
        caller: &Caller,
        id: &ExecutionId,
        reason: String,
    ) -> Result<Execution, Error> {
        let (by, reason) = signed(caller, &reason, "says why it must wait")?;
        self.steer(caller, id, &Event::Pause { by, reason }).await
    }

    pub async fn resume_execution(&self, caller: &Caller, id: &ExecutionId) -> Result<Execution, Error> {
        let by = caller.principal.user.clone();
        self.steer(caller, id, &Event::Resume { by }).await
    }

    /// A person's answer to an undo that failed: send it again, let it be, or it was done by hand.
    pub async fn decide_undo(
        &self,
        caller: &Caller,
        id: &ExecutionId,
        decision: UndoDecision,
        reason: String,
    ) -> Result<Execution, Error> {
        let (by, reason) = signed(caller, &reason, "says what you found")?;
        self.steer(caller, id, &Event::Undo { by, decision, reason }).await
    }

    /// A person's answer to an unknown outcome: it happened, or send it again.
    pub async fn resolve_execution(
        &self,
        caller: &Caller,
        id: &ExecutionId,
        resolution: Resolution,
        reason: String,
    ) -> Result<Execution, Error> {
        let (by, reason) = signed(caller, &reason, "says how you know")?;
        self.steer(caller, id, &Event::Resolve { by, resolution, reason }).await
    }

    /// What an execution waits for is stopped, paused and resumed with it. Should that fail, the two find out when a worker next
    /// claims one of them.
    async fn steer_awaited(&self, caller: &Caller, steered: &Execution, event: &Event) {
        for (_, child) in steered.awaited() {
            match Box::pin(self.steer_child(caller, child, steered, event)).await {
                Ok(()) | Err(Error::WrongStatus { .. }) => {}
                Err(error) => {
                    tracing::warn!(execution_id = %child, error = crate::error::chain(&error), "not steered yet");
                }
            }
        }
    }

    async fn steer_child(
        &self,
        caller: &Caller,
        child: &ExecutionId,
        steered: &Execution,
        event: &Event,
    ) -> Result<(), Error> {
        let seen = self.load_execution(child).await?.value;
        if let Some(event) = follows(event, &steered.id, &seen) {
            let caller = Caller { idempotency: None, ..caller.clone() };
            self.steer(&caller, child, &event).await?;
        }
        Ok(())
    }

    async fn steer(&self, caller: &Caller, id: &ExecutionId, event: &Event) -> Result<Execution, Error> {
        // A repeated request, or one for what has been done already, ends nothing.
        let moved_now = AtomicBool::new(false);
        let notifies = AtomicU32::new(0);
        let told = Mutex::new(Vec::new());
        let decide_once = async || {
            moved_now.store(false, Ordering::Relaxed);
            notifies.store(0, Ordering::Relaxed);
            let seen = self.load_execution(id).await?;
            caller.principal.may(Action::Execute, &Owner::from(seen.value.team.clone()))?;
            let compiled = self.plan_of(&seen.value.pinned).await?;
            match decide(&seen.value, &compiled.plan, event.clone(), self.clock.now()) {
                Decision::AlreadyDone => Ok(Decided { reply: seen.value, writes: Vec::new() }),
                Decision::Refused(refusal) => Err(Error::WrongStatus {
                    message: format!("the execution cannot be changed so: {refusal}"),
                    current: seen.value.status_word(),
                }),
                Decision::Moved(moved) => {
                    notifies.store(moved.notifies().unwrap_or_default(), Ordering::Relaxed);
                    let (execution, writes) = self.transition(&seen, *moved).await?;
                    *told.lock().unwrap_or_else(PoisonError::into_inner) = tellings_in(&writes);
                    moved_now.store(true, Ordering::Relaxed);
                    Ok(Decided { reply: execution, writes })
                }
            }
        };
        let execution = self.once(caller, decide_once).await?.into_reply();
        if moved_now.load(Ordering::Relaxed) {
            self.tell_of(&execution);
            self.wake_waiting(&execution).await;
            self.tell_soon(told.into_inner().unwrap_or_else(PoisonError::into_inner)).await;
        }
        let number = notifies.load(Ordering::Relaxed);
        if number > 0 {
            self.notify_soon(id, number, execution.team.as_ref(), Duration::ZERO).await;
        }
        if let State::Waiting { until, .. } = execution.state {
            self.nudge(id, execution.team.as_ref(), until.since(self.clock.now())).await;
        }
        self.steer_awaited(caller, &execution, event).await;
        Ok(execution)
    }
}

/// What the stop of the execution that waits for it means for an awaited one.
pub(crate) fn stopped_with(parent: &ExecutionId, by: &UserId, mode: StopMode, what: &str) -> Event {
    let reason = format!("{parent}, which waits for it, {what}");
    Event::Stop { by: by.clone(), mode, reason }
}

/// Why an awaited execution is paused, if it is because of the one that waits for it.
pub(crate) fn paused_with(parent: &ExecutionId) -> String {
    format!("{parent}, which waits for it, was paused")
}

pub(crate) fn is_paused_with(child: &Execution, parent: &ExecutionId) -> bool {
    child.pause.as_ref().is_some_and(|pause| pause.reason == paused_with(parent))
}

/// What an event means for an execution that is awaited by the one it happened to. What a person paused by itself stays paused.
fn follows(event: &Event, parent: &ExecutionId, child: &Execution) -> Option<Event> {
    match event {
        Event::Stop { by, mode, .. } => Some(stopped_with(parent, by, *mode, "was stopped")),
        Event::Pause { by, .. } => Some(Event::Pause { by: by.clone(), reason: paused_with(parent) }),
        Event::Resume { .. } => is_paused_with(child, parent).then(|| event.clone()),
        Event::Claim { .. }
        | Event::Advance { .. }
        | Event::Attempted { .. }
        | Event::Yield { .. }
        | Event::Overdue { .. }
        | Event::Orphaned
        | Event::CalledBack { .. }
        | Event::Undo { .. }
        | Event::Resolve { .. }
        | Event::Abandon { .. } => None,
    }
}

/// Who says it, and why: a reason that is not empty. `purpose` tells what the reason is for.
pub(super) fn signed(caller: &Caller, reason: &str, purpose: &str) -> Result<(UserId, String), Error> {
    refuse_faults(reason_faults(Some(reason)))?;
    if reason.trim().is_empty() {
        return Err(Error::Invalid(vec![Fault::new("/reason", format!("{purpose}; it cannot be empty"))]));
    }
    Ok((caller.principal.user.clone(), reason.to_owned()))
}
