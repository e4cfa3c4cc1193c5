//! What one event would do to a workflow, and why; nothing is changed.

use muster_domain::control::{Control, Scope};
use muster_domain::ids::{ExecutionId, IncidentId, WorkflowId};
use muster_domain::incident::{
    Actor, Cause, Incident, IncidentEvent, IncidentEventKind, IncidentFacts, IncidentStatus,
};
use muster_domain::policy::{Action, Owner};
use muster_domain::workflow::matching::evaluate_age;
use muster_domain::workflow::{Candidate, MatchDecision, Trigger, Workflow, evaluate, execution_id};
use serde::{Deserialize, Serialize};

use crate::once::Decided;
use crate::table::{Key, Starts};
use crate::{App, Caller, Error};

/// What a workflow is tried with.
#[derive(Debug, Clone, PartialEq)]
pub enum Tried {
    Event(Box<IncidentEvent>),
    /// An incident as it is now: as though what the trigger waits for had just happened to it.
    Incident(IncidentId),
}

/// What would become of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trial {
    /// As though the workflow were enabled, so that it can be tried before.
    pub decision: MatchDecision,
    /// What keeps a match from starting an execution now.
    pub obstacle: Option<String>,
}

impl Trial {
    /// Whether an execution would start now.
    pub fn would_start(&self) -> bool {
        self.decision.matched() && self.obstacle.is_none()
    }
}

impl App {
    pub async fn try_workflow(
        &self,
        caller: &Caller,
        id: &WorkflowId,
        tried: &Tried,
    ) -> Result<Trial, Error> {
        let decide = async || {
            let workflow = self.load_workflow(id).await?.value;
            caller.principal.may(Action::Read, &Owner::from(workflow.team.clone()))?;
            let reply = match tried {
                Tried::Event(event) => self.try_event(&workflow, event).await?,
                Tried::Incident(incident) => self.try_incident(caller, &workflow, incident).await?,
            };
            Ok(Decided { reply, writes: Vec::new() })
        };
        Ok(self.once(caller, decide).await?.into_reply())
    }

    async fn try_event(&self, workflow: &Workflow, event: &IncidentEvent) -> Result<Trial, Error> {
        let decision = evaluate(&as_enabled(workflow), event);
        let started = execution_id(&workflow.id, event);
        let obstacle = self.obstacle(workflow, &event.snapshot, Some(started)).await?;
        Ok(Trial { obstacle: obstacle.filter(|_| decision.matched()), decision })
    }

    async fn try_incident(
        &self,
        caller: &Caller,
        workflow: &Workflow,
        incident: &IncidentId,
    ) -> Result<Trial, Error> {
        let incident = self.incident(caller, incident).await?;
        let facts = IncidentFacts::from(&incident);
        let now = self.clock.now();
        let candidate = as_enabled(workflow);
        let decision = match &workflow.trigger {
            Trigger::Age { .. } => evaluate_age(&candidate, &facts, now),
            Trigger::IncidentCreated { .. }
            | Trigger::StateChanged { .. }
            | Trigger::Escalation { .. }
            | Trigger::Manual { .. } => evaluate(&candidate, &supposed(&incident, &workflow.trigger)),
        };
        let obstacle = self.obstacle(workflow, &facts, None).await?;
        Ok(Trial { obstacle: obstacle.filter(|_| decision.matched()), decision })
    }

    /// What would keep a match from starting.
    async fn obstacle(
        &self,
        workflow: &Workflow,
        facts: &IncidentFacts,
        started: Option<ExecutionId>,
    ) -> Result<Option<String>, Error> {
        if !workflow.enabled {
            return Ok(Some("The workflow is disabled".into()));
        }
        if let Some(id) = started
            && self.table.get(&Key::Execution(id.clone())).await?.is_some()
        {
            return Ok(Some(format!("This event has started execution {id} already")));
        }
        let team = workflow.team.clone().or_else(|| facts.team_id.clone());
        let scopes = [Some(Scope::Global), team.map(Scope::Team)];
        let controls = self.controls(scopes.into_iter().flatten()).await?;
        if let Some((scope, switch)) = controls.iter().find_map(Control::engaged) {
            return Ok(Some(format!("The kill switch {scope} is engaged: {}", switch.reason)));
        }
        self.storm(workflow).await
    }

    /// Whether this minute's starts are used up (H2).
    async fn storm(&self, workflow: &Workflow) -> Result<Option<String>, Error> {
        let minute = u64::try_from(self.clock.now().millis() / 60_000).unwrap_or_default();
        let Some(stored) = self.table.get(&Key::Starts(workflow.id.clone(), minute)).await? else {
            return Ok(None);
        };
        let starts: Starts = stored.typed()?.value;
        let cap = workflow.settings.max_starts_per_minute;
        Ok((starts.count >= cap)
            .then(|| format!("It has started {cap} executions in this minute, which is its cap")))
    }
}

/// Judged as though it were enabled, which is an obstacle of its own.
fn as_enabled(workflow: &Workflow) -> Candidate<'_> {
    Candidate { enabled: true, ..Candidate::from(workflow) }
}

/// The event that the trigger waits for, as though it had just happened.
fn supposed(incident: &Incident, trigger: &Trigger) -> IncidentEvent {
    let kind = match trigger {
        Trigger::StateChanged { .. } => {
            IncidentEventKind::StateChanged { from: status_before(incident), to: incident.status }
        }
        Trigger::Escalation { .. } => IncidentEventKind::Escalated { level: incident.escalation },
        Trigger::IncidentCreated { .. } | Trigger::Manual { .. } | Trigger::Age { .. } => {
            IncidentEventKind::Created
        }
    };
    let cause = Cause::first(Actor::Person { user: incident.created_by.clone() }, incident.id.to_string());
    IncidentEvent {
        incident: incident.id.clone(),
        seq: incident.seq,
        kind,
        at: incident.updated_at,
        actor: cause.by,
        chain: cause.chain,
        correlation_id: cause.correlation_id,
        causation_id: None,
        traceparent: None,
        snapshot: IncidentFacts::from(incident),
        due_at: None,
    }
}

/// The status before the present one; that of a new incident if it never changed.
fn status_before(incident: &Incident) -> IncidentStatus {
    let passages = incident.history.iter().rev().filter_map(|entry| entry.status.as_ref());
    passages.map(|passage| passage.from).next().unwrap_or(IncidentStatus::Open)
}
