//! Runbooks: what people write, approve and run.

pub mod definition;
pub mod diff;
pub mod lifecycle;
pub mod phased;
pub mod simple;
mod validate;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use self::definition::RunbookDefinition;
pub use self::lifecycle::VersionStatus;
pub use self::phased::PhasedRunbook;
pub use self::simple::SimpleRunbook;
use crate::audit::ChainHead;
use crate::digest::Digest;
use crate::ids::{RunbookId, TeamId, UserId};
use crate::time::Time;

/// The head of a runbook: what is true of all its versions, and of the newest one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Runbook {
    pub id: RunbookId,
    /// Absent: a global runbook. Set at creation and never changed, for permissions hang on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// Name of the newest version, kept here for lists.
    pub name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Number of the newest version; versions count from 1 without gaps.
    pub version: u32,
    /// Versions whose status is APPROVED. The decision items say the same with a name under each.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub approved: BTreeSet<u32>,
    /// Versions whose status is DEPRECATED.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub deprecated: BTreeSet<u32>,
    pub created_by: UserId,
    pub created_at: Time,
    pub updated_at: Time,
    /// Set when the runbook was deleted: its history stays readable, it never runs again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Time>,
    pub audit: ChainHead,
}

impl Runbook {
    /// The status of one version; `None` if there is no such version.
    pub fn status_of(&self, version: u32) -> Option<VersionStatus> {
        if version == 0 || version > self.version {
            None
        } else if self.approved.contains(&version) {
            Some(VersionStatus::Approved)
        } else if self.deprecated.contains(&version) {
            Some(VersionStatus::Deprecated)
        } else {
            Some(VersionStatus::Draft)
        }
    }

    /// The status of the newest version.
    pub fn head_status(&self) -> VersionStatus {
        self.status_of(self.version).unwrap_or(VersionStatus::Draft)
    }

    /// The version that an execution without a version runs.
    pub fn approved_version(&self) -> Option<u32> {
        self.approved.last().copied()
    }
}

/// One immutable version of a runbook's definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunbookVersion {
    pub runbook: RunbookId,
    pub version: u32,
    pub definition: RunbookDefinition,
    /// Digest of the definition's canonical JSON.
    pub digest: Digest,
    pub author: UserId,
    /// Everyone whose unapproved work this version holds, the author included: none of them may approve it.
    pub writers: BTreeSet<UserId>,
    pub created_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_note: Option<String>,
    /// The version this one was copied from by a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_from: Option<u32>,
}

/// The decision on one version: the item that makes it runnable. Written by the approval routes alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionDecision {
    pub runbook: RunbookId,
    pub version: u32,
    /// What was approved; a decision on another digest approves nothing.
    pub digest: Digest,
    pub approved_by: UserId,
    pub approved_at: Time,
    /// Whether the installation allowed the author to approve.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub self_approved: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<Deprecation>,
}

impl VersionDecision {
    pub fn status(&self) -> VersionStatus {
        if self.deprecated.is_some() { VersionStatus::Deprecated } else { VersionStatus::Approved }
    }
}

/// Who took an approved version out of use, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deprecation {
    pub by: UserId,
    pub at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
