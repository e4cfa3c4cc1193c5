//! A person runs a runbook on an incident (C11).

use muster_domain::audit::Fact;
use muster_domain::execution::Execution;
use muster_domain::ids::{IncidentId, RunbookId, UserId};
use muster_domain::policy::{Action, Owner};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::accept::{approved_version, created, same_team, validated};
use super::{Accepted, audit_execution};
use crate::once::{Decided, Once};
use crate::table::Write;
use crate::{App, Caller, Error};

/// An execution that a person started on an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Triggered {
    #[serde(rename = "id")]
    pub accepted: Accepted,
    pub runbook_id: RunbookId,
    /// Of the version that runs.
    pub runbook_name: String,
}

impl App {
    /// Runs the newest approved version of a runbook on an incident. Refused are, in this order: an incident that is not
    /// there, one whose team the caller does not respond for, a runbook that is not there or not for that team, one that
    /// is not approved, parameters that do not fit.
    pub async fn execute_on_incident(
        &self,
        caller: &Caller,
        incident: &IncidentId,
        runbook: &RunbookId,
        parameters: Map<String, Value>,
    ) -> Result<Triggered, Error> {
        let decide = async || self.decide_trigger(caller, (incident, runbook), parameters.clone()).await;
        let outcome = self.once(caller, decide).await?;
        if let Once::Now(triggered) = &outcome {
            self.accepted(&triggered.accepted).await;
        }
        Ok(outcome.into_reply())
    }

    async fn decide_trigger(
        &self,
        caller: &Caller,
        (incident, runbook): (&IncidentId, &RunbookId),
        parameters: Map<String, Value>,
    ) -> Result<Decided<Triggered>, Error> {
        let incident = self.load_incident(incident).await?.value;
        caller.principal.may(Action::Execute, &Owner::from(incident.team.clone()))?;
        let head = self.load_runbook(runbook).await?.value;
        caller.principal.may(Action::Execute, &Owner::from(head.team.clone()))?;
        same_team(head.team.as_ref(), &incident)?;
        let compiled = self.compiled(runbook, approved_version(&head, None)?).await?;
        let parameters = validated(&compiled, parameters)?;
        let execution = self.new_execution(caller, &head, &compiled, Some(&incident), parameters).await?;
        self.refuse_stopped(&execution, &compiled.plan).await?;
        self.refuse_limited(&execution, &compiled).await?;
        let reply = Triggered {
            accepted: Accepted::of(&execution),
            runbook_id: head.id,
            runbook_name: compiled.name.clone(),
        };
        Ok(Decided { reply, writes: triggered(execution, &caller.principal.user) })
    }
}

/// The writes of an execution that a person started on an incident: besides its acceptance, the audit log has who did.
fn triggered(mut execution: Execution, by: &UserId) -> Vec<Write> {
    let now = execution.created_at;
    let detail =
        json!({"incident": execution.incident, "runbook": execution.pinned.runbook().map(|pin| &pin.id)});
    let fact = Fact { action: "runbook.manual_trigger", actor: Some(by.clone()), detail };
    let entry = audit_execution(&mut execution, fact, now);
    created(execution, Some(by.clone())).into_iter().chain([entry]).collect()
}
