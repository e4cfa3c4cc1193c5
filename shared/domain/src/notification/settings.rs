//! A team's settings: how its people and its channels are reached. Secrets are references.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::EmailAddress;
use crate::audit::ChainHead;
use crate::fault::{Fault, pointer_to};
use crate::ids::{SlackUserId, TeamId, UserId};
use crate::policy::{self, Principal};
use crate::request::WebhookAuth;
use crate::risk::RiskPolicy;
use crate::secret::SecretRef;
use crate::time::Time;
use crate::webhook;
use crate::workflow::actions::SlackTarget;

/// What is kept of a team. Who is in it, the identity provider knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Team {
    pub id: TeamId,
    pub settings: TeamSettings,
    pub updated_by: UserId,
    pub updated_at: Time,
    pub audit: ChainHead,
}

/// What a person sets; each way of telling is optional.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TeamSettings {
    /// At most 500. Whoever has an entry is reached by what it says and by nothing else.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub people: BTreeMap<UserId, Person>,
    /// The team's channel. Messages to people need a bot: an incoming webhook has one channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack: Option<SlackTarget>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teams: Option<TeamsChannel>,
    /// Tells people who have an e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifier: Option<Notifier>,
    /// What is demanded of risky runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<RiskPolicy>,
}

/// How one person is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Person {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailAddress>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack_user_id: Option<SlackUserId>,
    /// The groups that they have when they answer with a button in Slack, named as in a token; none: there they answer nothing.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub slack_groups: BTreeSet<String>,
    /// The platform admin who said that this Slack user is this person and has these groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vouched_by: Option<UserId>,
}

/// Who presses a button in Slack, as a team's settings know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackPerson {
    pub principal: Principal,
    pub vouched_by: UserId,
}

impl Person {
    /// Whether a button of theirs counts.
    fn answers_in_slack(&self) -> bool {
        self.slack_user_id.is_some() && self.vouched_by.is_some() && !self.slack_groups.is_empty()
    }

    /// Whether the two say the same of who a Slack user is.
    fn is_vouched_like(&self, other: &Self) -> bool {
        self.slack_user_id == other.slack_user_id && self.slack_groups == other.slack_groups
    }

    fn faults(&self, pointer: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.email.is_none() && self.slack_user_id.is_none() {
            let message = "says no way; give `email` or `slackUserId`, or remove the entry";
            faults.push(Fault::new(pointer, message));
        }
        let groups = format!("{pointer}/slackGroups");
        if !self.slack_groups.is_empty() && self.slack_user_id.is_none() {
            faults
                .push(Fault::new(groups.clone(), "whose they are in Slack is not said; give `slackUserId`"));
        }
        if self.slack_groups.len() > MAX_SLACK_GROUPS {
            let message =
                format!("has {} groups; at most {MAX_SLACK_GROUPS} are allowed", self.slack_groups.len());
            faults.push(Fault::new(groups.clone(), message));
        }
        let unknown = self.slack_groups.iter().filter(|group| !policy::is_group(group));
        faults.extend(unknown.map(|group| {
            let expected = "expected `platform-admin`, `auditor` or `team:<id>:<viewer|responder|admin>`";
            Fault::new(groups.clone(), format!("{group:?} grants nothing; {expected}"))
        }));
        faults
    }
}

/// A channel of Microsoft Teams, by the URL of a Teams workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TeamsChannel {
    /// The URL is the secret.
    pub webhook_url: SecretRef,
}

/// A webhook that gets `{to, subject, text, execution, …}` and sends an e-mail, or whatever its owner has it do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Notifier {
    /// Absolute `http` or `https` URL; no template.
    pub url: String,
    #[serde(default)]
    pub auth: WebhookAuth,
}

/// The most people that a team's settings list.
pub const MAX_PEOPLE: usize = 500;
/// The most groups that one person has in Slack.
pub const MAX_SLACK_GROUPS: usize = 20;

impl TeamSettings {
    /// All that is wrong with them, and where.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.people.len() > MAX_PEOPLE {
            let message = format!("has {} entries; at most {MAX_PEOPLE} are allowed", self.people.len());
            faults.push(Fault::new("/people", message));
        }
        for (user, person) in self.people.iter().take(MAX_PEOPLE) {
            faults.extend(person.faults(&pointer_to("/people", user.as_str())));
        }
        faults.extend(self.shared_buttons());
        faults.extend(self.slack.iter().flat_map(|slack| slack.fixed_faults("/slack")));
        faults.extend(self.notifier.iter().flat_map(Notifier::faults));
        faults.extend(self.risk.iter().flat_map(|policy| policy.faults("/risk")));
        faults
    }

    /// A Slack user whose buttons count is one person.
    fn shared_buttons(&self) -> Vec<Fault> {
        let mut seen = BTreeSet::new();
        let answering = self.people.iter().filter(|(_, person)| !person.slack_groups.is_empty());
        let twice = answering.filter(|(_, person)| {
            let known = person.slack_user_id.as_ref();
            known.is_some_and(|id| !seen.insert(id))
        });
        let fault = |user: &UserId| {
            let pointer = format!("{}/slackUserId", pointer_to("/people", user.as_str()));
            Fault::new(pointer, "is that of another person with `slackGroups`; one Slack user is one person")
        };
        twice.map(|(user, _)| fault(user)).collect()
    }

    /// These settings with a word on who vouches for whom in Slack: whoever did so before, where nothing about that was changed,
    /// else `by`. The second tells whether anything was.
    #[must_use]
    pub fn vouched(mut self, before: Option<&Self>, by: &UserId) -> (Self, bool) {
        let mut changed = false;
        for (user, person) in &mut self.people {
            let known = before.and_then(|before| before.people.get(user));
            let known = known.filter(|known| known.is_vouched_like(person));
            person.vouched_by = match known {
                _ if person.slack_groups.is_empty() => None,
                Some(known) => known.vouched_by.clone(),
                None => {
                    changed = true;
                    Some(by.clone())
                }
            };
        }
        (self, changed)
    }

    /// Whether anybody answers with buttons: without, none are shown.
    pub fn has_buttons(&self) -> bool {
        self.people.values().any(Person::answers_in_slack)
    }

    /// Who a Slack user is; `None` if their buttons do not count.
    pub fn slack_person(&self, id: &SlackUserId) -> Option<SlackPerson> {
        let mut known = self.people.iter().filter(|(_, person)| person.answers_in_slack());
        let (user, person) = known.find(|(_, person)| person.slack_user_id.as_ref() == Some(id))?;
        let groups = person.slack_groups.iter().map(String::as_str);
        let principal = Principal::from_groups(user.clone(), groups);
        Some(SlackPerson { principal, vouched_by: person.vouched_by.clone()? })
    }
}

impl Notifier {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.url.contains("{{") {
            faults.push(Fault::new("/notifier/url", "is used as it stands; it cannot be a template"));
        } else {
            webhook::check_url("/notifier/url", &self.url, &mut faults);
        }
        webhook::check_auth("/notifier/auth", &self.auth, &mut faults);
        faults
    }
}
