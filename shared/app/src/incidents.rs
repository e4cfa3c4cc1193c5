//! Incidents, as far as executions need them: open, read, list.

use std::collections::{BTreeMap, BTreeSet};

use muster_domain::audit::Resource;
use muster_domain::ids::{IncidentId, TeamId};
use muster_domain::incident::{Actor, Cause, Incident, NewIncident, Opening};
use muster_domain::policy::{Action, Owner};
use muster_domain::time::Time;
use serde_json::json;

use crate::load::audit;
use crate::once::Decided;
use crate::paging::{List, Paging};
use crate::runbooks::{fact, refuse_faults};
use crate::table::{Key, Query, Write};
use crate::{App, Caller, Error};

impl App {
    pub async fn create_incident(&self, caller: &Caller, new: NewIncident) -> Result<Incident, Error> {
        caller.principal.may(Action::EditIncident, &Owner::from(new.team_id.clone()))?;
        refuse_faults(new.faults())?;
        let decide = async || {
            let now = self.clock.now();
            let incident = opened(IncidentId::new(now, Self::random()?), new.clone(), caller, now);
            Ok(incident)
        };
        Ok(self.once(caller, decide).await?.into_reply())
    }

    pub async fn incident(&self, caller: &Caller, id: &IncidentId) -> Result<Incident, Error> {
        let incident = self.load_incident(id).await?.value;
        caller.principal.may(Action::Read, &Owner::from(incident.team.clone()))?;
        Ok(incident)
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

fn opened(id: IncidentId, new: NewIncident, caller: &Caller, now: Time) -> Decided<Incident> {
    let opening = Opening { id: id.clone(), created_by: caller.principal.user.clone(), source: None };
    let by = Actor::Person { user: caller.principal.user.clone() };
    let correlation = caller.correlation_id.clone().unwrap_or_else(|| id.to_string());
    let (mut incident, _) = Incident::open(new, opening, &Cause::first(by, correlation), now);
    let facts = json!({"priority": incident.priority});
    let fact = fact("incident.created", &caller.principal.user, facts);
    let team = incident.team.clone();
    let entry = audit(&mut incident.audit, Resource::Incident(id), team, fact, now);
    Decided { writes: vec![Write::create(incident.clone()), entry], reply: incident }
}
