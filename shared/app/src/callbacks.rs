//! Calls whose receivers say later that they are done (D2): what such a call takes along, and what the receiver then says.
//!
//! Whoever calls back has no account. What counts is the token that the call brought: it is checked before anything is read, and
//! what it proves is a value, [`Proven`], without which nobody can call back.

mod public_url;

use std::sync::Arc;

use muster_domain::callback;
use muster_domain::execution::{Decision, Event, Execution, Moved, State, decide};
use muster_domain::fault::Fault;
use muster_domain::ids::{ExecutionId, StepId};
use muster_domain::outcome::Outcome;
use muster_domain::plan::Step;
use secrecy::SecretString;
use serde_json::Value;

pub use self::public_url::{InvalidPublicUrl, PublicUrl};
use crate::error::chain;
use crate::executions::Seen;
use crate::ports::CallbackPass;
use crate::runbooks::refuse_faults;
use crate::signing_keys::{SigningKey, SigningKeys};
use crate::table::CommitError;
use crate::{App, Error};

/// The most bytes that a receiver's error may have, and its result as JSON.
pub const MOST_SAID_BYTES: usize = 1_024;
/// How often it is stored anew when others change the execution meanwhile.
const MAX_TRIES: usize = 8;

/// What callbacks need of an installation.
#[derive(Clone)]
pub struct Callbacks {
    pub keys: Arc<dyn SigningKeys>,
    /// Where receivers reach the API; unknown to a process that sends no calls.
    pub public_url: Option<PublicUrl>,
}

/// A step of an execution whose token was presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    execution: ExecutionId,
    step: StepId,
}

/// What a receiver says.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Why it failed; absent if it succeeded.
    pub error: Option<String>,
    /// For later steps; null for nothing.
    pub result: Value,
}

/// What became of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    Now,
    /// The very same was said before: its sender may have got no answer.
    Before,
}

impl App {
    /// The step that the token is of. Reads no table: a wrong token is told nothing of what is there.
    pub async fn prove_callback(
        &self,
        execution: &ExecutionId,
        step: &StepId,
        token: Option<&str>,
    ) -> Result<Proven, Error> {
        let (Some(token), Some(callbacks)) = (token, &self.callbacks) else { return Err(Error::Unproven) };
        let keys = callbacks.keys.accepted().await?;
        let proves = |key: &SigningKey| callback::is_token(key.expose(), execution, step, token);
        // Each key is tried, so that the time does not tell which one it was.
        let proven = keys.iter().filter(|key| proves(key)).count() > 0;
        let proven = proven.then(|| Proven { execution: execution.clone(), step: step.clone() });
        proven.ok_or_else(|| {
            tracing::warn!(execution_id = %execution, step = %step, "refused a callback that does not prove itself");
            Error::Unproven
        })
    }

    /// Takes what the receiver of a step's call says, once. It may come before the answer to the call is stored.
    pub async fn call_back(&self, proven: &Proven, said: &Said) -> Result<Taken, Error> {
        refuse_faults(said.faults())?;
        for _ in 0..MAX_TRIES {
            match self.try_call_back(proven, said).await {
                Err(Error::Contention) => {}
                taken => return taken,
            }
        }
        Err(Error::Contention)
    }

    async fn try_call_back(&self, proven: &Proven, said: &Said) -> Result<Taken, Error> {
        let Proven { execution, step } = proven;
        let seen = self.load_execution(execution).await?;
        if said.is_what_was_said(&seen.value, step) {
            return Ok(Taken::Before);
        }
        let compiled = self.plan_of(&seen.value.pinned).await?;
        let Said { error, result } = said.clone();
        let event = Event::CalledBack { step: step.clone(), error, result };
        let moved = match decide(&seen.value, &compiled.plan, event, self.clock.now()) {
            Decision::Moved(moved) => *moved,
            Decision::AlreadyDone | Decision::Refused(_) => return Err(too_late(&seen.value, step)),
        };
        self.store_callback(&seen, moved).await?;
        Ok(Taken::Now)
    }

    async fn store_callback(&self, seen: &Seen, moved: Moved) -> Result<(), Error> {
        let (execution, writes) = self.transition(seen, moved).await?;
        self.table.commit(writes).await.map_err(|error| match error {
            CommitError::Conflict { .. } => Error::Contention,
            CommitError::Table(error) => error.into(),
        })?;
        if execution.status() != seen.value.status() {
            self.tell_of(&execution);
        }
        if let State::Waiting { until, .. } = execution.state {
            self.nudge(&execution.id, execution.team.as_ref(), until.since(self.clock.now())).await;
        }
        Ok(())
    }

    /// What the call of a step takes along, if the step waits for a callback; an outcome if the call must not be made without it.
    pub(crate) async fn callback_pass(
        &self,
        execution: &ExecutionId,
        step: Option<&Step>,
    ) -> Result<Option<CallbackPass>, Outcome> {
        let Some(step) = step.filter(|step| step.callback.is_some()) else { return Ok(None) };
        let refused = |reason: &str| Outcome::Refused { reason: reason.to_owned() };
        let callbacks = self.callbacks.as_ref();
        let Some((keys, url)) = callbacks.and_then(|one| Some((&one.keys, one.public_url.as_ref()?))) else {
            return Err(refused("nobody could call back: this process knows no public address of the API"));
        };
        let key = keys.current().await.map_err(|error| Outcome::Unsent { reason: chain(&error) })?;
        let token = callback::token(key.expose(), execution, &step.id);
        let token =
            token.map(SecretString::from).ok_or_else(|| refused("the key of callbacks is too short"))?;
        Ok(Some(CallbackPass { url: url.of_callback(execution, &step.id), token }))
    }
}

impl Said {
    fn faults(&self) -> Vec<Fault> {
        let long = |pointer, bytes: usize| {
            let message = format!("has {bytes} bytes; at most {MOST_SAID_BYTES} are kept");
            (bytes > MOST_SAID_BYTES).then(|| Fault::new(pointer, message))
        };
        let error = self.error.as_ref().and_then(|error| long("/error", error.len()));
        let result = long("/result", self.result.to_string().len());
        error.into_iter().chain(result).collect()
    }

    fn is_what_was_said(&self, execution: &Execution, step: &StepId) -> bool {
        let inner = execution.steps.get(step).and_then(|run| run.inner.as_ref());
        let before = inner.and_then(|inner| inner.called_back.as_ref());
        before.is_some_and(|before| before.error == self.error && before.result == self.result)
    }
}

fn too_late(execution: &Execution, step: &StepId) -> Error {
    let message = format!("step {step} waits for no callback, or not any more");
    Error::WrongStatus { message, current: execution.status_word() }
}
