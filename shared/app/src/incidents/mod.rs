//! Incidents (C1): open, read, list. Changing them and delivering their events have files of their own.

mod change;
mod deliver;
mod outbox;

use std::collections::{BTreeMap, BTreeSet};

use muster_domain::ids::{IncidentId, TeamId};
use muster_domain::incident::{Actor, Cause, Incident, NewIncident, Opening};
use muster_domain::policy::{Action, Owner};
use serde::{Deserialize, Serialize};

use crate::once::{Decided, Once};
use crate::paging::{List, Paging};
use crate::runbooks::refuse_faults;
use crate::table::{Key, Query};
use crate::{App, Caller, Error};

/// An incident as people read and change it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncidentDetail {
    pub incident: Incident,
    /// What a conditional edit names; it grows with every change.
    pub revision: u64,
}

impl App {
    /// Opens an incident that a person reports. Its event is stored with it and delivered soon.
    pub async fn create_incident(&self, caller: &Caller, new: NewIncident) -> Result<Incident, Error> {
        caller.principal.may(Action::EditIncident, &Owner::from(new.team_id.clone()))?;
        refuse_faults(new.faults())?;
        let outcome = self.once(caller, async || self.decide_opening(caller, new.clone())).await?;
        if let Once::Now(incident) = &outcome {
            self.deliver_at_once(&incident.id, incident.seq, incident.team.as_ref()).await;
        }
        Ok(outcome.into_reply())
    }

    fn decide_opening(&self, caller: &Caller, new: NewIncident) -> Result<Decided<Incident>, Error> {
        let now = self.clock.now();
        let id = IncidentId::new(now, Self::random()?);
        let user = caller.principal.user.clone();
        let cause = cause_of(caller, &id);
        let opening = Opening { id, created_by: user.clone(), source: None };
        let (incident, event) = Incident::open(new, opening, &cause, now);
        Ok(Decided { reply: incident.clone(), writes: self.opened(incident, event, Some(user)) })
    }

    pub async fn incident(&self, caller: &Caller, id: &IncidentId) -> Result<Incident, Error> {
        Ok(self.incident_detail(caller, id).await?.incident)
    }

    /// An incident with the revision that an edit names.
    pub async fn incident_detail(&self, caller: &Caller, id: &IncidentId) -> Result<IncidentDetail, Error> {
        let seen = self.load_incident(id).await?;
        caller.principal.may(Action::Read, &Owner::from(seen.value.team.clone()))?;
        Ok(IncidentDetail { incident: seen.value, revision: seen.version })
    }

    /// Those of at most 100 incidents that are there and that the caller may read.
    pub async fn readable_incidents(
        &self,
        caller: &Caller,
        ids: BTreeSet<IncidentId>,
    ) -> Result<BTreeMap<IncidentId, Incident>, Error> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let keys: Vec<Key> = ids.into_iter().map(Key::Incident).collect();
        let mut readable = BTreeMap::new();
        for stored in self.table.batch_get(&keys).await?.into_values() {
            let incident: Incident = stored.typed()?.value;
            if caller.principal.may(Action::Read, &Owner::from(incident.team.clone())).is_ok() {
                readable.insert(incident.id.clone(), incident);
            }
        }
        Ok(readable)
    }

    /// Newest first.
    pub async fn incidents(
        &self,
        caller: &Caller,
        team: Option<TeamId>,
        paging: &Paging,
    ) -> Result<List<Incident>, Error> {
        let query = match team {
            Some(team) => {
                caller.principal.may(Action::Read, &Owner::Team(team.clone()))?;
                Query::IncidentsOfTeam { team }
            }
            None => Query::Incidents,
        };
        let shows = |record| {
            let incident = Incident::try_from(record).ok()?;
            caller.principal.may(Action::Read, &Owner::from(incident.team.clone())).ok()?;
            Some(incident)
        };
        self.filtered(&query, &query, paging, shows).await
    }
}

/// A person's request; one without a correlation id is told by the incident.
fn cause_of(caller: &Caller, id: &IncidentId) -> Cause {
    let by = Actor::Person { user: caller.principal.user.clone() };
    Cause::first(by, caller.correlation_id.clone().unwrap_or_else(|| id.to_string()))
}
