//! Versions of a runbook, and what differs between two.

use muster_app::versions::VersionDetail;
use muster_domain::digest::Digest;
use muster_domain::ids::UserId;
use muster_domain::runbook::diff;
use muster_domain::runbook::{RunbookDefinition, VersionDecision};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::definition::Definition;
use super::moment::Moment;
use super::runbook::VersionStatus;

/// One immutable version.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunbookVersion {
    #[serde(flatten)]
    summary: VersionSummary,
    definition: Definition,
}

/// One version in a list: without its definition.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionSummary {
    /// Counts from 1.
    version: u32,
    approval_status: VersionStatus,
    /// Digest of the definition: what an approval binds to.
    #[schema(value_type = String)]
    digest: Digest,
    #[schema(value_type = String)]
    author: UserId,
    created_at: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    change_note: Option<String>,
    /// The version that a rollback copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    rolled_back_from: Option<u32>,
    /// Absent while it is a DRAFT.
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<Approval>,
    /// Absent while it is APPROVED.
    #[serde(skip_serializing_if = "Option::is_none")]
    deprecation: Option<Deprecation>,
}

/// Who made a version runnable.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Approval {
    #[schema(value_type = String)]
    by: UserId,
    at: Moment,
    /// Whether the approver had written it: only where the installation allows that.
    self_approved: bool,
}

/// Who took a version out of use.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Deprecation {
    #[schema(value_type = String)]
    by: UserId,
    at: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<VersionDetail> for RunbookVersion {
    fn from(detail: VersionDetail) -> Self {
        let (summary, definition) = split(detail);
        Self { summary, definition: definition.into() }
    }
}

impl From<VersionDetail> for VersionSummary {
    fn from(detail: VersionDetail) -> Self {
        split(detail).0
    }
}

fn split(detail: VersionDetail) -> (VersionSummary, RunbookDefinition) {
    let VersionDetail { version, status, decision } = detail;
    let (approval, deprecation) = decision.map_or((None, None), judgement);
    let summary = VersionSummary {
        version: version.version,
        approval_status: status.into(),
        digest: version.digest,
        author: version.author,
        created_at: version.created_at.into(),
        change_note: version.change_note,
        rolled_back_from: version.rolled_back_from,
        approval,
        deprecation,
    };
    (summary, version.definition)
}

fn judgement(decision: VersionDecision) -> (Option<Approval>, Option<Deprecation>) {
    let approval = Approval {
        by: decision.approved_by,
        at: decision.approved_at.into(),
        self_approved: decision.self_approved,
    };
    let deprecation = decision.deprecated.map(|deprecated| Deprecation {
        by: deprecated.by,
        at: deprecated.at.into(),
        reason: deprecated.reason,
    });
    (Some(approval), deprecation)
}

/// What differs between two versions.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionDiff {
    pub(crate) before: u32,
    pub(crate) after: u32,
    /// In the order of the places' names; empty if the versions hold the same.
    pub(crate) changes: Vec<Change>,
}

/// One place where two definitions differ.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Change {
    /// JSON pointer (RFC 6901) into the definition.
    pointer: String,
    /// What was there; absent if the place is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Value>,
    /// What is there; absent if the place is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Value>,
}

impl From<diff::Change> for Change {
    fn from(change: diff::Change) -> Self {
        Self { pointer: change.pointer, before: change.before, after: change.after }
    }
}
