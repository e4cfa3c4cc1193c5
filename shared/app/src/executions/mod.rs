//! Starting, reading and steering executions (A6, A7, A8). Bringing them forward is the worker's.

mod accept;
mod accepted;
mod child;
mod ended;
mod giving_up;
mod judge;
mod manual;
mod rollback;
mod steer;

use std::time::Duration;

use muster_domain::audit::{Fact, Resource};
use muster_domain::execution::{Effect, Execution, Moved};
use muster_domain::ids::{ExecutionId, IncidentId, RunbookId, StepId, TeamId};
use muster_domain::policy::{Action, Owner};
use muster_domain::time::Time;
use serde_json::{Value, json};

pub(crate) use self::accept::created;
pub use self::accept::{ExecuteRequest, Executed, Forecast, MAX_PARAMETERS_BYTES};
pub use self::accepted::Accepted;
pub use self::judge::HISTORY;
pub use self::manual::Triggered;
pub(crate) use self::steer::{is_paused_with, paused_with, stopped_with};
use crate::gates::follow::Gates;
use crate::job::Job;
use crate::load::audit;
use crate::metrics::Counter;
use crate::paging::{List, Paging};
use crate::ports::QueueStats;
use crate::table::{Body, BodyPart, Key, Query, Versioned, Write};
use crate::{App, Caller, Error};

impl App {
    pub async fn execution(&self, caller: &Caller, id: &ExecutionId) -> Result<Execution, Error> {
        let execution = self.load_execution(id).await?.value;
        caller.principal.may(Action::Read, &Owner::from(execution.team.clone()))?;
        Ok(execution)
    }

    /// A body that is kept beside its execution.
    pub async fn execution_body(
        &self,
        caller: &Caller,
        id: &ExecutionId,
        step: &StepId,
        part: BodyPart,
    ) -> Result<Body, Error> {
        self.execution(caller, id).await?;
        let stored = self.table.get(&Key::Body(id.clone(), step.clone(), part)).await?;
        let missing = || Error::NotFound { kind: "body", id: format!("{part:?} of step {step} of {id}") };
        Ok(stored.ok_or_else(missing)?.typed()?.value)
    }

    pub async fn executions_of_runbook(
        &self,
        caller: &Caller,
        id: &RunbookId,
        paging: &Paging,
    ) -> Result<List<Execution>, Error> {
        self.load_readable(caller, id).await?;
        self.executions(caller, &Query::ExecutionsOfRunbook { runbook: id.clone() }, paging).await
    }

    pub async fn executions_of_incident(
        &self,
        caller: &Caller,
        id: &IncidentId,
        paging: &Paging,
    ) -> Result<List<Execution>, Error> {
        self.incident(caller, id).await?;
        self.executions(caller, &Query::ExecutionsOfIncident { incident: id.clone() }, paging).await
    }

    /// Those of a list that the caller may read, newest first.
    pub(crate) async fn executions(
        &self,
        caller: &Caller,
        query: &Query,
        paging: &Paging,
    ) -> Result<List<Execution>, Error> {
        let shows = |record| {
            let execution = Execution::try_from(record).ok()?;
            caller.principal.may(Action::Read, &Owner::from(execution.team.clone())).ok()?;
            Some(execution)
        };
        self.filtered(query, query, paging, shows).await
    }

    pub async fn queue_stats(&self) -> Result<QueueStats, Error> {
        Ok(self.queue.stats().await?)
    }

    /// Tells a worker to look. A nudge that is lost is repaired by the sweeper, so it is logged and no error.
    pub(crate) async fn nudge(&self, execution: &ExecutionId, team: Option<&TeamId>, after: Duration) {
        if let Err(error) = self.queue.send(Job::Run { execution: execution.clone() }, team, after).await {
            self.metrics.count(Counter::NudgesLost);
            tracing::warn!(execution_id = %execution, error = crate::error::chain(&error), "nudge lost");
        }
    }

    /// All writes of a transition for which nobody brings answers of people or of limits: the execution and whatever follows it.
    pub(crate) async fn transition(
        &self,
        seen: &Seen,
        moved: Moved,
    ) -> Result<(Execution, Vec<Write>), Error> {
        let followed = self.following(&seen.value, &moved.to, &Gates::default()).await?;
        let (execution, mut writes) = self.stored(moved, seen.version);
        writes.extend(followed);
        Ok((execution, writes))
    }

    /// The writes of a transition: the execution, its audit entries, and what it owes to others, in one commit.
    pub(crate) fn stored(&self, moved: Moved, version: u64) -> (Execution, Vec<Write>) {
        let mut execution = moved.to;
        let now = self.clock.now();
        let mut writes = Vec::new();
        for effect in moved.effects {
            match effect {
                Effect::Audit { action, actor, reason } => {
                    let detail = audit_detail(&execution, reason);
                    writes.push(audit_execution(&mut execution, Fact { action, actor, detail }, now));
                }
                Effect::Notify { number } => writes.extend(self.owed_notification(&execution, number)),
                Effect::Escalate { number, to } => {
                    writes.extend(self.owed_escalation(&execution, number, &to));
                }
                Effect::Send { .. } | Effect::Nudge { .. } | Effect::Wake { .. } | Effect::Ask { .. } => {}
            }
        }
        for child in moved.children {
            writes.extend(created(child, None));
        }
        writes.insert(0, Write::replace(execution.clone(), version));
        (execution, writes)
    }
}

pub(crate) fn audit_execution(execution: &mut Execution, fact: Fact, now: Time) -> Write {
    let (resource, team) = (Resource::Execution(execution.id.clone()), execution.team.clone());
    audit(&mut execution.audit, resource, team, fact, now)
}

/// The status, and the head of the trail, which the audit log thereby anchors.
fn audit_detail(execution: &Execution, reason: Option<String>) -> Value {
    let mut detail = json!({"status": execution.status(), "trail": execution.trail.head});
    if let (Some(members), Some(reason)) = (detail.as_object_mut(), reason) {
        members.insert("reason".into(), Value::String(reason));
    }
    detail
}

/// The version of an execution as it was read.
pub(crate) type Seen = Versioned<Execution>;
