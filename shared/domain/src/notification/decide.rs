//! The state machine of a notification: (state, event) → (state, effects), and nothing else.
//!
//! Each recipient goes its own way from owed over sending to delivered or abandoned. Every event may arrive twice or late.

use std::time::Duration;

use super::{Addressees, Notification, Recipient, RecipientState};
use crate::digest::Digest;
use crate::outcome::{Attempts, Outcome, RetryPolicy, Verdict, judge};
use crate::time::Time;

/// What happens to a notification.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A worker begins every attempt that is due; it will have stored their outcomes before `until`.
    Claim { until: Time },
    /// An attempt at the recipient of this place ended.
    Attempted { place: usize, attempt: u32, outcome: Outcome },
    /// The sweeper found it due: it is owed another nudge.
    Overdue { grace: Duration },
    /// The process that sends is known to be gone, as after a restart of the only one.
    Orphaned,
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
    pub to: Notification,
    pub effects: Vec<Effect>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Make this attempt, once.
    Send { place: usize, attempt: u32 },
    /// Nudge a worker at this moment.
    Nudge { at: Time },
    /// Write in the audit log, in the same commit, that a recipient was given up.
    AuditFailure { place: usize, error: String },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("nothing is due before {0}")]
    NotDue(Time),
    #[error("nobody has looked yet who is concerned")]
    Unaddressed,
    #[error("there is no such attempt")]
    UnknownAttempt,
}

/// The waits between attempts: one attempt more than these is made. A receiver that asks for more with `Retry-After` gets it,
/// up to the longest of them.
pub const WAITS: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60), Duration::from_secs(300)];

/// Attempts in all, the first included.
const MAX_ATTEMPTS: u32 = 5;
/// The longest wait that `Retry-After` may ask for, in milliseconds.
const RETRY_AFTER_CAP_MS: u64 = 300_000;
/// How long after a wait ends the sweeper steps in, should the nudge be lost.
const RETRY_GRACE: Duration = Duration::from_secs(1);

/// The transition that `event` causes at `now`.
pub fn decide(notification: &Notification, event: Event, now: Time) -> Decision {
    let moving = Moving { to: notification.clone(), effects: Vec::new(), now };
    match &notification.addressees {
        Addressees::Nobody { .. } => return Decision::AlreadyDone,
        Addressees::Unknown => return unaddressed(moving, &event),
        Addressees::Known { recipients, .. } if recipients.iter().all(Recipient::settled) => {
            return Decision::AlreadyDone;
        }
        Addressees::Known { .. } => {}
    }
    match event {
        Event::Claim { until } => moving.claim(until),
        Event::Attempted { place, attempt, outcome } => moving.attempted(place, attempt, &outcome),
        Event::Overdue { grace } => moving.overdue(grace),
        Event::Orphaned => moving.orphaned(),
    }
}

fn unaddressed(mut moving: Moving, event: &Event) -> Decision {
    match event {
        Event::Overdue { grace } => {
            moving.to.due_at = Some(moving.now.plus(*grace));
            moving.effects.push(Effect::Nudge { at: moving.now });
            moving.moved()
        }
        Event::Claim { .. } | Event::Attempted { .. } => Decision::Refused(Refusal::Unaddressed),
        Event::Orphaned => Decision::AlreadyDone,
    }
}

/// A notification on its way from one stored state to the next.
struct Moving {
    to: Notification,
    effects: Vec<Effect>,
    now: Time,
}

impl Moving {
    fn moved(self) -> Decision {
        Decision::Moved(Box::new(Moved { to: self.to, effects: self.effects }))
    }

    /// The due time stays where it is while attempts are in flight: should it come before they end, the sweeper moves it.
    fn claim(mut self, until: Time) -> Decision {
        self.give_up_lapsed();
        let now = self.now;
        let mut sends = Vec::new();
        for (place, recipient) in self.recipients_mut().iter_mut().enumerate() {
            if matches!(recipient.state, RecipientState::Owed { due } if due <= now) {
                recipient.attempts = recipient.attempts.saturating_add(1);
                recipient.state = RecipientState::Sending { until };
                sends.push(Effect::Send { place, attempt: recipient.attempts });
            }
        }
        let abandoned = !self.effects.is_empty();
        match self.next_moment() {
            Some(next) if sends.is_empty() && !abandoned => Decision::Refused(Refusal::NotDue(next)),
            _ => {
                self.effects.extend(sends);
                self.settle();
                self.moved()
            }
        }
    }

    /// Attempts whose outcome nobody will store: whether they arrived is unknown, and they are made again.
    fn give_up_lapsed(&mut self) {
        let now = self.now;
        for place in 0..self.to.recipients().len() {
            let Some(recipient) = self.recipients_mut().get_mut(place) else { continue };
            if !matches!(recipient.state, RecipientState::Sending { until } if until <= now) {
                continue;
            }
            recipient.last_error = Some(LAPSED.to_owned());
            recipient.state = RecipientState::Owed { due: now };
            if recipient.attempts >= MAX_ATTEMPTS {
                self.abandon(place, format!("{LAPSED} after {MAX_ATTEMPTS} attempts"));
            }
        }
    }

    fn attempted(mut self, place: usize, attempt: u32, outcome: &Outcome) -> Decision {
        let (now, seed) = (self.now, Digest::of_bytes(self.to.attempt_id(place, attempt).as_bytes()));
        let Some(recipient) = self.recipients_mut().get_mut(place) else {
            return Decision::Refused(Refusal::UnknownAttempt);
        };
        if attempt == 0 || attempt > recipient.attempts {
            return Decision::Refused(Refusal::UnknownAttempt);
        }
        let sending = matches!(recipient.state, RecipientState::Sending { .. });
        let verdict = judge(outcome, facts(recipient, attempt), &seed);
        match verdict {
            // Also of an attempt that had been given up: what has arrived is not sent again.
            Verdict::Succeeded if !recipient.settled() => {
                recipient.state = RecipientState::Delivered { at: now };
            }
            Verdict::Succeeded => return Decision::AlreadyDone,
            Verdict::Retry(_) | Verdict::Failed(_) | Verdict::Review(_)
                if !sending || attempt != recipient.attempts =>
            {
                return Decision::AlreadyDone;
            }
            Verdict::Retry(asked) => {
                recipient.last_error = Some(said_of(outcome));
                recipient.state = RecipientState::Owed { due: now.plus(asked.max(wait_after(attempt))) };
            }
            Verdict::Failed(error) | Verdict::Review(error) => self.abandon(place, error),
        }
        self.settle();
        self.nudge_for_the_next();
        self.moved()
    }

    fn abandon(&mut self, place: usize, error: String) {
        let at = self.now;
        if let Some(recipient) = self.recipients_mut().get_mut(place) {
            recipient.last_error = Some(error.clone());
            recipient.state = RecipientState::Abandoned { at };
        }
        self.effects.push(Effect::AuditFailure { place, error });
    }

    fn overdue(mut self, grace: Duration) -> Decision {
        match self.next_moment() {
            Some(next) if next > self.now => self.to.due_at = Some(next),
            Some(_) => {
                self.to.due_at = Some(self.now.plus(grace));
                self.effects.push(Effect::Nudge { at: self.now });
            }
            None => self.to.due_at = None,
        }
        self.moved()
    }

    fn orphaned(mut self) -> Decision {
        let now = self.now;
        let mut ended = false;
        for recipient in self.recipients_mut() {
            if matches!(recipient.state, RecipientState::Sending { until } if until > now) {
                recipient.state = RecipientState::Sending { until: now };
                ended = true;
            }
        }
        if !ended {
            return Decision::AlreadyDone;
        }
        self.to.due_at = Some(now);
        self.effects.push(Effect::Nudge { at: now });
        self.moved()
    }

    fn recipients_mut(&mut self) -> &mut [Recipient] {
        match &mut self.to.addressees {
            Addressees::Known { recipients, .. } => recipients,
            Addressees::Unknown | Addressees::Nobody { .. } => &mut [],
        }
    }

    /// When something can go on: the end of a wait, or of an attempt that is in flight.
    fn next_moment(&self) -> Option<Time> {
        self.to.recipients().iter().filter_map(Recipient::next_moment).min()
    }

    /// Nothing is due once every recipient is settled; a wait moves the due time behind its end.
    fn settle(&mut self) {
        let in_flight = |recipient: &Recipient| matches!(recipient.state, RecipientState::Sending { .. });
        match self.next_moment() {
            None => self.to.due_at = None,
            Some(_) if self.to.recipients().iter().any(in_flight) => {}
            Some(next) => self.to.due_at = Some(next.plus(RETRY_GRACE)),
        }
    }

    fn nudge_for_the_next(&mut self) {
        let owed = self.to.recipients().iter().filter_map(|recipient| match recipient.state {
            RecipientState::Owed { due } => Some(due),
            RecipientState::Sending { .. }
            | RecipientState::Delivered { .. }
            | RecipientState::Abandoned { .. } => None,
        });
        if let Some(at) = owed.min() {
            self.effects.push(Effect::Nudge { at });
        }
    }
}

const LAPSED: &str = "the worker stopped before the answer was stored";

impl Recipient {
    /// Whether nothing more will be sent.
    pub const fn settled(&self) -> bool {
        match self.state {
            RecipientState::Owed { .. } | RecipientState::Sending { .. } => false,
            RecipientState::Delivered { .. } | RecipientState::Abandoned { .. } => true,
        }
    }

    const fn next_moment(&self) -> Option<Time> {
        match self.state {
            RecipientState::Owed { due } => Some(due),
            RecipientState::Sending { until } => Some(until),
            RecipientState::Delivered { .. } | RecipientState::Abandoned { .. } => None,
        }
    }
}

/// What the retry table asks. A message that comes twice does less harm than one that never comes.
fn facts(recipient: &Recipient, made: u32) -> Attempts {
    let policy = RetryPolicy {
        max_attempts: MAX_ATTEMPTS,
        retry_after_cap_ms: RETRY_AFTER_CAP_MS,
        ..RetryPolicy::default()
    };
    Attempts { made, idempotent: true, policy, answer: recipient.way.answer() }
}

fn wait_after(attempt: u32) -> Duration {
    let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    WAITS.get(index).copied().unwrap_or_default()
}

/// An outcome that is not the last word, for people.
fn said_of(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Unsent { reason } | Outcome::Refused { reason } | Outcome::Unknown { reason } => {
            reason.clone()
        }
        Outcome::Answered { status, .. } => format!("the receiver answered {status}"),
    }
}
