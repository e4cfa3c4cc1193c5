//! One claim of one execution: begin what may begin, store each outcome as it comes, until it ends or waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use muster_domain::execution::decide::Next;
use muster_domain::execution::{
    Decision, Effect, Event, Lease, Moved, Refusal, State, StoredRequest, decide, ready_steps,
};
use muster_domain::ids::{StepId, TeamId};
use muster_domain::outcome::Outcome;
use muster_domain::plan::{Step, StepKind};
use muster_domain::request::RenderedRequest;
use muster_domain::time::Time;

use super::bodies::{lost_body, new_request_bodies, split_response};
use super::lapse::Lapse;
use super::prepare::Brought;
use super::{MAX_REQUEST_TIME, RECORDING_RESERVE, Shift};
use crate::executions::Seen;
use crate::gates::follow::Gates;
use crate::metrics::Counter;
use crate::notifications::tellings_in;
use crate::plans::Compiled;
use crate::ports::Call;
use crate::table::{Body, BodyPart, CommitError, Key, Write};
use crate::{App, Error};

/// How often storing an outcome is tried before the lease is left to lapse.
const RECORD_TRIES: u32 = 6;
/// How soon a worker is asked again to act on a decision of people that came while another one held the execution.
const GATE_CHECK: Duration = Duration::from_secs(2);

/// How soon a claim is made again that met with another change of the same target.
const CLAIM_AGAIN: Duration = Duration::from_secs(1);

/// One claim of one execution, from its first intent to its end or its next wait.
pub(super) struct Run<'a> {
    pub(super) app: &'a App,
    shift: &'a Shift<'a>,
    pub(super) compiled: Arc<Compiled>,
    pub(super) seen: Seen,
    /// What the execution works on, by its limits.
    pub(super) target: Option<String>,
    epoch: u32,
    /// The same deadline on a clock that does not jump: whichever says "too late" first is believed.
    started: (Time, Instant),
    in_flight: FuturesUnordered<BoxFuture<'a, Attempted>>,
}

/// An attempt that has come to its end.
struct Attempted {
    step: StepId,
    attempt: usize,
    outcome: Outcome,
}

impl<'a> Run<'a> {
    /// Claims the execution; `None` if there is nothing to do or another worker has it.
    pub(super) async fn claim(
        app: &'a App,
        shift: &'a Shift<'a>,
        compiled: Arc<Compiled>,
        seen: Seen,
    ) -> Result<Option<Self>, Error> {
        let started = (app.clock.now(), Instant::now());
        let in_flight = FuturesUnordered::new();
        let mut run = Self { app, shift, compiled, seen, target: None, epoch: 0, started, in_flight };
        if run.seen.value.status().is_terminal() {
            return Ok(None);
        }
        if !run.has_time() {
            return Err(Error::NoTime);
        }
        let lease = Lease { holder: shift.holder.to_owned(), until: shift.deadline };
        let brought = run.next().await?;
        let claimed = run.apply(Event::Claim { lease, next: brought.next.clone() }, &brought).await?;
        run.epoch = run.seen.value.epoch;
        Ok(claimed.then_some(run))
    }

    /// Stores each outcome as it comes, and begins what it makes ready.
    pub(super) async fn go_on(&mut self) -> Result<(), Error> {
        loop {
            while let Some(attempted) = self.in_flight.next().await {
                self.record(attempted).await?;
                self.begin_more().await?;
            }
            if !self.holds() {
                return Ok(());
            }
            if !self.has_time() {
                self.apply(Event::Yield { epoch: self.epoch }, &Brought::nothing()).await?;
                return Ok(());
            }
            if !self.begin_more().await? && self.in_flight.is_empty() {
                return Ok(());
            }
        }
    }

    /// Begins what may begin; `false` if nothing could.
    async fn begin_more(&mut self) -> Result<bool, Error> {
        // A pause that was asked for meanwhile has to be stored as in effect.
        let idle = self.ready().next().is_none() && self.seen.value.pause.is_none();
        if !self.holds() || !self.has_time() || idle {
            return Ok(false);
        }
        let brought = self.next().await?;
        self.apply(Event::Advance { epoch: self.epoch, next: brought.next.clone() }, &brought).await
    }

    fn holds(&self) -> bool {
        matches!(self.seen.value.state, State::Running { .. }) && self.seen.value.epoch == self.epoch
    }

    /// Whether a whole request, and storing its outcome, still fits.
    fn has_time(&self) -> bool {
        let left = self.shift.deadline.since(self.app.clock.now());
        left >= self.longest_timeout() + RECORDING_RESERVE
    }

    fn longest_timeout(&self) -> Duration {
        let plan = &self.compiled.plan;
        let timeouts = plan.steps.iter().chain(&plan.undos).filter_map(|step| match &step.kind {
            StepKind::Webhook(call) => Some(call.timeout.min(MAX_REQUEST_TIME)),
            StepKind::Condition { .. }
            | StepKind::Delay(_)
            | StepKind::Runbook(_)
            | StepKind::Check(_)
            | StepKind::Branch(_)
            | StepKind::Approval(_) => None,
        });
        timeouts.max().unwrap_or(Duration::ZERO)
    }

    pub(super) fn ready(&self) -> impl Iterator<Item = &Step> {
        ready_steps(&self.seen.value, &self.compiled.plan, self.app.clock.now()).into_iter()
    }

    /// Decides, commits and performs. `false`: nothing to do, or another worker was faster.
    async fn apply(&mut self, event: Event, brought: &Brought) -> Result<bool, Error> {
        let claims = matches!(event, Event::Claim { .. });
        let moved = match decide(&self.seen.value, &self.compiled.plan, event, self.app.clock.now()) {
            Decision::Moved(moved) => *moved,
            Decision::AlreadyDone => return Ok(false),
            Decision::Refused(refusal) => return self.refused(refusal, &brought.next).await,
        };
        let mut more = new_request_bodies(&self.seen.value, &moved.to, &brought.next);
        more.extend(self.app.following(&self.seen.value, &moved.to, &brought.gates).await?);
        match self.commit(moved, more).await {
            Ok(effects) => {
                self.perform(effects).await?;
                Ok(true)
            }
            Err(CommitError::Conflict { .. }) => self.yield_to_faster(claims).await,
            Err(CommitError::Table(error)) => Err(error.into()),
        }
    }

    /// Somebody else changed the execution first. A claim is left to them; a worker that holds the execution looks again, for what
    /// a person asked for must take effect before the lease ends (INVARIANTS G3).
    async fn yield_to_faster(&mut self, claims: bool) -> Result<bool, Error> {
        let version = self.seen.version;
        self.reload().await?;
        // It was something else that changed, as the target that it works on: then nobody has taken the claim.
        if claims && self.seen.version == version {
            self.nudge(self.app.clock.now().plus(CLAIM_AGAIN)).await;
        }
        Ok(!claims && self.holds())
    }

    /// A job that came too early is sent again; every other refusal means that it is no longer wanted.
    async fn refused(&self, refusal: Refusal, next: &Next) -> Result<bool, Error> {
        let id = &self.seen.value.id;
        tracing::debug!(execution_id = %id, %refusal, "nothing to do");
        match refusal {
            Refusal::NotDue(until) => self.nudge(until).await,
            // Whoever holds it may not look at its gates again.
            Refusal::Leased(until) if !next.gates.is_empty() => {
                self.nudge(until.min(self.app.clock.now().plus(GATE_CHECK))).await;
            }
            Refusal::Leased(_)
            | Refusal::AwaitsReview
            | Refusal::AwaitsChild
            | Refusal::AwaitsApproval
            | Refusal::AwaitsCallback
            | Refusal::AwaitsTurn
            | Refusal::Paused
            | Refusal::AwaitsUndo
            | Refusal::StaleEpoch(_)
            | Refusal::InFlight
            | Refusal::UnknownAttempt
            | Refusal::WrongState(_) => {}
        }
        Ok(false)
    }

    async fn commit(&mut self, moved: Moved, more: Vec<Write>) -> Result<Vec<Effect>, CommitError> {
        let effects = moved.effects.clone();
        let (execution, mut writes) = self.app.stored(moved, self.seen.version);
        writes.extend(more);
        let told = tellings_in(&writes);
        self.app.table.commit(writes).await?;
        self.app.tell_soon(told).await;
        if execution.status() != self.seen.value.status() {
            self.app.tell_of(&execution);
            self.app.wake_waiting(&execution).await;
        }
        self.seen = Seen { value: execution, version: self.seen.version.saturating_add(1) };
        Ok(effects)
    }

    async fn perform(&mut self, effects: Vec<Effect>) -> Result<(), Error> {
        for effect in effects {
            match effect {
                Effect::Send { step, attempt } => self.send(step, attempt).await?,
                Effect::Nudge { at } => self.nudge(at).await,
                // It works for the same team as this one.
                Effect::Wake { execution } => self.app.nudge(&execution, self.team(), Duration::ZERO).await,
                Effect::Notify { number } => {
                    let id = &self.seen.value.id;
                    self.app.notify_soon(id, number, self.team(), Duration::ZERO).await;
                }
                // Stored in the commit.
                Effect::Ask { .. } | Effect::Escalate { .. } | Effect::Audit { .. } => {}
            }
        }
        Ok(())
    }

    /// Brings the execution back to a worker at that moment.
    async fn nudge(&self, at: Time) {
        let after = at.since(self.app.clock.now());
        self.app.nudge(&self.seen.value.id, self.team(), after).await;
    }

    fn team(&self) -> Option<&TeamId> {
        self.seen.value.team.as_ref()
    }

    async fn send(&mut self, step: StepId, attempt: usize) -> Result<(), Error> {
        let request = self.stored_request(&step).await?;
        let timeout = self.timeout_of(&step);
        let execution = &self.seen.value;
        let idempotency_key = execution.idempotency_key(&step);
        let attempt_id = execution.attempt_id(&step, attempt);
        let (id, compiled) = (execution.id.clone(), Arc::clone(&self.compiled));
        let (app, egress, lapses) = (self.app, self.shift.egress, self.lapses());
        self.in_flight.push(Box::pin(async move {
            let pass = app.callback_pass(&id, compiled.plan.step(&step)).await;
            let now = app.clock.now();
            let outcome = match &pass {
                Err(outcome) => outcome.clone(),
                Ok(_) if lapses.before(now, timeout) => {
                    let reason = "the worker's lease ended before the call could be made".into();
                    Outcome::Unsent { reason }
                }
                Ok(pass) => {
                    let call = Call {
                        request: &request,
                        idempotency_key: &idempotency_key,
                        attempt_id: &attempt_id,
                        timeout,
                        now,
                        callback: pass.as_ref(),
                    };
                    egress.send(call).await
                }
            };
            app.metrics.count(Counter::Attempts);
            Attempted { step, attempt, outcome }
        }));
        Ok(())
    }

    fn lapses(&self) -> Lapse {
        Lapse { deadline: self.shift.deadline, started: self.started }
    }

    /// What the step asks for; of an execution whose time is bounded, at most four fifths of what is left (C7).
    fn timeout_of(&self, step: &StepId) -> Duration {
        let plan = &self.compiled.plan;
        let planned = match plan.step(step).map(|step| &step.kind) {
            Some(StepKind::Webhook(call)) => call.timeout.min(MAX_REQUEST_TIME),
            Some(
                StepKind::Condition { .. }
                | StepKind::Delay(_)
                | StepKind::Runbook(_)
                | StepKind::Check(_)
                | StepKind::Branch(_)
                | StepKind::Approval(_),
            )
            | None => MAX_REQUEST_TIME,
        };
        let left = self.seen.value.deadline(plan).map(|deadline| deadline.since(self.app.clock.now()));
        left.map_or(planned, |left| planned.min(left * 4 / 5))
    }

    /// The bytes that every attempt of the step sends, as they were fixed before the first.
    async fn stored_request(&self, step: &StepId) -> Result<RenderedRequest, Error> {
        let execution = &self.seen.value;
        match execution.steps.get(step).and_then(|run| run.request.as_ref()) {
            Some(StoredRequest::Inline(request)) => Ok(request.clone()),
            Some(StoredRequest::Beside { .. }) | None => {
                let key = Key::Body(execution.id.clone(), step.clone(), BodyPart::Request);
                let stored = self.app.table.get(&key).await?.ok_or_else(|| lost_body(step, None))?;
                let body: Body = stored.typed()?.value;
                Ok(serde_json::from_str(&body.text).map_err(|error| lost_body(step, Some(error)))?)
            }
        }
    }

    /// Stores an outcome, whatever has become of the execution meanwhile (ARCHITECTURE §4, "Record").
    async fn record(&mut self, attempted: Attempted) -> Result<(), Error> {
        let Attempted { step, attempt, outcome } = attempted;
        for round in 0..RECORD_TRIES {
            let event = Event::Attempted { step: step.clone(), attempt, outcome: outcome.clone() };
            let decision = decide(&self.seen.value, &self.compiled.plan, event, self.app.clock.now());
            let Decision::Moved(mut moved) = decision else {
                return Ok(());
            };
            let body = split_response(&mut moved.to, &step, attempt);
            let mut more = self.app.following(&self.seen.value, &moved.to, &Gates::default()).await?;
            more.extend(body);
            match self.commit(*moved, more).await {
                Ok(effects) => return self.perform(effects).await,
                Err(CommitError::Conflict { .. }) => self.reload().await?,
                Err(CommitError::Table(error)) if error.kind.retryable() && self.may_wait(round) => {
                    tracing::warn!(execution_id = %self.seen.value.id, error = crate::error::chain(&error), "storing an outcome again");
                    tokio::time::sleep(Duration::from_millis(50 << round)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Contention)
    }

    fn may_wait(&self, round: u32) -> bool {
        round + 1 < RECORD_TRIES && self.app.clock.now() < self.shift.deadline
    }

    async fn reload(&mut self) -> Result<(), Error> {
        self.seen = self.app.load_execution(&self.seen.value.id).await?;
        Ok(())
    }
}
