//! Notifications (C9, D5): who is told, by which way, that an execution went wrong or that people are asked, and how far that has
//! come.

mod address;
mod asking;
mod buttons;
mod decide;
mod failure;
mod message;
mod recipients;
mod reply;
mod settings;
mod trouble;

use serde::{Deserialize, Serialize};

pub use self::address::EmailAddress;
pub use self::asking::{Asking, Occasion};
pub use self::decide::{Decision, Effect, Event, Moved, Refusal, WAITS, decide};
pub(crate) use self::failure::number_of;
pub use self::failure::{Failure, owes_notification};
pub use self::message::prepare;
pub use self::recipients::{Way, ways_to_reach};
pub use self::reply::{Reply, Seen};
pub use self::settings::{
    MAX_PEOPLE, MAX_SLACK_GROUPS, Notifier, Person, SlackPerson, Team, TeamSettings, TeamsChannel,
};
pub use self::trouble::{Escalated, escalates_to, troubles_of};
use crate::ids::{ExecutionId, IncidentId, TeamId, UserId};
use crate::incident::Priority;
use crate::time::Time;

/// What one failure, or one asking, owes to those concerned. It is created in the commit that stores what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    pub execution: ExecutionId,
    /// Counts from 1: an execution that a person sends on may go wrong again, and a gate may be escalated.
    pub number: u32,
    #[serde(flatten)]
    pub occasion: Occasion,
    /// Whose settings say how people are reached: the workflow's team, else the incident's; of a gate or a runbook's
    /// trouble, a team that is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    pub addressees: Addressees,
    /// When the sweeper must look at it; absent once nothing is owed any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Time>,
}

/// To whom a notification goes. Found out once, so that every attempt tells the same people the same thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "are", rename_all = "camelCase")]
pub enum Addressees {
    /// Nobody has looked yet.
    Unknown,
    /// There is nothing to send.
    Nobody { because: String },
    Known {
        recipients: Vec<Recipient>,
        /// The incident as it was when they were found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incident: Option<IncidentWords>,
    },
}

/// What a message says of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentWords {
    pub title: String,
    pub priority: Priority,
}

/// One message of a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recipient {
    pub way: Way,
    /// The person it is for; absent for a channel of the team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    pub state: RecipientState,
    /// Attempts that have begun.
    pub attempts: u32,
    /// Why the last attempt that failed did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "camelCase")]
pub enum RecipientState {
    /// The next attempt may start at a moment.
    Owed {
        due: Time,
    },
    /// An attempt is in flight; after this moment nobody will store its outcome any more.
    Sending {
        until: Time,
    },
    Delivered {
        at: Time,
    },
    /// Given up: the audit log has an entry that says so.
    Abandoned {
        at: Time,
    },
}

impl Notification {
    /// One for which nobody has looked yet who is concerned.
    pub fn new(
        execution: ExecutionId,
        number: u32,
        occasion: Occasion,
        (team, incident): (Option<TeamId>, Option<IncidentId>),
        due_at: Time,
    ) -> Self {
        let addressees = Addressees::Unknown;
        Self { execution, number, occasion, team, incident, addressees, due_at: Some(due_at) }
    }

    /// The same to the recipients that were found, each owed at once. Those that are known already stay.
    #[must_use]
    pub fn addressed(self, found: Addressees) -> Self {
        match self.addressees {
            Addressees::Unknown => {
                let due_at = self.due_at.filter(|_| !matches!(found, Addressees::Nobody { .. }));
                Self { addressees: found, due_at, ..self }
            }
            Addressees::Nobody { .. } | Addressees::Known { .. } => self,
        }
    }

    pub fn recipients(&self) -> &[Recipient] {
        match &self.addressees {
            Addressees::Known { recipients, .. } => recipients,
            Addressees::Unknown | Addressees::Nobody { .. } => &[],
        }
    }

    /// The same for every attempt at one recipient: what the receiver tells repeats apart by. `place` counts from 0.
    pub fn idempotency_key(&self, place: usize) -> String {
        match &self.occasion {
            Occasion::Failure(_) | Occasion::Trouble(_) => {
                format!("{}-notification-{}-{place}", self.execution, self.number)
            }
            Occasion::Asking(Asking { step, round, .. }) | Occasion::Reply(Reply { step, round, .. }) => {
                format!("{}-{step}-{round}-notification-{}-{place}", self.execution, self.number)
            }
        }
    }

    /// The name of one attempt; `number` counts from 1.
    pub fn attempt_id(&self, place: usize, number: u32) -> String {
        format!("{}-{number}", self.idempotency_key(place))
    }
}

impl Recipient {
    /// One that is owed a message at once.
    pub fn new(way: Way, user: Option<UserId>, now: Time) -> Self {
        Self { way, user, state: RecipientState::Owed { due: now }, attempts: 0, last_error: None }
    }

    /// What the recipient is, in a word.
    pub const fn kind(&self) -> &'static str {
        match (&self.way, &self.user) {
            (Way::Slack { .. }, None) => "slackChannel",
            (Way::Slack { .. }, Some(_)) => "slackUser",
            (Way::SlackReply { .. }, _) => "slackReply",
            (Way::Teams { .. }, _) => "teamsChannel",
            (Way::Notifier { .. }, _) => "notifier",
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
