//! What an execution works on, and what its limits say to it.

use muster_app::limits as app;
use muster_domain::execution as domain;
use muster_domain::ids::ExecutionId;
use serde::Serialize;
use utoipa::ToSchema;

use super::moment::Moment;

/// The target of an execution, and its right to work there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeldTarget {
    name: String,
    /// Its lease: absent before it has one. It stays until the execution ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<Lease>,
    /// Whose end it waits for, as it last looked; empty unless it is WAITING on `lease`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    behind: Vec<ExecutionId>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Lease {
    /// A later lease of the same target has a greater one.
    fence: u64,
    since: Moment,
    /// The execution that took it: this one, or one that waits for this one.
    #[schema(value_type = String)]
    owner: ExecutionId,
}

/// What the limits would say to a run that began now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LimitsOutlook {
    /// What it would work on.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// Whose end it would wait for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    behind: Vec<ExecutionId>,
    /// Why it would be refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

impl HeldTarget {
    pub(crate) fn of(execution: &domain::Execution) -> Option<Self> {
        let admission = &execution.admission;
        let waits = matches!(execution.state, domain::State::Waiting { on: domain::WaitingOn::Lease, .. });
        let lease = admission.lease.as_ref().map(|lease| Lease {
            fence: lease.fence,
            since: lease.since.into(),
            owner: lease.owner.clone(),
        });
        let behind = if waits { admission.behind.clone() } else { Vec::new() };
        Some(Self { name: admission.target.clone()?, lease, behind })
    }
}

impl From<app::LimitsOutlook> for LimitsOutlook {
    fn from(outlook: app::LimitsOutlook) -> Self {
        let app::LimitsOutlook { target, behind, refused } = outlook;
        Self { target, behind, refused }
    }
}
