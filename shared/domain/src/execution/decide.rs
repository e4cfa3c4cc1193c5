//! The state machine of an execution: (state, event) → (state, effects), and nothing else.
//!
//! Every event may arrive twice, late, or out of order: a repeated one is `AlreadyDone`, an impossible one `Refused`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::inner::ChildEnd;
use super::progress::Progress;
use super::undo::decide_undo;
use super::{Execution, Lease, Resolution, State, StopMode, TrailEvent, UndoDecision, WaitingOn, steer};
use crate::anomaly::Usual;
use crate::approval::Approver;
use crate::digest::Digest;
use crate::ids::{BreakGlassId, ExecutionId, StepId, UserId};
use crate::limits::Admission;
use crate::outcome::Outcome;
use crate::plan::{Jump, Plan};
use crate::request::RenderedRequest;
use crate::time::Time;

/// What happens to an execution.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A worker asks for the execution, to begin or to take over.
    Claim { lease: Lease, next: Next },
    /// The worker of this epoch goes on to further steps.
    Advance { epoch: u32, next: Next },
    /// An attempt ended.
    Attempted { step: StepId, attempt: usize, outcome: Outcome },
    /// The worker of this epoch gives the execution back before its deadline.
    Yield { epoch: u32 },
    /// The sweeper found it due: it is owed another nudge.
    Overdue { grace: Duration },
    /// The process that held the lease is known to be gone, as after a restart of the only one.
    Orphaned,
    /// A person asks it to stop for good.
    Stop { by: UserId, mode: StopMode, reason: String },
    /// A person asks it to pause.
    Pause { by: UserId, reason: String },
    /// A person lets it go on.
    Resume { by: UserId },
    /// The receiver of a step's call says that it is done.
    CalledBack { step: StepId, error: Option<String>, result: Value },
    /// A person decides about an undo that failed.
    Undo { by: UserId, decision: UndoDecision, reason: String },
    /// A person decides about an unknown outcome.
    Resolve { by: UserId, resolution: Resolution, reason: String },
    /// Its job ended in the dead-letter queue: finish it without another call.
    Abandon { reason: String },
}

/// What a worker found out before it asks to begin steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Next {
    /// The guard's answer; an error ends the execution without another call.
    pub clearance: Result<(), String>,
    /// What the steps that would begin need; what is missing does not begin.
    pub prepared: BTreeMap<StepId, Prepared>,
    /// Those of the awaited executions that have ended.
    pub ended: Vec<ChildEnd>,
    /// What people decided at the gates that wait for them.
    pub gates: Vec<GateEnd>,
    /// Why the execution may not begin anything for now, or at all; `None`: it may.
    pub hold: Option<Hold>,
    /// What the limits said now, if they were asked: it is stored with the transition.
    pub admission: Option<Admission>,
    /// The break-glass by which it may begin although changes are frozen.
    pub pass: Option<BreakGlassId>,
    /// What is usual of the runbook; only at the first claim, and only if the runbook asks for anomalies.
    pub usual: Option<Usual>,
}

/// A gate that people have decided about, or whose time is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateEnd {
    pub step: StepId,
    /// The round that it is about; a decision about another round decides nothing.
    pub round: u32,
    pub verdict: GateVerdict,
}

/// What the ledger says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateVerdict {
    Approved,
    Rejected {
        by: UserId,
        reason: String,
    },
    /// Nobody decided in time, and that means no.
    Expired,
    /// Nobody decided in time, and others are asked as well: they have until a moment.
    Longer {
        until: Time,
    },
    /// What was decided does not stand any more, and why.
    Void(String),
}

impl GateVerdict {
    /// For the trail.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Approved => "approved".into(),
            Self::Rejected { by, .. } => format!("rejected by {by}"),
            Self::Expired => "expired".into(),
            Self::Longer { until } => format!("open until {until}: more people are asked"),
            Self::Void(because) => format!("void: {because}"),
        }
    }
}

/// What keeps an execution from beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// It is not its turn; another try is due at a moment.
    Until(Time),
    /// A limit forbids it.
    Refused(String),
    /// The runbook has given up on the incident.
    GivenUp(String),
}

/// What a worker brings for a step that would begin.
#[derive(Debug, Clone, PartialEq)]
pub enum Prepared {
    /// The rendered request of a call, or why it could not be rendered.
    Request(Result<RenderedRequest, String>),
    /// A condition's answer.
    Answer(bool),
    /// The execution to start, or why it cannot be.
    Child(Result<Box<Execution>, String>),
    /// The rendered request of a call, and of what takes it back.
    Undoable { request: RenderedRequest, undo: RenderedRequest },
    /// The way that a branch takes.
    Way(Jump),
    /// What people are asked.
    Ask(Box<Ask>),
    /// The risk of the execution demands no approval.
    NotDemanded,
    /// A rule of the step does not hold.
    Unwanted { rule: String },
    /// The step cannot be done, and why.
    Impossible(String),
}

impl Prepared {
    /// The digest of what a gate binds of the step.
    pub(super) fn sends(&self) -> Option<Digest> {
        match self {
            Self::Request(Ok(request)) | Self::Undoable { request, .. } => Some(request.digest()),
            Self::Child(Ok(child)) => Some(child.subject()),
            Self::Request(Err(_))
            | Self::Child(Err(_))
            | Self::Answer(_)
            | Self::Way(_)
            | Self::Ask(_)
            | Self::NotDemanded
            | Self::Unwanted { .. }
            | Self::Impossible(_) => None,
        }
    }
}

/// What an approval step asks of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The digest of all that the decision binds.
    pub subject: Digest,
    /// Of each covered step whose request is known: its digest.
    pub bindings: BTreeMap<StepId, Digest>,
    pub expires_in: Duration,
}

impl Next {
    /// Nothing begins.
    pub fn nothing() -> Self {
        Self {
            clearance: Ok(()),
            prepared: BTreeMap::new(),
            ended: Vec::new(),
            gates: Vec::new(),
            hold: None,
            admission: None,
            pass: None,
            usual: None,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    Moved(Box<Moved>),
    /// The event's effect is already in the state.
    AlreadyDone,
    Refused(Refusal),
}

/// The state after an event, and what must be done once it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    pub to: Execution,
    pub effects: Vec<Effect>,
    /// Executions to create in the same commit.
    pub children: Vec<Execution>,
}

impl Moved {
    /// The number of the notification that those concerned are owed from now on.
    pub fn notifies(&self) -> Option<u32> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Notify { number } => Some(*number),
            Effect::Send { .. }
            | Effect::Nudge { .. }
            | Effect::Wake { .. }
            | Effect::Ask { .. }
            | Effect::Escalate { .. }
            | Effect::Audit { .. } => None,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send this attempt, once.
    Send { step: StepId, attempt: usize },
    /// Nudge a worker at this moment.
    Nudge { at: Time },
    /// Nudge a worker for another execution: one that was started, or the one that waits for this.
    Wake { execution: ExecutionId },
    /// Ask people, by the approval of this step and round, which is created in the same commit.
    Ask { step: StepId, round: u32 },
    /// Tell those concerned, by the execution's notification of this number, which is created in the same commit.
    Notify { number: u32 },
    /// Tell those whom the runbook names for this trouble, by notifications that are created in the same commit.
    Escalate { number: u32, to: Vec<Approver> },
    /// Write an entry in the audit log, in the same commit.
    Audit { action: &'static str, actor: Option<UserId>, reason: Option<String> },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("another worker holds it until {0}")]
    Leased(Time),
    #[error("nothing is due before {0}")]
    NotDue(Time),
    #[error("it waits for a person to resolve an unknown outcome")]
    AwaitsReview,
    #[error("it waits for another execution")]
    AwaitsChild,
    #[error("it waits for the decision of people")]
    AwaitsApproval,
    #[error("it waits for the receiver of a call")]
    AwaitsCallback,
    #[error("it is not its turn at its target")]
    AwaitsTurn,
    #[error("it is paused")]
    Paused,
    #[error("a person has to decide about an undo that failed")]
    AwaitsUndo,
    #[error("the worker's epoch {0} is over")]
    StaleEpoch(u32),
    #[error("a call is in flight")]
    InFlight,
    #[error("there is no such attempt")]
    UnknownAttempt,
    #[error("it is {0}")]
    WrongState(&'static str),
}

/// The transition that `event` causes at `now`.
pub fn decide(execution: &Execution, plan: &Plan, event: Event, now: Time) -> Decision {
    let progress = Progress::new(execution, plan, now);
    match event {
        Event::Claim { lease, next } => claim(progress, lease, next),
        Event::Advance { epoch, next } => advance(progress, epoch, next),
        Event::Attempted { step, attempt, outcome } => attempted(progress, &step, attempt, outcome),
        Event::Yield { epoch } => give_back(progress, epoch),
        Event::Overdue { grace } => overdue(progress, grace),
        Event::Orphaned => orphaned(progress),
        Event::Stop { by, mode, reason } => steer::stop(progress, by, mode, reason),
        Event::Pause { by, reason } => steer::pause(progress, by, reason),
        Event::Resume { by } => steer::resume(progress, by),
        Event::CalledBack { step, error, result } => steer::called_back(progress, &step, error, result),
        Event::Undo { by, decision, reason } => decide_undo(progress, by, decision, reason),
        Event::Resolve { by, resolution, reason } => resolve(progress, by, resolution, reason),
        Event::Abandon { reason } => abandon(progress, &reason),
    }
}

fn claim(mut progress: Progress<'_>, lease: Lease, mut next: Next) -> Decision {
    let now = progress.now();
    let news = !next.ended.is_empty() || !next.gates.is_empty();
    let refusal = match progress.state() {
        State::Succeeded | State::Failed { .. } | State::Cancelled { .. } | State::RolledBack { .. } => {
            return Decision::AlreadyDone;
        }
        State::NeedsReview { .. } => Some(Refusal::AwaitsReview),
        State::UndoFailed { .. } => Some(Refusal::AwaitsUndo),
        State::Paused => Some(Refusal::Paused),
        State::Running { lease: held } if held.until > now => Some(Refusal::Leased(held.until)),
        // Its turn may come before it looks again.
        State::Waiting { on: WaitingOn::Lease, .. } if next.hold.is_none() => None,
        State::Waiting { until, on } if *until > now && !news => Some(match on {
            WaitingOn::Child => Refusal::AwaitsChild,
            WaitingOn::Approval => Refusal::AwaitsApproval,
            WaitingOn::Callback => Refusal::AwaitsCallback,
            WaitingOn::Lease => Refusal::AwaitsTurn,
            WaitingOn::Retry | WaitingOn::Worker | WaitingOn::Delay => Refusal::NotDue(*until),
        }),
        State::Pending | State::Running { .. } | State::Waiting { .. } => None,
    };
    if let Some(refusal) = refusal {
        return Decision::Refused(refusal);
    }
    if !news && progress.stays_in_line(&next) {
        return progress.moved();
    }
    progress.take_over(lease);
    progress.give_up_in_flight("the worker stopped before the answer was stored");
    progress.know_usual(next.usual.take());
    progress.begin_or_conclude(next);
    progress.moved()
}

fn advance(mut progress: Progress<'_>, epoch: u32, next: Next) -> Decision {
    match holds(&progress, epoch) {
        Err(refusal) => Decision::Refused(refusal),
        Ok(()) if progress.any_in_flight() && !progress.has_room() => Decision::AlreadyDone,
        Ok(()) => {
            progress.begin_or_conclude(next);
            progress.moved()
        }
    }
}

fn attempted(mut progress: Progress<'_>, step: &StepId, attempt: usize, outcome: Outcome) -> Decision {
    let Some(made) = progress.attempt(step, attempt) else {
        return Decision::Refused(Refusal::UnknownAttempt);
    };
    match (&made.outcome, &made.late) {
        (None, _) => {
            progress.record(step, attempt, outcome);
            progress.conclude();
            progress.moved()
        }
        (Some(Outcome::Unknown { .. }), None) if !matches!(outcome, Outcome::Unknown { .. }) => {
            progress.record_late(step, attempt, outcome);
            progress.moved()
        }
        (Some(_), _) => Decision::AlreadyDone,
    }
}

fn give_back(mut progress: Progress<'_>, epoch: u32) -> Decision {
    match holds(&progress, epoch) {
        Err(refusal) => Decision::Refused(refusal),
        Ok(()) if progress.any_in_flight() => Decision::Refused(Refusal::InFlight),
        Ok(()) => {
            progress.wait_for_worker();
            progress.moved()
        }
    }
}

/// The worker may act only while it holds the newest epoch; nobody may act on what has ended.
fn holds(progress: &Progress<'_>, epoch: u32) -> Result<(), Refusal> {
    match progress.state() {
        State::Running { .. } if progress.epoch() == epoch => Ok(()),
        State::Running { .. }
        | State::Pending
        | State::Waiting { .. }
        | State::Paused
        | State::NeedsReview { .. }
        | State::UndoFailed { .. }
        | State::Succeeded
        | State::Failed { .. }
        | State::Cancelled { .. }
        | State::RolledBack { .. } => Err(Refusal::StaleEpoch(epoch)),
    }
}

fn overdue(mut progress: Progress<'_>, grace: Duration) -> Decision {
    let now = progress.now();
    match progress.state() {
        State::Succeeded | State::Failed { .. } | State::Cancelled { .. } | State::RolledBack { .. } => {
            Decision::AlreadyDone
        }
        State::Running { lease } if lease.until > now => {
            let until = lease.until;
            progress.due(until);
            progress.moved()
        }
        // The nudge at the child's end may have been lost, so a worker looks now and then.
        State::Waiting { until, .. } if *until > now && progress.execution().awaited().next().is_some() => {
            let look = now.plus(CHILD_CHECK).min(*until);
            progress.due(look);
            progress.effect(Effect::Nudge { at: now });
            progress.moved()
        }
        State::Waiting { until, .. } if *until > now => {
            let until = *until;
            progress.due(until);
            progress.moved()
        }
        State::Paused | State::NeedsReview { .. } | State::UndoFailed { .. } => {
            progress.due(now.plus(REVIEW_REMINDER));
            progress.moved()
        }
        State::Pending | State::Running { .. } | State::Waiting { .. } => {
            progress.due(now.plus(grace));
            progress.effect(Effect::Nudge { at: now });
            progress.moved()
        }
    }
}

/// Ends a lease early, so that the next claim takes over at once.
fn orphaned(mut progress: Progress<'_>) -> Decision {
    let now = progress.now();
    match progress.state() {
        State::Running { lease } if lease.until > now => {
            progress.end_lease();
            progress.effect(Effect::Nudge { at: now });
            progress.moved()
        }
        State::Pending
        | State::Running { .. }
        | State::Waiting { .. }
        | State::Paused
        | State::NeedsReview { .. }
        | State::UndoFailed { .. }
        | State::Succeeded
        | State::Failed { .. }
        | State::Cancelled { .. }
        | State::RolledBack { .. } => Decision::AlreadyDone,
    }
}

/// How often a worker looks whether an awaited execution has ended, should the nudge at its end be lost.
pub const CHILD_CHECK: Duration = Duration::from_secs(30);

/// How often the sweeper reports an execution that waits for a person.
pub const REVIEW_REMINDER: Duration = Duration::from_hours(1);

fn resolve(mut progress: Progress<'_>, by: UserId, resolution: Resolution, reason: String) -> Decision {
    let State::NeedsReview { step, .. } = progress.state() else {
        return Decision::Refused(Refusal::WrongState(progress.execution().status_word()));
    };
    let step = step.clone();
    progress.resolve(&step, resolution);
    progress.trail(TrailEvent::Resolved { by: by.clone(), step, resolution, reason: reason.clone() });
    let action = match resolution {
        Resolution::Happened => "execution.resolved_as_happened",
        Resolution::Resend => "execution.resolved_as_resend",
    };
    progress.effect(Effect::Audit { action, actor: Some(by), reason: Some(reason) });
    progress.conclude_unclaimed();
    progress.moved()
}

fn abandon(mut progress: Progress<'_>, reason: &str) -> Decision {
    let now = progress.now();
    match progress.state() {
        State::Succeeded
        | State::Failed { .. }
        | State::Cancelled { .. }
        | State::RolledBack { .. }
        | State::Paused
        | State::NeedsReview { .. }
        | State::UndoFailed { .. } => Decision::AlreadyDone,
        // The execution has moved on since the job failed; what it is owed now, the due-index knows.
        State::Running { lease: Lease { until, .. } } | State::Waiting { until, .. } if *until > now => {
            Decision::AlreadyDone
        }
        State::Pending | State::Running { .. } | State::Waiting { .. } => {
            progress.give_up_in_flight(reason);
            progress.abandon(reason);
            progress.moved()
        }
    }
}
