//! Changing an incident: its fields, its state, its escalation.

use muster_domain::ids::IncidentId;
use muster_domain::incident::{
    Escalation, Incident, IncidentChange, IncidentDecision, IncidentEvent, IncidentPatch, IncidentRefusal,
    decide,
};
use muster_domain::policy::{Action, Owner};
use serde::{Deserialize, Serialize};

use super::{IncidentDetail, cause_of};
use crate::once::Decided;
use crate::runbooks::refuse_faults;
use crate::table::Versioned;
use crate::{App, Caller, Error};

/// What a change answers.
#[derive(Serialize, Deserialize)]
struct Changed {
    detail: IncidentDetail,
    /// The events that it owes; delivering one again does no harm.
    events: Vec<IncidentEvent>,
}

/// A change, and the name under which the audit log has it.
struct Named {
    change: IncidentChange,
    action: &'static str,
}

impl App {
    /// Changes an incident. With `if_match`, only the revision that the caller has seen. A patch that would change nothing
    /// is answered as done; CLOSED is final.
    pub async fn change_incident(
        &self,
        caller: &Caller,
        id: &IncidentId,
        patch: IncidentPatch,
        if_match: Option<u64>,
    ) -> Result<IncidentDetail, Error> {
        refuse_faults(patch.faults())?;
        let named = Named { change: IncidentChange::Patch(patch), action: "incident.changed" };
        self.change(caller, id, &named, if_match).await
    }

    /// Raises an incident by one level.
    pub async fn escalate_incident(
        &self,
        caller: &Caller,
        id: &IncidentId,
        escalation: Escalation,
        if_match: Option<u64>,
    ) -> Result<IncidentDetail, Error> {
        refuse_faults(escalation.faults())?;
        let named = Named { change: IncidentChange::Escalate(escalation), action: "incident.escalated" };
        self.change(caller, id, &named, if_match).await
    }

    async fn change(
        &self,
        caller: &Caller,
        id: &IncidentId,
        named: &Named,
        if_match: Option<u64>,
    ) -> Result<IncidentDetail, Error> {
        let decide_once = async || {
            let seen = self.load_changeable(caller, id, if_match).await?;
            self.decide_change(caller, seen, named)
        };
        let changed = self.once(caller, decide_once).await?.into_reply();
        self.deliver_soon(&changed.events).await;
        Ok(changed.detail)
    }

    async fn load_changeable(
        &self,
        caller: &Caller,
        id: &IncidentId,
        if_match: Option<u64>,
    ) -> Result<Versioned<Incident>, Error> {
        let seen = self.load_incident(id).await?;
        caller.principal.may(Action::EditIncident, &Owner::from(seen.value.team.clone()))?;
        seen.unchanged_since(if_match)?;
        Ok(seen)
    }

    fn decide_change(
        &self,
        caller: &Caller,
        seen: Versioned<Incident>,
        named: &Named,
    ) -> Result<Decided<Changed>, Error> {
        let cause = cause_of(caller, &seen.value.id);
        match decide(&seen.value, &named.change, &cause, self.clock.now()) {
            IncidentDecision::AlreadyDone => {
                let detail = IncidentDetail { incident: seen.value, revision: seen.version };
                Ok(Decided { reply: Changed { detail, events: Vec::new() }, writes: Vec::new() })
            }
            IncidentDecision::Refused(IncidentRefusal::Invalid(faults)) => Err(Error::Invalid(faults)),
            IncidentDecision::Refused(refusal @ IncidentRefusal::Closed) => {
                Err(Error::Conflict(refusal.to_string()))
            }
            IncidentDecision::Moved { to, events } => {
                let detail =
                    IncidentDetail { incident: (*to).clone(), revision: seen.version.saturating_add(1) };
                let actor = Some(caller.principal.user.clone());
                let writes = self.changed(*to, seen.version, events.clone(), named.action, actor);
                Ok(Decided { reply: Changed { detail, events }, writes })
            }
        }
    }
}
