//! The audit log. Entries keep the members and the number forms under which they were hashed, so that what the API gives can
//! be verified as it is.

use muster_app::audit as app;
use muster_domain::audit as domain;
use muster_domain::digest::Digest;
use muster_domain::execution::Trail;
use muster_domain::ids::{TeamId, UserId};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One entry of a resource's hash chain.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditEntry {
    /// The id of a runbook, workflow, execution, incident or integration, `account:<id>` or `control:<scope>`.
    #[schema(value_type = String)]
    resource: domain::Resource,
    /// Counts from 1 without gaps.
    seq: u64,
    /// Milliseconds since 1970-01-01T00:00:00Z, the form under which it was hashed.
    at: i64,
    /// Who acted; absent when Muster itself did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    actor: Option<UserId>,
    /// As in `runbook.approved`.
    action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    team: Option<TeamId>,
    /// Facts of the action.
    #[serde(skip_serializing_if = "Value::is_null")]
    detail: Value,
    /// Hash of the entry before; absent on the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    prev: Option<Digest>,
    /// SHA-256 of the canonical JSON of this entry without this member.
    #[schema(value_type = String)]
    hash: Digest,
}

impl From<domain::AuditEntry> for AuditEntry {
    fn from(entry: domain::AuditEntry) -> Self {
        Self {
            resource: entry.resource,
            seq: entry.seq,
            at: entry.at.millis(),
            actor: entry.actor,
            action: entry.action,
            team: entry.team,
            detail: entry.detail,
            prev: entry.prev,
            hash: entry.hash,
        }
    }
}

/// A resource's whole chain with what it must meet: all that is needed to verify it, anywhere.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditExport {
    #[schema(value_type = String)]
    resource: domain::Resource,
    head: ChainHead,
    /// Oldest first.
    entries: Vec<AuditEntry>,
    /// An execution's own trail, `head` and `entries`, as it was hashed; the audit entries anchor it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    trail: Option<Trail>,
}

/// Where the resource says that its chain ends.
#[derive(Debug, Serialize, ToSchema)]
struct ChainHead {
    /// Number of the newest entry.
    seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    hash: Option<Digest>,
}

impl From<app::AuditExport> for AuditExport {
    fn from(export: app::AuditExport) -> Self {
        Self {
            resource: export.resource,
            head: ChainHead { seq: export.head.seq, hash: export.head.hash },
            entries: export.entries.into_iter().map(AuditEntry::from).collect(),
            trail: export.trail,
        }
    }
}
