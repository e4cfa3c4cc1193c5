//! A team's settings as its admins write them, and as the API shows them. Secrets are names, in both directions.

use std::collections::{BTreeMap, BTreeSet};

use muster_domain::ids::{SlackUserId, TeamId, UserId};
use muster_domain::notification as domain;
use muster_domain::workflow::actions::SlackTarget;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::moment::Moment;
use super::request::{SecretReference, WebhookAuth};
use super::risk::RiskPolicy;
use crate::extract::json;

/// How a team's people and channels are told of failures. What is left out is not told.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewTeamSettings {
    /// People by the subject of their token, at most 500. Whoever has no entry, and a subject that is an e-mail address, is told
    /// there by the notifier.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Person>)]
    people: BTreeMap<UserId, Person>,
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<SlackChannel>)]
    slack: Option<Slack>,
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    teams: Option<TeamsChannel>,
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    notifier: Option<Notifier>,
    /// What is demanded of risky runs.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    risk: Option<RiskPolicy>,
}

/// An object where there is a member at all.
fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    json::object(deserializer).map(Some)
}

/// How one person is reached; at least one of them.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Person {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    email: Option<domain::EmailAddress>,
    /// As in `U012AB3CD`. Messages to people need `slack` to be a bot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    slack_user_id: Option<SlackUserId>,
    /// The groups that they have when they answer an approval with a button in Slack, as in a token: at most 20, none by default.
    /// Only a platform admin may change them, or whose they are.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    slack_groups: BTreeSet<String>,
}

/// The team's channel in Slack: either `webhookUrl`, or `token` and `channel`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SlackChannel {
    /// An incoming webhook; the URL is the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    webhook_url: Option<SecretReference>,
    /// A bot's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<SecretReference>,
    /// Name or id of the channel that the bot posts to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
}

/// The same, known to be whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "SlackChannel", into = "SlackChannel")]
struct Slack(SlackTarget);

impl TryFrom<SlackChannel> for Slack {
    type Error = &'static str;

    fn try_from(written: SlackChannel) -> Result<Self, Self::Error> {
        match (written.webhook_url, written.token, written.channel) {
            (Some(url), None, None) => Ok(Self(SlackTarget::Webhook { url: url.into() })),
            (None, Some(token), Some(channel)) => Ok(Self(SlackTarget::Bot { token: token.into(), channel })),
            (_, _, _) => Err("expected either `webhookUrl`, or `token` and `channel`"),
        }
    }
}

impl From<Slack> for SlackChannel {
    fn from(Slack(target): Slack) -> Self {
        match target {
            SlackTarget::Webhook { url } => {
                Self { webhook_url: Some(url.into()), token: None, channel: None }
            }
            SlackTarget::Bot { token, channel } => {
                Self { webhook_url: None, token: Some(token.into()), channel: Some(channel) }
            }
        }
    }
}

/// A channel of Microsoft Teams.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TeamsChannel {
    /// The URL of a Teams workflow, which is the secret.
    webhook_url: SecretReference,
}

/// A webhook that gets `{to, subject, text, execution, workflow, incident}` for each person with an e-mail address.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Notifier {
    url: String,
    #[serde(default, deserialize_with = "json::object")]
    auth: WebhookAuth,
}

/// A team's settings as they are.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TeamSettings {
    #[schema(value_type = String)]
    team_id: TeamId,
    #[serde(flatten)]
    settings: NewTeamSettings,
    /// Absent if nobody has set any, like the one after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    updated_by: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Moment>,
}

impl TeamSettings {
    pub(crate) fn never_set(team_id: TeamId) -> Self {
        Self { team_id, settings: NewTeamSettings::default(), updated_by: None, updated_at: None }
    }
}

impl From<domain::Team> for TeamSettings {
    fn from(team: domain::Team) -> Self {
        Self {
            team_id: team.id,
            settings: team.settings.into(),
            updated_by: Some(team.updated_by),
            updated_at: Some(team.updated_at.into()),
        }
    }
}

impl From<NewTeamSettings> for domain::TeamSettings {
    fn from(new: NewTeamSettings) -> Self {
        let person = |(user, person): (UserId, Person)| {
            let Person { email, slack_user_id, slack_groups } = person;
            // Who vouches for it is for the use case to say.
            (user, domain::Person { email, slack_user_id, slack_groups, vouched_by: None })
        };
        Self {
            people: new.people.into_iter().map(person).collect(),
            slack: new.slack.map(|Slack(target)| target),
            teams: new.teams.map(|teams| domain::TeamsChannel { webhook_url: teams.webhook_url.into() }),
            notifier: new
                .notifier
                .map(|notifier| domain::Notifier { url: notifier.url, auth: notifier.auth.into() }),
            risk: new.risk.map(Into::into),
        }
    }
}

impl From<domain::TeamSettings> for NewTeamSettings {
    fn from(settings: domain::TeamSettings) -> Self {
        let person = |(user, person): (UserId, domain::Person)| {
            let domain::Person { email, slack_user_id, slack_groups, vouched_by: _ } = person;
            (user, Person { email, slack_user_id, slack_groups })
        };
        Self {
            people: settings.people.into_iter().map(person).collect(),
            slack: settings.slack.map(Slack),
            teams: settings.teams.map(|teams| TeamsChannel { webhook_url: teams.webhook_url.into() }),
            notifier: settings
                .notifier
                .map(|notifier| Notifier { url: notifier.url, auth: notifier.auth.into() }),
            risk: settings.risk.map(RiskPolicy::from),
        }
    }
}
