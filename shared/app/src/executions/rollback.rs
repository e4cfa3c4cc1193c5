//! Taking back an execution that has ended (D6).

use std::time::Duration;

use muster_domain::execution::{Execution, NoRollback, StepRun, StoredRequest};
use muster_domain::ids::{ExecutionId, StepId};
use muster_domain::policy::{Action, Owner};
use muster_domain::workflow::rollback_execution_id;

use super::accept::created;
use super::accepted::Accepted;
use super::steer::signed;
use crate::once::{Decided, Once};
use crate::table::{Body, BodyPart, Key, Write};
use crate::{App, Caller, Error};

impl App {
    /// Starts the execution that takes back what an ended one did. There is one at most: asking again answers with it.
    pub async fn roll_back_execution(
        &self,
        caller: &Caller,
        id: &ExecutionId,
        reason: String,
    ) -> Result<Accepted, Error> {
        let (_, reason) = signed(caller, &reason, "says why what was done must be taken back")?;
        let outcome = self.once(caller, async || self.decide_rollback(caller, id, &reason).await).await?;
        if let Once::Now(rollback) = &outcome {
            self.accepted(rollback).await;
        }
        Ok(outcome.into_reply())
    }

    async fn decide_rollback(
        &self,
        caller: &Caller,
        id: &ExecutionId,
        reason: &str,
    ) -> Result<Decided<Accepted>, Error> {
        let ended = self.load_execution(id).await?.value;
        caller.principal.may(Action::Execute, &Owner::from(ended.team.clone()))?;
        let rollback = rollback_execution_id(&ended.id, ended.created_at);
        if let Some(stored) = self.table.get(&Key::Execution(rollback.clone())).await? {
            let reply = Accepted::of(&stored.typed::<Execution>()?.value);
            return Ok(Decided { reply, writes: Vec::new() });
        }
        let now = self.clock.now();
        let window = self.rollback_window(&ended).await?;
        let undos = ended.rollback(window, now).map_err(|refusal| refused(&refusal, &ended))?;
        let by = caller.principal.user.clone();
        let mut writes = self.copied_requests(&ended, &rollback, &undos).await?;
        let fresh = self.pending(rollback, ended.pinned.clone(), by.clone());
        let execution = fresh.rolling_back(&ended, undos, reason, now);
        self.refuse_killed(&execution).await?;
        let reply = Accepted::of(&execution);
        writes.extend(created(execution, Some(by)));
        Ok(Decided { reply, writes })
    }

    /// As the version says that was executed.
    async fn rollback_window(&self, ended: &Execution) -> Result<Duration, Error> {
        let Some(pinned) = ended.pinned.runbook() else { return Ok(Duration::ZERO) };
        let compiled = self.compiled(&pinned.id, pinned.version).await?;
        let seconds = compiled.phased.as_ref().map(|phased| phased.rollback.window_seconds());
        Ok(seconds.map_or(Duration::ZERO, Duration::from_secs))
    }

    /// Requests that are too large for the execution's own item stand beside the execution that sends them.
    async fn copied_requests(
        &self,
        ended: &Execution,
        rollback: &ExecutionId,
        undos: &std::collections::BTreeMap<StepId, StepRun>,
    ) -> Result<Vec<Write>, Error> {
        let beside =
            undos.iter().filter(|(_, run)| matches!(run.request, Some(StoredRequest::Beside { .. })));
        let keys: Vec<Key> =
            beside.map(|(step, _)| Key::Body(ended.id.clone(), step.clone(), BodyPart::Request)).collect();
        let mut copies = Vec::new();
        for stored in self.read_all(&keys).await?.into_values() {
            let body: Body = stored.typed()?.value;
            copies.push(Write::create(Body { execution: rollback.clone(), ..body }));
        }
        Ok(copies)
    }
}

fn refused(refusal: &NoRollback, ended: &Execution) -> Error {
    Error::WrongStatus {
        message: format!("the execution cannot be rolled back: {refusal}"),
        current: ended.status_word(),
    }
}
