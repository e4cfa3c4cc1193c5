//! A team's settings: read by its people, set by its admins.

use std::collections::BTreeMap;

use muster_domain::audit::{ChainHead, Resource};
use muster_domain::ids::TeamId;
use muster_domain::notification::{Person, Team, TeamSettings};
use muster_domain::policy::{Action, Owner};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::load::audit;
use crate::once::Decided;
use crate::runbooks::{fact, refuse_faults};
use crate::table::{Key, Versioned, Write};
use crate::{App, Caller, Error};

/// A team with the version that `If-Match` names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamDetail {
    pub team: Team,
    pub revision: u64,
}

impl App {
    /// `None` if nobody has set any.
    pub async fn team_settings(&self, caller: &Caller, id: &TeamId) -> Result<Option<TeamDetail>, Error> {
        caller.principal.may(Action::Read, &Owner::Team(id.clone()))?;
        let stored = self.load_team(id).await?;
        Ok(stored.map(|Versioned { value, version }| TeamDetail { team: value, revision: version }))
    }

    /// Replaces what was set; the same again changes nothing. Settings that nobody has set match no `If-Match`.
    pub async fn set_team_settings(
        &self,
        caller: &Caller,
        id: &TeamId,
        settings: TeamSettings,
        if_match: Option<u64>,
    ) -> Result<TeamDetail, Error> {
        caller.principal.may(Action::EditIntegration, &Owner::Team(id.clone()))?;
        refuse_faults(settings.faults())?;
        let decide = async || {
            let before = self.load_team(id).await?;
            let current = before.as_ref().map_or(0, |team| team.version);
            if if_match.is_some_and(|expected| before.is_none() || expected != current) {
                return Err(Error::Stale { current });
            }
            let known = before.as_ref().map(|team| &team.value.settings);
            let (settings, vouches) = settings.clone().vouched(known, &caller.principal.user);
            if vouches {
                caller.principal.may(Action::VouchForSlackUser, &Owner::Team(id.clone()))?;
            }
            Ok(self.decide_team(caller, id, settings, before))
        };
        Ok(self.once(caller, decide).await?.into_reply())
    }

    fn decide_team(
        &self,
        caller: &Caller,
        id: &TeamId,
        settings: TeamSettings,
        before: Option<Versioned<Team>>,
    ) -> Decided<TeamDetail> {
        let (head, version) = match before {
            Some(Versioned { value, version }) if value.settings == settings => {
                let reply = TeamDetail { team: value, revision: version };
                return Decided { reply, writes: Vec::new() };
            }
            Some(Versioned { value, version }) => (value.audit, Some(version)),
            None => (ChainHead::default(), None),
        };
        let (user, now) = (caller.principal.user.clone(), self.clock.now());
        let mut team =
            Team { id: id.clone(), settings, updated_by: user.clone(), updated_at: now, audit: head };
        let fact = fact("team.settings_changed", &user, detail_of(&team.settings));
        let entry = audit(&mut team.audit, Resource::Team(id.clone()), Some(id.clone()), fact, now);
        let write = Write::put(team.clone(), version);
        let revision = version.unwrap_or_default().saturating_add(1);
        Decided { reply: TeamDetail { team, revision }, writes: vec![write, entry] }
    }

    pub(crate) async fn load_team(&self, id: &TeamId) -> Result<Option<Versioned<Team>>, Error> {
        let stored = self.table.get(&Key::Team(id.clone())).await?;
        Ok(stored.map(|stored| stored.typed()).transpose()?)
    }
}

/// Where messages go is to be seen, and who answers in Slack as what; who else the people are stands in the settings. Secrets are
/// names.
fn detail_of(settings: &TeamSettings) -> serde_json::Value {
    let answering = settings.people.iter().filter(|(_, person)| !person.slack_groups.is_empty());
    let answering: BTreeMap<_, _> = answering
        .map(|(user, person)| {
            let Person { slack_user_id, slack_groups, vouched_by, .. } = person;
            (user, json!({"slackUserId": slack_user_id, "groups": slack_groups, "vouchedBy": vouched_by}))
        })
        .collect();
    json!({
        "people": settings.people.len(),
        "answeringInSlack": answering,
        "slack": settings.slack,
        "teams": settings.teams,
        "notifier": settings.notifier,
    })
}
