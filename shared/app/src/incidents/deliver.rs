//! Delivering events of incidents to the bus: at least once, in no promised order.

use muster_domain::ids::IncidentId;
use muster_domain::incident::IncidentEvent;
use muster_domain::time::Time;

use crate::paging::{List, Paging};
use crate::table::{CommitError, Key, Query, Versioned, Write};
use crate::{App, Caller, Error};

/// How often storing that an event is delivered is tried anew when the sweeper moves it meanwhile.
const MAX_TRIES: usize = 4;

impl App {
    /// Publishes an event that owes it. `Ok` means that nothing is owed any more: delivered, now or before, or gone.
    ///
    /// It counts as delivered when the bus has taken it. A crash in between delivers it again, under the same name.
    pub async fn deliver_event(&self, incident: &IncidentId, seq: u64) -> Result<(), Error> {
        let Some(seen) = self.owed_event(incident, seq).await? else {
            return Ok(());
        };
        let bytes = seen.value.envelope().to_string().into_bytes();
        self.bus.publish(&bytes).await?;
        self.mark_delivered(seen).await
    }

    /// The events of an incident, newest first.
    pub async fn events_of_incident(
        &self,
        caller: &Caller,
        id: &IncidentId,
        paging: &Paging,
    ) -> Result<List<IncidentEvent>, Error> {
        self.incident(caller, id).await?;
        let query = Query::EventsOfIncident { incident: id.clone() };
        self.filtered(&query, &query, paging, |record| IncidentEvent::try_from(record).ok()).await
    }

    /// Moves an overdue event on and nudges a worker for it; `false` if somebody else has moved it.
    pub(crate) async fn push_event(
        &self,
        seen: Versioned<IncidentEvent>,
        due_at: Time,
    ) -> Result<bool, Error> {
        let event = IncidentEvent { due_at: Some(due_at), ..seen.value };
        let (incident, seq, team) = (event.incident.clone(), event.seq, event.snapshot.team_id.clone());
        match self.table.commit(vec![Write::replace(event, seen.version)]).await {
            Ok(()) => {
                self.deliver_at_once(&incident, seq, team.as_ref()).await;
                Ok(true)
            }
            Err(CommitError::Conflict { .. }) => Ok(false),
            Err(CommitError::Table(error)) => Err(error.into()),
        }
    }

    /// The event, unless it is delivered.
    async fn owed_event(
        &self,
        incident: &IncidentId,
        seq: u64,
    ) -> Result<Option<Versioned<IncidentEvent>>, Error> {
        let Some(stored) = self.table.get(&Key::IncidentEvent(incident.clone(), seq)).await? else {
            tracing::warn!(incident_id = %incident, seq, "a job names an event that does not exist");
            return Ok(None);
        };
        let seen: Versioned<IncidentEvent> = stored.typed()?;
        Ok(seen.value.due_at.is_some().then_some(seen))
    }

    async fn mark_delivered(&self, seen: Versioned<IncidentEvent>) -> Result<(), Error> {
        let mut seen = Some(seen);
        for _ in 0..MAX_TRIES {
            let Some(Versioned { value, version }) = seen else {
                return Ok(());
            };
            let (incident, seq) = (value.incident.clone(), value.seq);
            let delivered = IncidentEvent { due_at: None, ..value };
            match self.table.commit(vec![Write::replace(delivered, version)]).await {
                Ok(()) => return Ok(()),
                Err(CommitError::Conflict { .. }) => seen = self.owed_event(&incident, seq).await?,
                Err(CommitError::Table(error)) => return Err(error.into()),
            }
        }
        Err(Error::Contention)
    }
}
