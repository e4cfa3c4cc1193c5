//! What a change of an incident commits: the incident, an event that owes delivery, and an entry of the audit log.
//!
//! Architecture invariant: nobody else writes incidents, so that no change is without its event.

use std::time::Duration;

use muster_domain::audit::{Fact, Resource};
use muster_domain::ids::{IncidentId, TeamId, UserId};
use muster_domain::incident::{Incident, IncidentEvent};
use serde_json::{Value, json};

use crate::App;
use crate::job::Job;
use crate::load::audit;
use crate::metrics::Counter;
use crate::table::Write;

impl App {
    /// The writes that open an incident; `actor` is who did, if a person did.
    pub(crate) fn opened(
        &self,
        mut incident: Incident,
        event: IncidentEvent,
        actor: Option<UserId>,
    ) -> Vec<Write> {
        let detail = json!({"priority": incident.priority, "source": incident.source});
        let entry = audit_incident(&mut incident, Fact { action: "incident.created", actor, detail });
        vec![Write::create(incident), Write::create(self.owed(event)), entry]
    }

    /// The writes that change the incident that was read at `version`; `actor` is who does, if a person does.
    pub(crate) fn changed(
        &self,
        mut to: Incident,
        version: u64,
        events: Vec<IncidentEvent>,
        action: &'static str,
        actor: Option<UserId>,
    ) -> Vec<Write> {
        let detail = change_detail(&to);
        let entry = audit_incident(&mut to, Fact { action, actor, detail });
        let events = events.into_iter().map(|event| Write::create(self.owed(event)));
        [Write::replace(to, version), entry].into_iter().chain(events).collect()
    }

    /// Nudges a worker for each event. A nudge that is lost is repaired by the sweeper.
    pub(crate) async fn deliver_soon(&self, events: &[IncidentEvent]) {
        for event in events {
            self.deliver_at_once(&event.incident, event.seq, event.snapshot.team_id.as_ref()).await;
        }
    }

    pub(crate) async fn deliver_at_once(&self, incident: &IncidentId, seq: u64, team: Option<&TeamId>) {
        let job = Job::Deliver { incident: incident.clone(), seq };
        if let Err(error) = self.queue.send(job, team, Duration::ZERO).await {
            self.metrics.count(Counter::NudgesLost);
            let error = crate::error::chain(&error);
            tracing::warn!(incident_id = %incident, seq, error, "nudge for an event lost");
        }
    }

    /// The event as it is stored first: overdue when a nudge should long have brought it to a worker.
    fn owed(&self, event: IncidentEvent) -> IncidentEvent {
        IncidentEvent { due_at: Some(event.at.plus(self.settings.nudge_grace)), ..event }
    }
}

fn audit_incident(incident: &mut Incident, fact: Fact) -> Write {
    let (resource, team) = (Resource::Incident(incident.id.clone()), incident.team.clone());
    let at = incident.changed_at();
    audit(&mut incident.audit, resource, team, fact, at)
}

/// The whole change, with its reason: an incident itself keeps only its newest ones.
fn change_detail(to: &Incident) -> Value {
    json!({"status": to.status, "change": to.history.last()})
}
