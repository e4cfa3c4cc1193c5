//! One claim of one execution: begin what may begin, store each outcome as it comes, until it ends or waits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use muster_domain::execution::decide::Next;
use muster_domain::execution::{
    Decision, Effect, Event, Lease, Moved, Refusal, State, StoredRequest, decide, ready_steps,
};
use muster_domain::ids::StepId;
use muster_domain::outcome::Outcome;
use muster_domain::plan::{Step, StepKind};
use muster_domain::render::{context, render};
use muster_domain::request::RenderedRequest;
use muster_domain::time::Time;

use super::bodies::{lost_body, new_request_bodies, split_response};
use super::lapse::Lapse;
use super::{MAX_REQUEST_TIME, RECORDING_RESERVE, Shift};
use crate::executions::Seen;
use crate::metrics::Counter;
use crate::plans::CompiledVersion;
use crate::ports::Call;
use crate::table::{Body, BodyPart, CommitError, Key, Write};
use crate::{App, Error};

/// How often storing an outcome is tried before the lease is left to lapse.
const RECORD_TRIES: u32 = 6;

/// One claim of one execution, from its first intent to its end or its next wait.
pub(super) struct Run<'a> {
    app: &'a App,
    shift: &'a Shift<'a>,
    compiled: Arc<CompiledVersion>,
    seen: Seen,
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
        compiled: Arc<CompiledVersion>,
        seen: Seen,
    ) -> Result<Option<Self>, Error> {
        let started = (app.clock.now(), Instant::now());
        let in_flight = FuturesUnordered::new();
        let mut run = Self { app, shift, compiled, seen, epoch: 0, started, in_flight };
        if run.seen.value.status().is_terminal() {
            return Ok(None);
        }
        if !run.has_time() {
            return Err(Error::NoTime);
        }
        let lease = Lease { holder: shift.holder.to_owned(), until: shift.deadline };
        let next = run.next().await?;
        let claimed = run.apply(Event::Claim { lease, next: next.clone() }, &next).await?;
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
                self.apply(Event::Yield { epoch: self.epoch }, &nothing_next()).await?;
                return Ok(());
            }
            self.begin_more().await?;
            if self.in_flight.is_empty() {
                return Ok(());
            }
        }
    }

    async fn begin_more(&mut self) -> Result<(), Error> {
        if !self.holds() || !self.has_time() || self.ready().next().is_none() {
            return Ok(());
        }
        let next = self.next().await?;
        self.apply(Event::Advance { epoch: self.epoch, next: next.clone() }, &next).await?;
        Ok(())
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
        let timeouts = self.compiled.plan.steps.iter().map(|step| match &step.kind {
            StepKind::Webhook(call) => call.timeout.min(MAX_REQUEST_TIME),
        });
        timeouts.max().unwrap_or(MAX_REQUEST_TIME)
    }

    fn ready(&self) -> impl Iterator<Item = &Step> {
        ready_steps(&self.seen.value, &self.compiled.plan, self.app.clock.now()).into_iter()
    }

    /// Reads the guard and renders what would begin. An unreadable guard is an error: nothing begins.
    async fn next(&self) -> Result<Next, Error> {
        let view = self.app.guard_view(&self.seen.value).await?;
        let clearance = self.seen.value.clearance(&view);
        let requests = if clearance.is_ok() { self.render_ready().await? } else { BTreeMap::new() };
        Ok(Next { clearance, requests })
    }

    async fn render_ready(&self) -> Result<BTreeMap<StepId, Result<RenderedRequest, String>>, Error> {
        let execution = &self.seen.value;
        let fresh = self.ready().filter(|step| !execution.steps.contains_key(&step.id));
        let fresh: Vec<_> = fresh.collect();
        if fresh.is_empty() {
            return Ok(BTreeMap::new());
        }
        let incident = match &execution.incident {
            Some(id) => Some(self.app.load_incident(id).await?.value),
            None => None,
        };
        let context = context(execution, incident.as_ref());
        Ok(fresh.into_iter().map(|step| (step.id.clone(), render(step, &context))).collect())
    }

    /// Decides, commits and performs. `false`: nothing to do, or another worker was faster.
    async fn apply(&mut self, event: Event, next: &Next) -> Result<bool, Error> {
        let moved = match decide(&self.seen.value, &self.compiled.plan, event, self.app.clock.now()) {
            Decision::Moved(moved) => *moved,
            Decision::AlreadyDone => return Ok(false),
            Decision::Refused(refusal) => return self.refused(refusal).await,
        };
        let bodies = new_request_bodies(&self.seen.value, &moved.to, next);
        match self.commit(moved, bodies).await {
            Ok(effects) => {
                self.perform(effects).await?;
                Ok(true)
            }
            Err(CommitError::Conflict { .. }) => Ok(false),
            Err(CommitError::Table(error)) => Err(error.into()),
        }
    }

    /// A job that came too early is sent again; every other refusal means that it is no longer wanted.
    async fn refused(&self, refusal: Refusal) -> Result<bool, Error> {
        let id = &self.seen.value.id;
        tracing::debug!(execution_id = %id, %refusal, "nothing to do");
        if let Refusal::NotDue(until) = refusal {
            self.app.nudge(id, until.since(self.app.clock.now())).await;
        }
        Ok(false)
    }

    async fn commit(&mut self, moved: Moved, bodies: Vec<Write>) -> Result<Vec<Effect>, CommitError> {
        let effects = moved.effects.clone();
        let (execution, mut writes) = self.app.stored(moved, self.seen.version);
        writes.extend(bodies);
        self.app.table.commit(writes).await?;
        if execution.status() != self.seen.value.status() {
            self.app.metrics.ended(&execution);
        }
        self.seen = Seen { value: execution, version: self.seen.version.saturating_add(1) };
        Ok(effects)
    }

    async fn perform(&mut self, effects: Vec<Effect>) -> Result<(), Error> {
        for effect in effects {
            match effect {
                Effect::Send { step, attempt } => self.send(step, attempt).await?,
                Effect::Nudge { at } => {
                    self.app.nudge(&self.seen.value.id, at.since(self.app.clock.now())).await;
                }
                // Stored in the commit.
                Effect::Audit { .. } => {}
            }
        }
        Ok(())
    }

    async fn send(&mut self, step: StepId, attempt: usize) -> Result<(), Error> {
        let request = self.stored_request(&step).await?;
        let timeout = self.timeout_of(&step);
        let execution = &self.seen.value;
        let idempotency_key = execution.idempotency_key(&step);
        let attempt_id = execution.attempt_id(&step, attempt);
        let (app, egress, lapses) = (self.app, self.shift.egress, self.lapses());
        self.in_flight.push(Box::pin(async move {
            let now = app.clock.now();
            let outcome = if lapses.before(now, timeout) {
                let reason = "the worker's lease ended before the call could be made".into();
                Outcome::Unsent { reason }
            } else {
                let call = Call {
                    request: &request,
                    idempotency_key: &idempotency_key,
                    attempt_id: &attempt_id,
                    timeout,
                    now,
                };
                egress.send(call).await
            };
            app.metrics.count(Counter::Attempts);
            Attempted { step, attempt, outcome }
        }));
        Ok(())
    }

    fn lapses(&self) -> Lapse {
        Lapse { deadline: self.shift.deadline, started: self.started }
    }

    fn timeout_of(&self, step: &StepId) -> Duration {
        let planned = self.compiled.plan.step(step).map(|step| match &step.kind {
            StepKind::Webhook(call) => call.timeout,
        });
        planned.unwrap_or(MAX_REQUEST_TIME).min(MAX_REQUEST_TIME)
    }

    /// The bytes that every attempt of the step sends, as they were fixed before the first.
    async fn stored_request(&self, step: &StepId) -> Result<RenderedRequest, Error> {
        let execution = &self.seen.value;
        match execution.steps.get(step).map(|run| &run.request) {
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
        let (outcome, body) = split_response(&self.seen.value.id, &step, attempt, outcome);
        for round in 0..RECORD_TRIES {
            let event = Event::Attempted { step: step.clone(), attempt, outcome: outcome.clone() };
            let decision = decide(&self.seen.value, &self.compiled.plan, event, self.app.clock.now());
            let Decision::Moved(moved) = decision else {
                return Ok(());
            };
            match self.commit(*moved, body.clone().into_iter().collect()).await {
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

fn nothing_next() -> Next {
    Next { clearance: Ok(()), requests: BTreeMap::new() }
}
