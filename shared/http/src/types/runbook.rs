//! Runbooks as the API shows them.

use muster_app::runbooks::RunbookDetail;
use muster_domain::digest::Digest;
use muster_domain::ids::{RunbookId, TeamId, UserId};
use muster_domain::runbook as domain;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::definition::Definition;
use super::moment::Moment;

/// A runbook with its newest version.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Runbook {
    #[schema(value_type = String)]
    id: RunbookId,
    /// Number of the newest version.
    version: u32,
    /// Status of the newest version.
    approval_status: VersionStatus,
    /// The version that an execution runs unless it names another; absent: none may run.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_version: Option<u32>,
    /// Digest of the newest version's definition: what an approval binds to.
    #[schema(value_type = String)]
    digest: Digest,
    /// Who wrote the newest version.
    #[schema(value_type = String)]
    author: UserId,
    #[schema(value_type = String)]
    created_by: UserId,
    created_at: Moment,
    updated_at: Moment,
    #[serde(flatten)]
    definition: Definition,
}

impl From<RunbookDetail> for Runbook {
    fn from(detail: RunbookDetail) -> Self {
        let RunbookDetail { runbook, version, .. } = detail;
        Self {
            version: version.version,
            approval_status: runbook.head_status().into(),
            approved_version: runbook.approved_version(),
            digest: version.digest,
            author: version.author,
            created_by: runbook.created_by,
            created_at: runbook.created_at.into(),
            updated_at: runbook.updated_at.into(),
            definition: version.definition.into(),
            id: runbook.id,
        }
    }
}

/// A runbook in a list: without its definition.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunbookSummary {
    #[schema(value_type = String)]
    id: RunbookId,
    name: String,
    /// Absent: a global runbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    team_id: Option<TeamId>,
    tags: Vec<String>,
    version: u32,
    approval_status: VersionStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_version: Option<u32>,
    #[schema(value_type = String)]
    created_by: UserId,
    created_at: Moment,
    updated_at: Moment,
}

impl From<domain::Runbook> for RunbookSummary {
    fn from(runbook: domain::Runbook) -> Self {
        Self {
            version: runbook.version,
            approval_status: runbook.head_status().into(),
            approved_version: runbook.approved_version(),
            id: runbook.id,
            name: runbook.name,
            team_id: runbook.team,
            tags: runbook.tags,
            created_by: runbook.created_by,
            created_at: runbook.created_at.into(),
            updated_at: runbook.updated_at.into(),
        }
    }
}

/// Where a version stands: DRAFT, then APPROVED, then DEPRECATED, and never back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum VersionStatus {
    Draft,
    Approved,
    Deprecated,
}

impl From<domain::VersionStatus> for VersionStatus {
    fn from(status: domain::VersionStatus) -> Self {
        match status {
            domain::VersionStatus::Draft => Self::Draft,
            domain::VersionStatus::Approved => Self::Approved,
            domain::VersionStatus::Deprecated => Self::Deprecated,
        }
    }
}

impl From<VersionStatus> for domain::VersionStatus {
    fn from(status: VersionStatus) -> Self {
        match status {
            VersionStatus::Draft => Self::Draft,
            VersionStatus::Approved => Self::Approved,
            VersionStatus::Deprecated => Self::Deprecated,
        }
    }
}
