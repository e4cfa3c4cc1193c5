//! Workflows as clients write them, and as the API shows them.

use muster_app::workflows::{BrokenReference as Broken, WorkflowDetail};
use muster_domain::digest::Digest;
use muster_domain::ids::{RunbookId, StepId, TeamId, UserId, WorkflowId};
use muster_domain::workflow as domain;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::moment::Moment;
use crate::extract::json::object;

/// What a person writes: when it starts, what it does, and within which limits. `docs/WORKFLOWS.md` explains each part.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewWorkflow {
    /// 1 to 200 characters.
    name: String,
    /// At most 4,000 characters.
    #[serde(default)]
    description: String,
    /// The owning team; absent: a global workflow, which sees the incidents of all teams. It never changes.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    team_id: Option<TeamId>,
    /// While false, only a person can start it.
    #[serde(default = "default_enabled")]
    #[schema(default = true)]
    enabled: bool,
    /// `type` is `incident_created`, `state_changed` (with `stateTransition {to, from?}`), `escalation`, `manual` or `age`
    /// (with `ageThresholdMinutes`); `conditions [{field, value}]` must all hold.
    #[serde(deserialize_with = "object")]
    #[schema(value_type = Object)]
    trigger: domain::Trigger,
    /// `nodes` of the types `trigger`, `action`, `condition` and `delay`, and `edges {from, to, when?}` between them.
    #[serde(deserialize_with = "object")]
    #[schema(value_type = Object)]
    definition: domain::Graph,
    #[serde(default, deserialize_with = "object")]
    settings: WorkflowSettings,
    /// Why it changes, at most 500 characters. Only with PUT: a new workflow has no change to note.
    #[serde(default)]
    pub(crate) change_note: Option<String>,
}

fn default_enabled() -> bool {
    true
}

impl From<NewWorkflow> for domain::WorkflowDefinition {
    fn from(new: NewWorkflow) -> Self {
        Self {
            name: new.name,
            description: new.description,
            team_id: new.team_id,
            enabled: new.enabled,
            trigger: new.trigger,
            definition: new.definition,
            settings: new.settings.into(),
        }
    }
}

/// The limits of a workflow.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WorkflowSettings {
    /// How long the whole workflow may take, from its stored start.
    timeout: Timeout,
    /// How many executions events may start within a minute; the rest is recorded as suppressed.
    #[schema(minimum = 1, maximum = 1000, default = 30)]
    max_starts_per_minute: u32,
    /// How late an age trigger may still fire after an outage, in minutes.
    #[schema(minimum = 1, maximum = 1440, default = 15)]
    misfire_minutes: u32,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
enum Timeout {
    #[serde(rename = "1min")]
    OneMinute,
    #[serde(rename = "5min")]
    FiveMinutes,
    #[serde(rename = "15min")]
    FifteenMinutes,
}

impl Default for WorkflowSettings {
    fn default() -> Self {
        domain::Settings::default().into()
    }
}

impl From<domain::Settings> for WorkflowSettings {
    fn from(settings: domain::Settings) -> Self {
        Self {
            timeout: match settings.timeout {
                domain::Timeout::OneMinute => Timeout::OneMinute,
                domain::Timeout::FiveMinutes => Timeout::FiveMinutes,
                domain::Timeout::FifteenMinutes => Timeout::FifteenMinutes,
            },
            max_starts_per_minute: settings.max_starts_per_minute,
            misfire_minutes: settings.misfire_minutes,
        }
    }
}

impl From<WorkflowSettings> for domain::Settings {
    fn from(settings: WorkflowSettings) -> Self {
        Self {
            timeout: match settings.timeout {
                Timeout::OneMinute => domain::Timeout::OneMinute,
                Timeout::FiveMinutes => domain::Timeout::FiveMinutes,
                Timeout::FifteenMinutes => domain::Timeout::FifteenMinutes,
            },
            max_starts_per_minute: settings.max_starts_per_minute,
            misfire_minutes: settings.misfire_minutes,
        }
    }
}

/// A definition as it is stored, with its defaults.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoredWorkflow {
    name: String,
    description: String,
    /// Absent: a global workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    team_id: Option<TeamId>,
    enabled: bool,
    #[schema(value_type = Object)]
    trigger: domain::Trigger,
    #[schema(value_type = Object)]
    definition: domain::Graph,
    settings: WorkflowSettings,
}

impl From<domain::WorkflowDefinition> for StoredWorkflow {
    fn from(stored: domain::WorkflowDefinition) -> Self {
        Self {
            name: stored.name,
            description: stored.description,
            team_id: stored.team_id,
            enabled: stored.enabled,
            trigger: stored.trigger,
            definition: stored.definition,
            settings: stored.settings.into(),
        }
    }
}

/// A workflow with its newest version.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Workflow {
    #[schema(value_type = String)]
    id: WorkflowId,
    /// Number of the newest version, which is the one that runs.
    version: u32,
    /// Digest of the newest version's definition.
    #[schema(value_type = String)]
    digest: Digest,
    /// Who wrote the newest version.
    #[schema(value_type = String)]
    author: UserId,
    #[schema(value_type = String)]
    created_by: UserId,
    created_at: Moment,
    updated_at: Moment,
    /// Nodes whose runbook cannot be executed as things are: an execution would fail there.
    broken_references: Vec<BrokenReference>,
    #[serde(flatten)]
    definition: StoredWorkflow,
}

impl From<WorkflowDetail> for Workflow {
    fn from(detail: WorkflowDetail) -> Self {
        let WorkflowDetail { workflow, version, broken, .. } = detail;
        Self {
            id: workflow.id,
            version: version.version,
            digest: version.digest,
            author: version.author,
            created_by: workflow.created_by,
            created_at: workflow.created_at.into(),
            updated_at: workflow.updated_at.into(),
            broken_references: broken.into_iter().map(BrokenReference::from).collect(),
            definition: version.definition.into(),
        }
    }
}

/// A node whose runbook cannot be executed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BrokenReference {
    #[schema(value_type = String)]
    node: StepId,
    #[schema(value_type = String)]
    runbook_id: RunbookId,
    reason: String,
}

impl From<Broken> for BrokenReference {
    fn from(broken: Broken) -> Self {
        Self { node: broken.node, runbook_id: broken.runbook, reason: broken.reason }
    }
}

/// A workflow in a list: without its definition.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WorkflowSummary {
    #[schema(value_type = String)]
    id: WorkflowId,
    name: String,
    /// Absent: a global workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    team_id: Option<TeamId>,
    enabled: bool,
    trigger_type: TriggerType,
    version: u32,
    #[schema(value_type = String)]
    created_by: UserId,
    created_at: Moment,
    updated_at: Moment,
}

impl From<domain::Workflow> for WorkflowSummary {
    fn from(workflow: domain::Workflow) -> Self {
        Self {
            trigger_type: workflow.trigger.kind().into(),
            id: workflow.id,
            name: workflow.name,
            team_id: workflow.team,
            enabled: workflow.enabled,
            version: workflow.version,
            created_by: workflow.created_by,
            created_at: workflow.created_at.into(),
            updated_at: workflow.updated_at.into(),
        }
    }
}

/// What starts a workflow.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TriggerType {
    IncidentCreated,
    StateChanged,
    Escalation,
    Manual,
    Age,
}

impl From<domain::TriggerKind> for TriggerType {
    fn from(kind: domain::TriggerKind) -> Self {
        match kind {
            domain::TriggerKind::IncidentCreated => Self::IncidentCreated,
            domain::TriggerKind::StateChanged => Self::StateChanged,
            domain::TriggerKind::Escalation => Self::Escalation,
            domain::TriggerKind::Manual => Self::Manual,
            domain::TriggerKind::Age => Self::Age,
        }
    }
}

impl From<TriggerType> for domain::TriggerKind {
    fn from(kind: TriggerType) -> Self {
        match kind {
            TriggerType::IncidentCreated => Self::IncidentCreated,
            TriggerType::StateChanged => Self::StateChanged,
            TriggerType::Escalation => Self::Escalation,
            TriggerType::Manual => Self::Manual,
            TriggerType::Age => Self::Age,
        }
    }
}

/// One immutable version of a workflow.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WorkflowVersion {
    #[serde(flatten)]
    summary: WorkflowVersionSummary,
    definition: StoredWorkflow,
}

/// One version in a list: without its definition.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WorkflowVersionSummary {
    /// Counts from 1.
    version: u32,
    enabled: bool,
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
}

impl From<domain::WorkflowVersion> for WorkflowVersionSummary {
    fn from(version: domain::WorkflowVersion) -> Self {
        Self {
            version: version.version,
            enabled: version.definition.enabled,
            digest: version.digest,
            author: version.author,
            created_at: version.created_at.into(),
            change_note: version.change_note,
            rolled_back_from: version.rolled_back_from,
        }
    }
}

impl From<domain::WorkflowVersion> for WorkflowVersion {
    fn from(version: domain::WorkflowVersion) -> Self {
        let definition = version.definition.clone().into();
        Self { summary: version.into(), definition }
    }
}
