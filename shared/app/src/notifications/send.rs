//! Sending what is due of a notification. Each attempt is stored before it is made and after, so that two workers do not make
//! the same one; a crash between the sending and the storing makes it again, under the same `Idempotency-Key`.

use std::time::Instant;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use muster_domain::approval::Button;
use muster_domain::audit::Fact;
use muster_domain::notification::{
    Addressees, Decision, Effect, Event, Moved, Notification, Occasion, Recipient, RecipientState, Refusal,
    Way, decide, prepare,
};
use muster_domain::outcome::Outcome;
use muster_domain::request::RenderedRequest;
use muster_domain::time::Time;
use serde_json::json;

use super::job_of;
use crate::error::chain;
use crate::executions::audit_execution;
use crate::metrics::Counter;
use crate::ports::Call;
use crate::table::{CommitError, Key, Record, Versioned, Write};
use crate::worker::lapse::Lapse;
use crate::worker::{MAX_REQUEST_TIME, RECORDING_RESERVE, Shift};
use crate::{App, Error};

/// How often storing an outcome is tried when others change the notification or its execution meanwhile.
const RECORD_TRIES: u32 = 6;

impl App {
    /// Makes every attempt that is due. `Ok` means that nothing more is to be done for this message: what is still owed, the
    /// due-index knows.
    pub(crate) async fn notify(&self, key: &Key, shift: &Shift<'_>) -> Result<(), Error> {
        let Some(seen) = self.owed_still(key).await? else {
            return Ok(());
        };
        let started = (self.clock.now(), Instant::now());
        let longest = MAX_REQUEST_TIME + RECORDING_RESERVE;
        if shift.deadline.since(started.0) < longest {
            return Err(Error::NoTime);
        }
        let lapse = Lapse { deadline: started.0.plus(longest), started };
        let mut sending = Sending { app: self, shift, lapse, seen };
        let attempts = sending.claim().await?;
        sending.make(attempts).await
    }

    /// The notification, unless nothing is owed any more.
    async fn owed_still(&self, key: &Key) -> Result<Option<Versioned<Notification>>, Error> {
        let Some(stored) = self.table.get(key).await? else {
            tracing::warn!(?key, "a job names a notification that does not exist");
            return Ok(None);
        };
        let seen: Versioned<Notification> = stored.typed()?;
        Ok(seen.value.due_at.is_some().then_some(seen))
    }

    /// What is sent to the recipient of this place; else the outcome of an attempt that cannot be made.
    async fn message(&self, notification: &Notification, place: usize) -> Result<RenderedRequest, Outcome> {
        let refused = |reason| Outcome::Refused { reason };
        let recipient = notification.recipients().get(place);
        let recipient = recipient.ok_or_else(|| refused("there is no such recipient".to_owned()))?;
        let button = self.button(notification, &recipient.way).await?;
        prepare(notification, recipient, button.as_deref()).map_err(refused)
    }

    /// The value of the buttons of a message that asks, where answers by them count. It is made for the message and stored nowhere.
    async fn button(&self, notification: &Notification, way: &Way) -> Result<Option<String>, Outcome> {
        let (Way::Slack { buttons: true, .. }, Occasion::Asking(asking)) = (way, &notification.occasion)
        else {
            return Ok(None);
        };
        let (Some(callbacks), Some(team)) = (&self.callbacks, &notification.team) else { return Ok(None) };
        let key = callbacks.keys.current().await;
        let key = key.map_err(|error| Outcome::Unsent { reason: chain(&error) })?;
        let button = Button {
            team: team.clone(),
            execution: notification.execution.clone(),
            step: asking.step.clone(),
            round: asking.round,
            digest: asking.digest,
        };
        Ok(button.value(key.expose()))
    }
}

/// One worker's turn at one notification.
struct Sending<'a> {
    app: &'a App,
    shift: &'a Shift<'a>,
    /// Until when its attempts are its own.
    lapse: Lapse,
    /// As it is stored.
    seen: Versioned<Notification>,
}

/// One attempt at one recipient.
#[derive(Debug, Clone, Copy)]
struct Attempt {
    place: usize,
    number: u32,
}

impl<'a> Sending<'a> {
    /// Stores that the due attempts begin, and with the first of them whom they are for.
    async fn claim(&mut self) -> Result<Vec<Attempt>, Error> {
        let value = self.addressed().await?;
        let event = Event::Claim { until: self.lapse.deadline };
        let moved = match decide(&value, event, self.app.clock.now()) {
            Decision::Moved(moved) => *moved,
            // There is nobody to tell, and that is stored.
            Decision::AlreadyDone => Moved { to: value, effects: Vec::new() },
            Decision::Refused(Refusal::NotDue(until)) => {
                self.nudge(until).await;
                return Ok(Vec::new());
            }
            Decision::Refused(Refusal::Unaddressed | Refusal::UnknownAttempt) => return Ok(Vec::new()),
        };
        match self.store(moved).await {
            Ok(effects) => Ok(effects.into_iter().filter_map(attempt_of).collect()),
            // Another worker has it.
            Err(Error::Contention) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    async fn addressed(&self) -> Result<Notification, Error> {
        let notification = &self.seen.value;
        match &notification.addressees {
            Addressees::Unknown => {
                let found = self.app.those_concerned(notification).await?;
                Ok(notification.clone().addressed(found))
            }
            Addressees::Nobody { .. } | Addressees::Known { .. } => Ok(notification.clone()),
        }
    }

    /// Makes the attempts side by side and stores each outcome as it comes. One that cannot be stored must not lose the others.
    async fn make(&mut self, attempts: Vec<Attempt>) -> Result<(), Error> {
        let begun = attempts.into_iter().map(|attempt| self.attempted(attempt));
        let mut in_flight: FuturesUnordered<BoxFuture<'a, (Attempt, Outcome)>> = begun.collect();
        let mut failure = None;
        while let Some((attempt, outcome)) = in_flight.next().await {
            failure = self.record(attempt, &outcome).await.err().or(failure);
        }
        failure.map_or(Ok(()), Err)
    }

    fn attempted(&self, attempt: Attempt) -> BoxFuture<'a, (Attempt, Outcome)> {
        let notification = self.seen.value.clone();
        let (app, egress, lapse) = (self.app, self.shift.egress, self.lapse);
        Box::pin(async move {
            let request = app.message(&notification, attempt.place).await;
            let now = app.clock.now();
            let outcome = match request {
                Err(outcome) => outcome,
                Ok(_) if lapse.before(now, MAX_REQUEST_TIME) => {
                    Outcome::Unsent { reason: "too little time was left to make the call".to_owned() }
                }
                Ok(request) => {
                    let call = Call {
                        callback: None,
                        request: &request,
                        idempotency_key: &notification.idempotency_key(attempt.place),
                        attempt_id: &notification.attempt_id(attempt.place, attempt.number),
                        timeout: MAX_REQUEST_TIME,
                        now,
                    };
                    egress.send(call).await
                }
            };
            (attempt, outcome)
        })
    }

    /// Stores an outcome, whatever has become of the notification meanwhile.
    async fn record(&mut self, attempt: Attempt, outcome: &Outcome) -> Result<(), Error> {
        for _ in 0..RECORD_TRIES {
            let Attempt { place, number } = attempt;
            let event = Event::Attempted { place, attempt: number, outcome: outcome.clone() };
            let Decision::Moved(moved) = decide(&self.seen.value, event, self.app.clock.now()) else {
                return Ok(());
            };
            match self.store(*moved).await {
                Ok(effects) => {
                    self.recorded(place, effects).await;
                    return Ok(());
                }
                Err(Error::Contention) => {
                    let key = Record::from(self.seen.value.clone()).key();
                    let Some(current) = self.app.owed_still(&key).await? else { return Ok(()) };
                    self.seen = current;
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contention)
    }

    async fn recorded(&self, place: usize, effects: Vec<Effect>) {
        let recipient = self.seen.value.recipients().get(place);
        if recipient.is_some_and(|one| matches!(one.state, RecipientState::Delivered { .. })) {
            self.app.metrics.count(Counter::NotificationsSent);
        }
        for effect in effects {
            match effect {
                Effect::Nudge { at } => self.nudge(at).await,
                Effect::Send { .. } | Effect::AuditFailure { .. } => {}
            }
        }
    }

    async fn nudge(&self, at: Time) {
        let (job, team) = (job_of(&self.seen.value), self.seen.value.team.as_ref());
        self.app.send_soon(job, team, at.since(self.app.clock.now())).await;
    }

    /// One commit: the notification, and in the audit log each recipient that was given up.
    async fn store(&mut self, moved: Moved) -> Result<Vec<Effect>, Error> {
        let Moved { to, effects } = moved;
        let mut writes = vec![Write::replace(to.clone(), self.seen.version)];
        let failures: Vec<(usize, &String)> = effects.iter().filter_map(failure_of).collect();
        if !failures.is_empty() {
            writes.extend(self.app.audited_failures(&to, &failures).await?);
        }
        self.app.table.commit(writes).await.map_err(|error| match error {
            CommitError::Conflict { .. } => Error::Contention,
            CommitError::Table(error) => Error::Table(error),
        })?;
        for (place, error) in failures {
            self.app.metrics.count(Counter::NotificationsFailed);
            let (execution_id, number) = (&to.execution, to.number);
            tracing::error!(%execution_id, number, place, error, "gave up telling somebody of a failure");
        }
        self.seen = Versioned { value: to, version: self.seen.version.saturating_add(1) };
        Ok(effects)
    }
}

impl App {
    /// The entries stand in the execution's own chain, so that they are found where the failure is.
    async fn audited_failures(
        &self,
        notification: &Notification,
        failures: &[(usize, &String)],
    ) -> Result<Vec<Write>, Error> {
        let Versioned { value: mut execution, version } =
            self.load_execution(&notification.execution).await?;
        let now = self.clock.now();
        let mut writes = Vec::new();
        for (place, error) in failures {
            let recipient = notification.recipients().get(*place);
            let detail = json!({
                "number": notification.number,
                "recipient": recipient.map(Recipient::kind),
                "user": recipient.and_then(|recipient| recipient.user.as_ref()),
                "attempts": recipient.map(|recipient| recipient.attempts),
                "error": error,
            });
            let fact = Fact { action: "notification.failed", actor: None, detail };
            writes.push(audit_execution(&mut execution, fact, now));
        }
        writes.push(Write::replace(execution, version));
        Ok(writes)
    }
}

fn attempt_of(effect: Effect) -> Option<Attempt> {
    match effect {
        Effect::Send { place, attempt } => Some(Attempt { place, number: attempt }),
        Effect::Nudge { .. } | Effect::AuditFailure { .. } => None,
    }
}

fn failure_of(effect: &Effect) -> Option<(usize, &String)> {
    match effect {
        Effect::AuditFailure { place, error } => Some((*place, error)),
        Effect::Send { .. } | Effect::Nudge { .. } => None,
    }
}
