//! Taking back an execution that has ended (D6).

use std::time::Duration;

use muster_domain::execution::{Execution, NoRollback, StepRun, StoredRequest};
use muster_domain::ids::{ExecutionId, StepId};
use muster_domain::policy::{Action, Owner};
use muster_domain::workflow::rollback_execution_id;

use super::accept::created;
use super::steer::signed;
use crate::once::{Decided, Once};
use crate::table::{Body, BodyPart, Key, Write};
use crate::{App, Caller, Error};

/// Until when after its end an execution may be rolled back, unless its runbook says otherwise.
pub const ROLLBACK_WINDOW: Duration = Duration::from_hours(24);

impl App {
    /// Starts the execution that takes back what an ended one did. There is one at most: asking again answers with it.
    pub async fn roll_back_execution(
        &self,
        caller: &Caller,
        id: &ExecutionId,
        reason: String,
    ) -> Result<ExecutionId, Error> {
        let (_, reason) = signed(caller, &reason, "says why what was done must be taken back")?;
        let outcome = self.once(caller, async || self.decide_rollback(caller, id, &reason).await).await?;
        if let Once::Now(rollback) = &outcome {
            self.nudge(rollback, Duration::ZERO).await;
        }
        Ok(outcome.into_reply())
    }

    async fn decide_rollback(
        &self,
        caller: &Caller,
        id: &ExecutionId,
        reason: &str,
    ) -> Result<Decided<ExecutionId>, Error> {
        let ended = self.load_execution(id).await?.value;
        caller.principal.may(Action::Execute, &Owner::from(ended.team.clone()))?;
        let rollback = rollback_execution_id(&ended.id, ended.created_at);
        if self.table.get(&Key::Execution(rollback.clone())).await?.is_some() {
            return Ok(Decided { reply: rollback, writes: Vec::new() });
        }
        let now = self.clock.now();
        let undos = ended.rollback(ROLLBACK_WINDOW, now).map_err(|refusal| refused(&refusal, &ended))?;
        let by = caller.principal.user.clone();
        let mut writes = self.copied_requests(&ended, &rollback, &undos).await?;
        let fresh = self.pending(rollback.clone(), ended.pinned.clone(), by.clone());
        let execution = fresh.rolling_back(&ended, undos, reason, now);
        self.refuse_killed(&execution).await?;
        writes.extend(created(execution, Some(by)));
        Ok(Decided { reply: rollback, writes })
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
        for key in &keys {
            let Some(stored) = self.table.get(key).await? else { continue };
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
