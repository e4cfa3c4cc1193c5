//! Finding out whom a failure concerns: the incident's assignee, the workflow's creator, and the team's channels.

use muster_domain::ids::{TeamId, UserId};
use muster_domain::incident::Incident;
use muster_domain::notification::{Addressees, IncidentWords, Notification, Occasion, Team, ways_to_reach};
use muster_domain::workflow::Workflow;

use crate::table::{Key, Record, Stored, TableError};
use crate::{App, Error};

/// What is read of the table about a notification, at once and consistently.
#[derive(Default)]
struct Facts {
    /// Those who are asked, or named for the trouble, by name; absent of a workflow that failed.
    asked: Option<Vec<UserId>>,
    incident: Option<Incident>,
    /// A deleted one too: its head stays.
    workflow: Option<Workflow>,
    team: Option<Team>,
}

impl App {
    /// Asked once for each notification; the answer is stored in it.
    pub(super) async fn those_concerned(&self, notification: &Notification) -> Result<Addressees, Error> {
        let Some(team) = &notification.team else {
            let because = "neither what ran nor its incident has a team".to_owned();
            return Ok(Addressees::Nobody { because });
        };
        let facts = self.facts_about(notification, team).await?;
        let Some(settings) = facts.team.as_ref().map(|team| &team.settings) else {
            return Ok(Addressees::Nobody { because: format!("team {team} has no settings") });
        };
        let recipients = ways_to_reach(&facts.people(), settings, self.clock.now());
        if recipients.is_empty() {
            let because =
                format!("the settings of team {team} have no channel and no way to the people concerned");
            return Ok(Addressees::Nobody { because });
        }
        let words = |incident: Incident| IncidentWords { title: incident.title, priority: incident.priority };
        Ok(Addressees::Known { recipients, incident: facts.incident.map(words) })
    }

    async fn facts_about(&self, notification: &Notification, team: &TeamId) -> Result<Facts, Error> {
        let (workflow, asked) = match &notification.occasion {
            Occasion::Failure(failure) => (Some(Key::Workflow(failure.workflow.clone())), None),
            Occasion::Asking(asking) => (None, Some(asking.people.clone())),
            Occasion::Trouble(trouble) => (None, Some(trouble.people.clone())),
            // Whom it is for stands in it from the beginning.
            Occasion::Reply(_) => (None, Some(Vec::new())),
        };
        let team = Key::Team(team.clone());
        let incident = notification.incident.clone().map(Key::Incident);
        let keys = [Some(team.clone()), workflow.clone(), incident.clone()];
        let keys: Vec<Key> = keys.into_iter().flatten().collect();
        let mut found = self.table.batch_get(&keys).await?;
        Ok(Facts {
            asked,
            workflow: typed(workflow.and_then(|key| found.remove(&key)))?,
            team: typed(found.remove(&team))?,
            incident: typed(incident.and_then(|key| found.remove(&key)))?,
        })
    }
}

impl Facts {
    /// Of a failure, whose the incident is now, before who wrote the workflow.
    fn people(&self) -> Vec<UserId> {
        if let Some(asked) = &self.asked {
            return asked.clone();
        }
        let assignee = self.incident.as_ref().and_then(|incident| incident.assignee.clone());
        let creator = self.workflow.as_ref().map(|workflow| workflow.created_by.clone());
        assignee.into_iter().chain(creator).collect()
    }
}

fn typed<T: TryFrom<Record, Error = Record>>(stored: Option<Stored>) -> Result<Option<T>, TableError> {
    stored.map(|stored| stored.typed().map(|versioned| versioned.value)).transpose()
}
