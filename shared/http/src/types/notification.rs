//! Notifications as the API shows them. Addresses stay in the team's settings, which not everybody may read who may read an
//! execution.

use muster_domain::execution::ExecutionStatus;
use muster_domain::ids::{StepId, TeamId, UserId};
use muster_domain::notification as domain;
use serde::Serialize;
use utoipa::ToSchema;

use super::moment::Moment;

/// What one execution owed and owes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Notifications {
    pub(crate) items: Vec<Notification>,
}

/// What one failure, or one asking, owes to those concerned.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Notification {
    /// Counts from 1: an execution that a person sends on may fail again.
    number: u32,
    /// What the execution came to: FAILED, CANCELLED (out of time), ROLLED_BACK, NEEDS_REVIEW or UNDO_FAILED; SUCCESS if it did
    /// not help; WAITING if people are asked, or their answer was taken or refused.
    #[schema(value_type = String)]
    status: ExecutionStatus,
    /// The node or the step that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    node: Option<StepId>,
    /// Absent if people are asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// What whoever pressed a button was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    at: Moment,
    /// The team whose channels and people are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    team_id: Option<TeamId>,
    /// Why there is nobody to tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Empty until a worker has found out whom it concerns.
    recipients: Vec<Recipient>,
}

impl From<domain::Notification> for Notification {
    fn from(notification: domain::Notification) -> Self {
        let recipients = notification.recipients().iter().map(Recipient::from).collect();
        let reason = match notification.addressees {
            domain::Addressees::Nobody { because } => Some(because),
            domain::Addressees::Unknown | domain::Addressees::Known { .. } => None,
        };
        let text = match &notification.occasion {
            domain::Occasion::Reply(reply) => Some(reply.text.clone()),
            domain::Occasion::Failure(_) | domain::Occasion::Asking(_) | domain::Occasion::Trouble(_) => None,
        };
        let (status, node, error, at) = match notification.occasion {
            domain::Occasion::Failure(failure) => {
                (failure.status, failure.step, Some(failure.error), failure.at)
            }
            domain::Occasion::Trouble(trouble) => {
                (trouble.status, trouble.step, Some(trouble.because), trouble.at)
            }
            domain::Occasion::Asking(asking) => {
                (ExecutionStatus::Waiting, Some(asking.step), None, asking.at)
            }
            domain::Occasion::Reply(reply) => (ExecutionStatus::Waiting, Some(reply.step), None, reply.at),
        };
        Self {
            number: notification.number,
            status,
            node,
            error,
            text,
            at: at.into(),
            team_id: notification.team,
            reason,
            recipients,
        }
    }
}

/// One message of a notification.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    /// `slackChannel`, `slackUser`, `slackReply` (an answer to whoever pressed a button), `teamsChannel` or `notifier`.
    kind: &'static str,
    /// The person it is for; absent for a channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    user: Option<UserId>,
    state: RecipientState,
    /// Attempts that have begun.
    attempts: u32,
    /// When the next attempt may start.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_until: Option<Moment>,
    /// When it was delivered, or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Moment>,
    /// Why the last attempt that failed did.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum RecipientState {
    Owed,
    /// An attempt is in flight.
    Sending,
    Delivered,
    /// Given up: the audit log says so.
    Abandoned,
}

impl From<&domain::Recipient> for Recipient {
    fn from(recipient: &domain::Recipient) -> Self {
        let (state, waiting_until, ended_at) = match recipient.state {
            domain::RecipientState::Owed { due } => (RecipientState::Owed, Some(due), None),
            domain::RecipientState::Sending { .. } => (RecipientState::Sending, None, None),
            domain::RecipientState::Delivered { at } => (RecipientState::Delivered, None, Some(at)),
            domain::RecipientState::Abandoned { at } => (RecipientState::Abandoned, None, Some(at)),
        };
        Self {
            kind: recipient.kind(),
            user: recipient.user.clone(),
            state,
            attempts: recipient.attempts,
            waiting_until: waiting_until.map(Moment::from),
            ended_at: ended_at.map(Moment::from),
            last_error: recipient.last_error.clone(),
        }
    }
}
