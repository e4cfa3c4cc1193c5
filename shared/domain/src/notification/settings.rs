//! A team's settings: how its people and its channels are reached. Secrets are references.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::EmailAddress;
use crate::audit::ChainHead;
use crate::fault::{Fault, pointer_to};
use crate::ids::{SlackUserId, TeamId, UserId};
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

impl TeamSettings {
    /// All that is wrong with them, and where.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.people.len() > MAX_PEOPLE {
            let message = format!("has {} entries; at most {MAX_PEOPLE} are allowed", self.people.len());
            faults.push(Fault::new("/people", message));
        }
        for (user, person) in self.people.iter().take(MAX_PEOPLE) {
            if *person == Person::default() {
                let message = "says no way; give `email` or `slackUserId`, or remove the entry";
                faults.push(Fault::new(pointer_to("/people", user.as_str()), message));
            }
        }
        faults.extend(self.slack.iter().flat_map(|slack| slack.fixed_faults("/slack")));
        faults.extend(self.notifier.iter().flat_map(Notifier::faults));
        faults.extend(self.risk.iter().flat_map(|policy| policy.faults("/risk")));
        faults
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
