//! Reading why-records (C4).

use muster_domain::ids::IncidentId;
use muster_domain::workflow::WhyRecord;

use crate::paging::{List, Paging};
use crate::table::Query;
use crate::{App, Caller, Error};

impl App {
    /// What was decided for the events of an incident, the newest event first, for whoever may read the incident.
    pub async fn decisions_of_incident(
        &self,
        caller: &Caller,
        id: &IncidentId,
        paging: &Paging,
    ) -> Result<List<WhyRecord>, Error> {
        self.incident(caller, id).await?;
        let query = Query::DecisionsOfIncident { incident: id.clone() };
        let now = self.clock.now();
        // Engines collect what has expired days late.
        let shows = |record| WhyRecord::try_from(record).ok().filter(|why| why.expires_at > now);
        self.filtered(&query, &query, paging, shows).await
    }
}
