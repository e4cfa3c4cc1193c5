//! What people, and the receivers of calls, may change of an execution while it runs.

use serde_json::Value;

use super::decide::{Decision, Effect, Refusal};
use super::progress::Progress;
use super::{CalledBack, Pause, State, Stop, StopMode, TrailEvent};
use crate::ids::{StepId, UserId};

/// Stops an execution for good. What is in flight ends first; an abort then takes back what was done.
pub(super) fn stop(mut progress: Progress<'_>, by: UserId, mode: StopMode, reason: String) -> Decision {
    match progress.state() {
        State::Cancelled { .. } => return Decision::AlreadyDone,
        State::Succeeded | State::Failed { .. } | State::RolledBack { .. } => {
            return Decision::Refused(Refusal::WrongState(progress.execution().status_word()));
        }
        // It is on its way back and waits for a decision about an undo: whoever asks is to know.
        State::UndoFailed { .. } if mode == StopMode::Abort => {
            return Decision::Refused(Refusal::WrongState(progress.execution().status_word()));
        }
        State::Pending
        | State::Running { .. }
        | State::Waiting { .. }
        | State::Paused
        | State::NeedsReview { .. }
        | State::UndoFailed { .. } => {}
    }
    if asked_before(&progress, mode) {
        return Decision::AlreadyDone;
    }
    let at = progress.now();
    progress.request_stop(Stop { by: by.clone(), at, reason: reason.clone(), mode, quiesced_at: None });
    progress.execution_mut().pause = None;
    if matches!(progress.state(), State::Running { .. }) {
        audit(&mut progress, requested(mode), by, Some(reason));
    } else {
        audit(&mut progress, taken(mode), by, Some(reason));
        progress.conclude_unclaimed();
    }
    progress.moved()
}

/// A kill overrules an abort, and an execution on its way back cannot be aborted.
fn asked_before(progress: &Progress<'_>, mode: StopMode) -> bool {
    let execution = progress.execution();
    let asked = execution.stop.as_ref().map(|stop| stop.mode);
    match mode {
        StopMode::Kill => asked == Some(StopMode::Kill),
        StopMode::Abort => asked.is_some() || execution.unwinding.is_some(),
    }
}

const fn requested(mode: StopMode) -> &'static str {
    match mode {
        StopMode::Kill => "execution.cancel_requested",
        StopMode::Abort => "execution.abort_requested",
    }
}

const fn taken(mode: StopMode) -> &'static str {
    match mode {
        StopMode::Kill => "execution.cancelled",
        StopMode::Abort => "execution.aborted",
    }
}

/// Pauses an execution. What is in flight ends first.
pub(super) fn pause(mut progress: Progress<'_>, by: UserId, reason: String) -> Decision {
    if progress.execution().pause.is_some() {
        return Decision::AlreadyDone;
    }
    let at = progress.now();
    let rests = match progress.state() {
        State::Succeeded | State::Failed { .. } | State::Cancelled { .. } | State::RolledBack { .. } => {
            return Decision::Refused(Refusal::WrongState(progress.execution().status_word()));
        }
        State::Pending | State::Waiting { .. } => true,
        // Whoever decides there finds it paused afterwards.
        State::Running { .. } | State::Paused | State::NeedsReview { .. } | State::UndoFailed { .. } => false,
    };
    let quiesced_at = (!matches!(progress.state(), State::Running { .. })).then_some(at);
    progress.trail(TrailEvent::PauseRequested { by: by.clone(), reason: reason.clone() });
    progress.execution_mut().pause = Some(Pause { by: by.clone(), at, reason: reason.clone(), quiesced_at });
    if rests {
        progress.rest(State::Paused, None);
    }
    audit(&mut progress, "execution.paused", by, Some(reason));
    progress.moved()
}

/// Lets a paused execution go on. The time that it may take, and people's time to decide, did not run meanwhile.
pub(super) fn resume(mut progress: Progress<'_>, by: UserId) -> Decision {
    let Some(pause) = progress.execution().pause.clone() else {
        let terminal = progress.execution().status().is_terminal();
        let word = progress.execution().status_word();
        return if terminal { Decision::Refused(Refusal::WrongState(word)) } else { Decision::AlreadyDone };
    };
    let paused = progress.now().since(pause.quiesced_at.unwrap_or_else(|| progress.now()));
    progress.lengthen_waits(paused);
    let execution = progress.execution_mut();
    execution.pause = None;
    let paused_ms = u64::try_from(paused.as_millis()).unwrap_or(u64::MAX);
    execution.paused_ms = execution.paused_ms.saturating_add(paused_ms);
    progress.trail(TrailEvent::Unpaused { by: by.clone() });
    audit(&mut progress, "execution.resumed", by, None);
    if matches!(progress.state(), State::Paused) {
        progress.wait_for_worker();
    }
    progress.moved()
}

/// The receiver of a call says that it is done. It says so once.
pub(super) fn called_back(
    mut progress: Progress<'_>,
    step: &StepId,
    error: Option<String>,
    result: Value,
) -> Decision {
    if progress.execution().status().is_terminal() {
        return Decision::Refused(Refusal::WrongState(progress.execution().status_word()));
    }
    let at = progress.now();
    let said = match &error {
        None => format!("{step}: done"),
        Some(error) => format!("{step}: {error}"),
    };
    if !progress.call_back(step, CalledBack { at, error, result }) {
        return Decision::AlreadyDone;
    }
    progress.effect(Effect::Audit { action: "execution.called_back", actor: None, reason: Some(said) });
    if matches!(progress.state(), State::Waiting { .. }) {
        progress.wait_for_worker();
    }
    progress.moved()
}

fn audit(progress: &mut Progress<'_>, action: &'static str, by: UserId, reason: Option<String>) {
    progress.effect(Effect::Audit { action, actor: Some(by), reason });
}
