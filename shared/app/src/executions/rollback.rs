//! Taking back an execution that has ended (D6).

use std::collections::BTreeMap;
use std::time::Duration;

use muster_domain::execution::{Execution, NoRollback, StepRun, StoredRequest};
use muster_domain::ids::{ExecutionId, StepId};
use muster_domain::policy::{Action, Owner};
use muster_domain::time::Time;
use muster_domain::workflow::rollback_execution_id;

use super::accept::created;
use super::accepted::Accepted;
use super::steer::signed;
use crate::once::{Decided, Once};
use crate::plans::Compiled;
use crate::table::{Body, BodyPart, Key, Write};
use crate::{App, Caller, Error};

impl App {
    /// Starts the execution that takes back what an ended one did. There is one at most at a time: asking again answers with it,
    /// and once it has ended, takes back what it left.
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
        let compiled = self.plan_of(&ended.pinned).await?;
        let before = self.rollbacks(&ended).await?;
        if let Some(running) = before.last().filter(|last| !last.status().is_terminal()) {
            return Ok(Decided { reply: Accepted::of(running), writes: Vec::new() });
        }
        let now = self.clock.now();
        let (from, undos) = left_to_undo(&ended, &before, &compiled, now)?;
        let by = caller.principal.user.clone();
        let rollback = rollback_execution_id(&from.id, from.created_at);
        let mut writes = self.copied_requests(from, &rollback, &undos).await?;
        let fresh = self.pending(rollback, ended.pinned.clone(), by.clone());
        let execution = fresh.rolling_back(&ended, undos, reason, now);
        self.refuse_killed(&execution).await?;
        let reply = Accepted::of(&execution);
        writes.extend(created(execution, Some(by)));
        Ok(Decided { reply, writes })
    }

    /// The latest execution that takes back what this one did; one that holds nothing to take back has none.
    pub async fn rollback_of(&self, execution: &Execution) -> Result<Option<Execution>, Error> {
        let may_have = execution.undoes.is_none() && execution.ended_at.is_some();
        if may_have && execution.steps.keys().any(StepId::is_undo) {
            Ok(self.rollbacks(execution).await?.pop())
        } else {
            Ok(None)
        }
    }

    /// Those that took back what this one did, oldest first: each was asked for when the one before had left something.
    async fn rollbacks(&self, ended: &Execution) -> Result<Vec<Execution>, Error> {
        let mut found: Vec<Execution> = Vec::new();
        while found.len() < MOST_ROLLBACKS {
            let from = found.last().unwrap_or(ended);
            let key = Key::Execution(rollback_execution_id(&from.id, from.created_at));
            let Some(stored) = self.table.get(&key).await? else { break };
            found.push(stored.typed()?.value);
        }
        Ok(found)
    }

    /// Requests that are too large for the execution's own item stand beside the execution that sends them.
    async fn copied_requests(
        &self,
        ended: &Execution,
        rollback: &ExecutionId,
        undos: &BTreeMap<StepId, StepRun>,
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

/// How often one execution may be rolled back.
const MOST_ROLLBACKS: usize = 20;

/// For how long after its end it may be rolled back, as the version says that was executed.
fn window(compiled: &Compiled) -> Duration {
    let seconds = compiled.phased.as_ref().map(|phased| phased.rollback.window_seconds());
    seconds.map_or(Duration::ZERO, Duration::from_secs)
}

/// What the next rollback takes back, and the execution that has left it: the ended one, or the last of those that went before.
fn left_to_undo<'e>(
    ended: &'e Execution,
    before: &'e [Execution],
    compiled: &Compiled,
    now: Time,
) -> Result<(&'e Execution, BTreeMap<StepId, StepRun>), Error> {
    let undos = ended.rollback(&compiled.plan, window(compiled), now);
    let undos = undos.map_err(|refusal| refused(&refusal, ended))?;
    let Some(last) = before.last() else { return Ok((ended, undos)) };
    let left = last.left_undone(&compiled.plan);
    if left.is_empty() {
        return Err(taken_back(last, ended));
    }
    if before.len() >= MOST_ROLLBACKS {
        let message =
            format!("it was rolled back {MOST_ROLLBACKS} times; what is left is for people to take back");
        return Err(Error::Conflict(message));
    }
    Ok((last, left))
}

fn taken_back(by: &Execution, ended: &Execution) -> Error {
    let (id, status) = (&by.id, by.status());
    let message = format!("what it did was taken back already, by {id} ({status})");
    Error::WrongStatus { message, current: ended.status_word() }
}

fn refused(refusal: &NoRollback, ended: &Execution) -> Error {
    Error::WrongStatus {
        message: format!("the execution cannot be rolled back: {refusal}"),
        current: ended.status_word(),
    }
}
