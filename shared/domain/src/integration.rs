//! Inbound webhooks: who sends what to where, and how a firing and its resolution meet.

use serde::{Deserialize, Serialize};

use crate::audit::ChainHead;
use crate::digest::Digest;
use crate::ids::{IncidentId, IntegrationId, SecretName, TeamId, UserId};
use crate::sources::Source;
use crate::sources::verification::Scheme;
use crate::time::Time;

/// One sender that reports to Muster at an address of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Integration {
    pub id: IntegrationId,
    pub name: String,
    /// Whose incidents it opens; absent: incidents of no team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    pub source: Source,
    /// How its deliveries prove who sent them.
    pub scheme: Scheme,
    /// Any of them may verify a delivery, so that a secret can be changed without a gap.
    pub secrets: Vec<SecretName>,
    pub enabled: bool,
    pub created_by: UserId,
    pub created_at: Time,
    pub updated_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Time>,
    pub audit: ChainHead,
}

/// What one fingerprint of one sender stands for: the incident that its reports are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// Digest of the sender and the fingerprint.
    pub key: Digest,
    pub incident: IncidentId,
    /// How often it was reported to fire while the incident was open.
    pub firings: u32,
    pub updated_at: Time,
}

/// That a delivery was dealt with, so that its repeat is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// Digest of the sender and the delivery's own id.
    pub key: Digest,
    pub expires_at: Time,
}
