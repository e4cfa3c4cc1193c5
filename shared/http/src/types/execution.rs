//! Executions as clients start them, and as the API shows them.

use muster_app::executions as app;
use muster_app::workflows::NodeName;
use muster_domain::digest::Digest;
use muster_domain::execution as domain;
use muster_domain::ids::{ExecutionId, IncidentId, RunbookId, TeamId, UserId};
use muster_domain::incident::Incident;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::freeze::FreezePass;
use super::incident::IncidentSummary;
use super::moment::{Moment, duration_ms};
use super::risk::Risk;
use super::step::{LastAnswer, Step};
use super::stop::{Pause, Stop, Unwinding};
use super::target::HeldTarget;
use super::trail::TrailEntry;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Execute {
    /// The incident it is for: of the runbook's team, or of none.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    incident_id: Option<IncidentId>,
    /// Must satisfy the runbook's schema; at most 16 KiB. Defaults are applied.
    #[serde(default)]
    parameters: Map<String, Value>,
    /// Absent: the newest approved version.
    #[serde(default)]
    version: Option<u32>,
    /// Only show what would be sent. Those who may edit or approve the runbook may name a DRAFT as `version` then.
    #[serde(default)]
    dry_run: bool,
}

impl From<Execute> for app::ExecuteRequest {
    fn from(execute: Execute) -> Self {
        Self {
            incident_id: execute.incident_id,
            parameters: execute.parameters,
            version: execute.version,
            dry_run: execute.dry_run,
        }
    }
}

/// An execution that is stored and will come to an end.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    execution: AcceptedExecution,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AcceptedExecution {
    #[schema(value_type = String)]
    id: ExecutionId,
    status: ExecutionStatus,
}

impl Accepted {
    pub(crate) fn new(id: ExecutionId) -> Self {
        let status = ExecutionStatus::Pending;
        Self { execution: AcceptedExecution { id, status } }
    }
}

/// What a person gives to run a runbook on an incident.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ExecuteOnIncident {
    /// Must satisfy the runbook's schema; at most 16 KiB. Defaults are applied.
    #[serde(default)]
    pub(crate) parameters: Map<String, Value>,
}

/// An execution that a person started on an incident. It is stored and will come to an end.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Triggered {
    execution: TriggeredExecution,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TriggeredExecution {
    #[schema(value_type = String)]
    id: ExecutionId,
    #[schema(value_type = String)]
    runbook_id: RunbookId,
    runbook_name: String,
    status: ExecutionStatus,
    triggered_by: Trigger,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum Trigger {
    Manual,
}

impl From<app::Triggered> for Triggered {
    fn from(triggered: app::Triggered) -> Self {
        let execution = TriggeredExecution {
            id: triggered.accepted.id,
            runbook_id: triggered.runbook_id,
            runbook_name: triggered.runbook_name,
            status: ExecutionStatus::Pending,
            triggered_by: Trigger::Manual,
        };
        Self { execution }
    }
}

/// One execution of one version of a runbook or a workflow.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Execution {
    #[schema(value_type = String)]
    id: ExecutionId,
    status: ExecutionStatus,
    /// The runbook's version that it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    runbook: Option<PinnedVersion>,
    /// The workflow's version that it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<PinnedVersion>,
    /// The team whose people may see and steer it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    team_id: Option<TeamId>,
    /// Who ran it.
    #[schema(value_type = String)]
    requested_by: UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<IncidentSummary>,
    /// The execution of the workflow that started this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    workflow_execution_id: Option<ExecutionId>,
    /// The execution that started this one, of a workflow or of a runbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    parent_execution_id: Option<ExecutionId>,
    /// The event that started it; absent if a person did.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    /// Validated, with defaults applied.
    parameters: Map<String, Value>,
    created_at: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Moment>,
    /// From its start to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
    #[serde(flatten)]
    standing: Standing,
    /// A person asked it to stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<Stop>,
    /// A person asked it to pause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pause: Option<Pause>,
    /// It takes back what it did, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    unwinding: Option<Unwinding>,
    /// The ended execution whose steps this one takes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    undoes: Option<ExecutionId>,
    /// The execution that takes back what this one did, or has done so: the latest. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    undone_by: Option<UndoneBy>,
    /// How risky it was found before it began; absent of what has no phases.
    #[serde(skip_serializing_if = "Option::is_none")]
    risk: Option<Risk>,
    /// Whether it helped; absent if nothing verified that.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    /// What it works on, by the limits of its runbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<HeldTarget>,
    /// Why change freezes did not bind it, although it changes something.
    #[serde(skip_serializing_if = "Option::is_none")]
    freeze_pass: Option<FreezePass>,
    #[serde(flatten)]
    last_answer: LastAnswer,
    /// Those that have begun, in the order in which they did; of one execution of a workflow, then the others as PENDING.
    steps: Vec<Step>,
    /// Every transition, oldest first; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    trail: Option<Vec<TrailEntry>>,
}

/// What takes an execution back.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UndoneBy {
    #[schema(value_type = String)]
    execution_id: ExecutionId,
    #[schema(value_type = String)]
    status: domain::ExecutionStatus,
}

impl Execution {
    /// With its trail, the names of a workflow's `nodes`, and those of them that have not begun.
    pub(crate) fn whole(
        mut execution: domain::Execution,
        incident: Option<&Incident>,
        nodes: &[NodeName],
    ) -> Self {
        let trail = std::mem::take(&mut execution.trail.entries);
        let trail = trail.into_iter().map(TrailEntry::from).collect();
        let mut shown = Self { trail: Some(trail), ..Self::listed(execution, incident) };
        Step::complete(&mut shown.steps, nodes);
        shown
    }

    /// With the execution that takes it back.
    pub(crate) fn undone_by(self, rollback: Option<&domain::Execution>) -> Self {
        let by = |one: &domain::Execution| UndoneBy { execution_id: one.id.clone(), status: one.status() };
        Self { undone_by: rollback.map(by), ..self }
    }

    /// As one of many.
    pub(crate) fn listed(execution: domain::Execution, incident: Option<&Incident>) -> Self {
        let (runbook, workflow) = match execution.pinned.clone() {
            domain::Pinned::Runbook(pinned) => (Some(pinned.into()), None),
            domain::Pinned::Workflow(pinned) => (None, Some(pinned.into())),
        };
        let workflow_parent = execution.parent.as_ref().filter(|parent| parent.workflow.is_some());
        Self {
            status: ExecutionStatus::of(&execution),
            duration_ms: duration_ms(execution.started_at, execution.ended_at),
            standing: Standing::of(&execution.state),
            target: HeldTarget::of(&execution),
            last_answer: LastAnswer::of(&execution),
            steps: Step::all_of(&execution),
            incident: incident.map(IncidentSummary::from),
            id: execution.id,
            runbook,
            workflow,
            team_id: execution.team,
            requested_by: execution.requested_by,
            workflow_execution_id: workflow_parent.map(|parent| parent.execution.clone()),
            parent_execution_id: execution.parent.map(|parent| parent.execution),
            cause: execution.cause,
            parameters: execution.parameters,
            created_at: execution.created_at.into(),
            started_at: execution.started_at.map(Moment::from),
            ended_at: execution.ended_at.map(Moment::from),
            stop: execution.stop.map(Stop::from),
            pause: execution.pause.map(Pause::from),
            unwinding: execution.unwinding.map(Unwinding::from),
            undoes: execution.undoes,
            undone_by: None,
            risk: execution.risk.map(Risk::from),
            verdict: execution.verdict.map(Verdict::from),
            freeze_pass: execution.freeze_pass.map(FreezePass::from),
            trail: None,
        }
    }
}

/// The version it runs, whatever was edited since.
#[derive(Debug, Serialize, ToSchema)]
struct PinnedVersion {
    id: String,
    name: String,
    version: u32,
    #[schema(value_type = String)]
    digest: Digest,
}

impl From<domain::PinnedRunbook> for PinnedVersion {
    fn from(pinned: domain::PinnedRunbook) -> Self {
        Self { id: pinned.id.to_string(), name: pinned.name, version: pinned.version, digest: pinned.digest }
    }
}

impl From<domain::PinnedWorkflow> for PinnedVersion {
    fn from(pinned: domain::PinnedWorkflow) -> Self {
        Self { id: pinned.id.to_string(), name: pinned.name, version: pinned.version, digest: pinned.digest }
    }
}

/// Whether a run helped, apart from whether its steps succeeded.
#[derive(Debug, Serialize, ToSchema)]
struct Verdict {
    is: VerdictKind,
    because: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum VerdictKind {
    /// It was not well before and is well now.
    Resolved,
    /// It is no better than before.
    Ineffective,
    /// It was well before and is not now.
    Regressed,
    /// Nobody can tell.
    Inconclusive,
}

impl From<domain::Verdict> for Verdict {
    fn from(verdict: domain::Verdict) -> Self {
        let is = match verdict.is {
            domain::VerdictKind::Resolved => VerdictKind::Resolved,
            domain::VerdictKind::Ineffective => VerdictKind::Ineffective,
            domain::VerdictKind::Regressed => VerdictKind::Regressed,
            domain::VerdictKind::Inconclusive => VerdictKind::Inconclusive,
        };
        Self { is, because: verdict.because }
    }
}

/// What a status means for this execution.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Standing {
    /// Why it is FAILED.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Why it is CANCELLED or ROLLED_BACK, or what a person must find out while it is NEEDS_REVIEW or UNDO_FAILED.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// When it goes on, while it is WAITING.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_until: Option<Moment>,
    /// What for, while it is WAITING.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_on: Option<WaitingOn>,
}

impl Standing {
    fn of(state: &domain::State) -> Self {
        match state {
            domain::State::Pending
            | domain::State::Running { .. }
            | domain::State::Paused
            | domain::State::Succeeded => Self::default(),
            domain::State::Waiting { until, on } => Self {
                waiting_until: Some((*until).into()),
                waiting_on: Some((*on).into()),
                ..Self::default()
            },
            domain::State::Failed { error } => Self { error: Some(error.clone()), ..Self::default() },
            domain::State::NeedsReview { reason, .. }
            | domain::State::UndoFailed { reason, .. }
            | domain::State::Cancelled { reason }
            | domain::State::RolledBack { reason } => {
                Self { reason: Some(reason.clone()), ..Self::default() }
            }
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum WaitingOn {
    /// The pause before another attempt.
    Retry,
    /// Another worker, after one gave it back before its deadline.
    Worker,
    /// The end of a delay.
    Delay,
    /// The end of an execution that a step started.
    Child,
    /// The decision of people.
    Approval,
    /// The receiver of a call, who says when it is done.
    Callback,
    /// Its turn at its target, or a limit that is reached for now.
    Lease,
}

impl From<domain::WaitingOn> for WaitingOn {
    fn from(on: domain::WaitingOn) -> Self {
        match on {
            domain::WaitingOn::Retry => Self::Retry,
            domain::WaitingOn::Worker => Self::Worker,
            domain::WaitingOn::Delay => Self::Delay,
            domain::WaitingOn::Child => Self::Child,
            domain::WaitingOn::Approval => Self::Approval,
            domain::WaitingOn::Callback => Self::Callback,
            domain::WaitingOn::Lease => Self::Lease,
        }
    }
}

/// SUCCESS, COMPLETED, FAILED, CANCELLED and ROLLED_BACK are final. A workflow is COMPLETED where a runbook is a SUCCESS, and stays RUNNING
/// while it waits; `waitingOn` says what for.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ExecutionStatus {
    /// Accepted; no worker has taken it.
    Pending,
    /// A worker has it.
    Running,
    /// Nothing to do before a moment.
    Waiting,
    /// A person paused it; nothing is in flight.
    Paused,
    /// An outcome that nobody can know: a person decides.
    NeedsReview,
    /// What was done could not be taken back: a person decides.
    UndoFailed,
    Success,
    /// A workflow came to its end.
    Completed,
    Failed,
    Cancelled,
    /// What was done was taken back.
    RolledBack,
}

impl ExecutionStatus {
    fn of(execution: &domain::Execution) -> Self {
        match (&execution.pinned, execution.status()) {
            (domain::Pinned::Workflow(_), domain::ExecutionStatus::Waiting) => Self::Running,
            (domain::Pinned::Workflow(_), domain::ExecutionStatus::Success) => Self::Completed,
            (domain::Pinned::Workflow(_) | domain::Pinned::Runbook(_), status) => status.into(),
        }
    }
}

impl From<domain::ExecutionStatus> for ExecutionStatus {
    fn from(status: domain::ExecutionStatus) -> Self {
        match status {
            domain::ExecutionStatus::Pending => Self::Pending,
            domain::ExecutionStatus::Running => Self::Running,
            domain::ExecutionStatus::Waiting => Self::Waiting,
            domain::ExecutionStatus::Paused => Self::Paused,
            domain::ExecutionStatus::NeedsReview => Self::NeedsReview,
            domain::ExecutionStatus::UndoFailed => Self::UndoFailed,
            domain::ExecutionStatus::Success => Self::Success,
            domain::ExecutionStatus::Failed => Self::Failed,
            domain::ExecutionStatus::Cancelled => Self::Cancelled,
            domain::ExecutionStatus::RolledBack => Self::RolledBack,
        }
    }
}
