//! The lists that exist, and pages of them.

use muster_domain::audit::Resource;
use muster_domain::ids::{ExecutionId, IncidentId, RunbookId, TeamId, WorkflowId};
use muster_domain::time::Time;
use muster_domain::workflow::TriggerKind;
use serde::{Deserialize, Serialize};

use super::Stored;

/// The lists that exist. Each is one partition of one index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "list", rename_all = "camelCase")]
pub enum Query {
    /// Every runbook that is not deleted.
    Runbooks,
    RunbooksOfTeam {
        team: TeamId,
    },
    VersionsOfRunbook {
        runbook: RunbookId,
    },
    ExecutionsOfRunbook {
        runbook: RunbookId,
    },
    ExecutionsOfIncident {
        incident: IncidentId,
    },
    ExecutionsOfParent {
        parent: ExecutionId,
    },
    /// Every round that an execution's approval steps asked.
    ApprovalsOfExecution {
        execution: ExecutionId,
    },
    /// Approvals that are open, of a team or (`None`) of all; what ends first sorts first.
    OpenApprovals {
        team: Option<TeamId>,
    },
    Incidents,
    IncidentsOfTeam {
        team: TeamId,
    },
    /// Incidents that are OPEN or ACKNOWLEDGED, of a team or (`None`) of all, opened after one moment and up to another;
    /// the oldest sorts first.
    OpenIncidents {
        team: Option<TeamId>,
        after: Option<Time>,
        until: Time,
    },
    EventsOfIncident {
        incident: IncidentId,
    },
    /// Events of a team's incidents (`None`: of incidents without a team) on one UTC day, `YYYY-MM-DD`.
    EventsOfDay {
        team: Option<TeamId>,
        day: String,
    },
    /// What was decided about the events of an incident, by the moment of the event; up to a part, inclusive, or all.
    DecisionsOfIncident {
        incident: IncidentId,
        up_to: Option<PartPlace>,
    },
    /// What was decided about one event.
    DecisionsOfEvent {
        incident: IncidentId,
        at: Time,
        event: String,
    },
    /// Every workflow that is not deleted.
    Workflows,
    WorkflowsOfTeam {
        team: TeamId,
    },
    VersionsOfWorkflow {
        workflow: WorkflowId,
    },
    ExecutionsOfWorkflow {
        workflow: WorkflowId,
    },
    /// Enabled workflows of a team (`None`: global ones, and for age triggers all) with this kind of trigger.
    Candidates {
        team: Option<TeamId>,
        kind: TriggerKind,
    },
    Integrations,
    IntegrationsOfTeam {
        team: TeamId,
    },
    NotificationsOfExecution {
        execution: ExecutionId,
    },
    /// AWS accounts that have a team, by number.
    Accounts,
    AccountsOfTeam {
        team: TeamId,
    },
    /// A resource's chain.
    AuditOfResource {
        resource: Resource,
    },
    /// Audit entries of a team (`None`: of no team) on one UTC day, `YYYY-MM-DD`.
    AuditOfDay {
        team: Option<TeamId>,
        day: String,
    },
    /// What one shard of the due-index owes at `until` or before, most overdue first.
    Due {
        shard: u8,
        until: Time,
    },
}

/// Where a part of what was decided stands among those of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartPlace {
    /// The event's moment and name.
    pub at: Time,
    pub event: String,
    pub part: u32,
}

/// How many shards the due-index has. Part of the stored shape.
pub const DUE_SHARDS: u8 = 8;

/// Which part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The most records, 1 to 100.
    pub limit: u32,
    pub order: Order,
    /// The `next` of the page before.
    pub after: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smallest sort key first.
    Ascending,
    /// Largest sort key first: newest first, for ids that sort by time.
    Descending,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    pub records: Vec<Stored>,
    /// The sort key to go on after; `None` on the last page. A page may hold fewer records than its limit and still have a next.
    pub next: Option<String>,
}
