//! From those concerned and a team's settings to the messages that are owed, each once.

use serde::{Deserialize, Serialize};

use super::{EmailAddress, Notifier, Recipient, Seen, TeamSettings};
use crate::answer::Answer;
use crate::approval::ReplyUrl;
use crate::ids::{SlackUserId, UserId};
use crate::secret::SecretRef;
use crate::time::Time;
use crate::workflow::actions::SlackTarget;

/// How one message travels, complete but for the values of secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Way {
    /// To a channel, or as a bot to a person, whose id then stands for the channel.
    Slack {
        target: SlackTarget,
        /// Whether there are people whose buttons count: a message that asks has some then.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        buttons: bool,
    },
    /// To where Slack takes answers to a click.
    SlackReply {
        url: ReplyUrl,
        seen: Seen,
    },
    Teams {
        webhook_url: SecretRef,
    },
    Notifier {
        notifier: Notifier,
        to: EmailAddress,
    },
}

impl Way {
    /// How the answer to it is read.
    pub const fn answer(&self) -> Answer {
        match self {
            Self::Slack { target, .. } => target.answer(),
            Self::SlackReply { .. } | Self::Teams { .. } | Self::Notifier { .. } => Answer::Status,
        }
    }
}

/// The team's channels first, then the people in their order, each by every way that the settings have. No message is
/// sent twice, as it would be if the assignee had written the workflow.
pub fn ways_to_reach(people: &[UserId], settings: &TeamSettings, now: Time) -> Vec<Recipient> {
    let buttons = settings.has_buttons();
    let slack = settings.slack.iter().map(|target| Way::Slack { target: target.clone(), buttons });
    let teams = settings.teams.iter().map(|teams| Way::Teams { webhook_url: teams.webhook_url.clone() });
    let channels = slack.chain(teams).map(|way| (way, None));
    let personal = people
        .iter()
        .flat_map(|user| ways_to_person(user, settings).into_iter().map(|way| (way, Some(user.clone()))));
    let mut recipients: Vec<Recipient> = Vec::new();
    for (way, user) in channels.chain(personal) {
        if recipients.iter().all(|recipient| recipient.way != way) {
            recipients.push(Recipient::new(way, user, now));
        }
    }
    recipients
}

fn ways_to_person(user: &UserId, settings: &TeamSettings) -> Vec<Way> {
    let (email, slack_user) = match settings.people.get(user) {
        Some(person) => (person.email.clone(), person.slack_user_id.as_ref()),
        // Many identity providers name people by their address.
        None => (user.as_str().parse().ok(), None),
    };
    let slack = slack_user.zip(settings.slack.as_ref());
    let slack = slack.and_then(|(user, team)| direct_message(user, team));
    let slack = slack.map(|target| Way::Slack { target, buttons: settings.has_buttons() });
    let notifier = email.zip(settings.notifier.clone());
    let notifier = notifier.map(|(to, notifier)| Way::Notifier { notifier, to });
    slack.into_iter().chain(notifier).collect()
}

/// `chat.postMessage` takes the id of a person for a channel. An incoming webhook cannot choose.
fn direct_message(user: &SlackUserId, team: &SlackTarget) -> Option<SlackTarget> {
    match team {
        SlackTarget::Bot { token, .. } => {
            Some(SlackTarget::Bot { token: token.clone(), channel: user.to_string() })
        }
        SlackTarget::Webhook { .. } => None,
    }
}
