//! What stands under a key: every kind of record, and those that only the table knows.

use muster_domain::account::Account;
use muster_domain::approval::{Approval, Ledger, Person};
use muster_domain::audit::AuditEntry;
use muster_domain::control::Control;
use muster_domain::digest::Digest;
use muster_domain::execution::Execution;
use muster_domain::freeze::BreakGlassLog;
use muster_domain::ids::{ExecutionId, StepId, TeamId, WorkflowId};
use muster_domain::incident::{Incident, IncidentEvent};
use muster_domain::integration::{Alert, Integration, Seen};
use muster_domain::limits::{Target, Usage};
use muster_domain::notification::{Asking, Notification, Occasion, Reply, Team};
use muster_domain::runbook::{Runbook, RunbookVersion, VersionDecision};
use muster_domain::time::Time;
use muster_domain::workflow::{TriggerKind, WhyPart, Workflow, WorkflowVersion};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{BodyPart, Key};

/// What stands there.
#[expect(
    clippy::large_enum_variant,
    reason = "the largest, an execution, is also what is written most; a box would cost an allocation each"
)]
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    Runbook(Runbook),
    RunbookVersion(RunbookVersion),
    Decision(VersionDecision),
    Execution(Execution),
    Body(Body),
    Approval(Approval),
    Ledger(Ledger),
    Incident(Incident),
    IncidentEvent(IncidentEvent),
    Why(WhyPart),
    Workflow(Workflow),
    WorkflowVersion(WorkflowVersion),
    Candidates(Candidates),
    Candidate(Candidate),
    Starts(Starts),
    AgeCursor(AgeCursor),
    Integration(Integration),
    Account(Account),
    Alert(Alert),
    Seen(Seen),
    Notification(Notification),
    Team(Team),
    Person(Person),
    Audit(AuditEntry),
    Idempotency(IdempotencyRecord),
    Control(Control),
    Target(Target),
    Usage(Usage),
    BreakGlass(BreakGlassLog),
}

/// A body kept beside its execution. Secrets in it are references.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    pub execution: ExecutionId,
    pub step: StepId,
    pub part: BodyPart,
    pub text: String,
}

/// The answer to a request that carried an `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdempotencyRecord {
    /// Digest of caller, route and key.
    pub scope: Digest,
    /// Digest of the request's body: the same key with another body is refused.
    pub request: Digest,
    /// The use case's result, from which the same answer is made again.
    pub reply: Value,
    /// Until when the answer is kept. Compared in code; the engine's TTL only collects garbage.
    pub expires_at: Time,
}

/// The generation of a team's candidates is the version of this item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidates {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    pub changed_at: Time,
}

/// An enabled workflow in the matcher's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Candidate(pub Workflow);

/// Executions of one workflow that began within one minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Starts {
    pub workflow: WorkflowId,
    /// Minutes since the epoch.
    pub minute: u64,
    pub count: u32,
    /// When the item may be collected.
    pub expires_at: Time,
}

/// Every incident that was opened up to a moment has been judged by an age trigger, and is not judged again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgeCursor {
    pub workflow: WorkflowId,
    /// The threshold that was last judged by, for people.
    pub threshold_minutes: u32,
    pub opened_until: Time,
}

impl Record {
    pub fn key(&self) -> Key {
        match self {
            Self::Runbook(runbook) => Key::Runbook(runbook.id.clone()),
            Self::RunbookVersion(version) => Key::RunbookVersion(version.runbook.clone(), version.version),
            Self::Decision(decision) => Key::Decision(decision.runbook.clone(), decision.version),
            Self::Execution(execution) => Key::Execution(execution.id.clone()),
            Self::Body(body) => Key::Body(body.execution.clone(), body.step.clone(), body.part),
            Self::Approval(Approval { question, .. }) => {
                Key::Approval(question.execution.clone(), question.step.clone(), question.round)
            }
            Self::Ledger(ledger) => Key::Ledger(ledger.execution.clone(), ledger.step.clone(), ledger.round),
            Self::Incident(incident) => Key::Incident(incident.id.clone()),
            Self::IncidentEvent(event) => Key::IncidentEvent(event.incident.clone(), event.seq),
            Self::Why(why) => Key::Why(why.incident.clone(), why.event_at, why.event.clone(), why.part),
            Self::Workflow(workflow) => Key::Workflow(workflow.id.clone()),
            Self::WorkflowVersion(version) => Key::WorkflowVersion(version.workflow.clone(), version.version),
            Self::Candidates(candidates) => Key::Candidates(candidates.team.clone()),
            Self::Candidate(Candidate(workflow)) => Candidate::key(workflow),
            Self::Starts(starts) => Key::Starts(starts.workflow.clone(), starts.minute),
            Self::AgeCursor(cursor) => Key::AgeCursor(cursor.workflow.clone()),
            Self::Integration(integration) => Key::Integration(integration.id.clone()),
            Self::Account(account) => Key::Account(account.id.clone()),
            Self::Alert(alert) => Key::Alert(alert.key),
            Self::Seen(seen) => Key::Seen(seen.key),
            Self::Notification(Notification { execution, number, occasion, .. }) => match occasion {
                Occasion::Failure(_) | Occasion::Trouble(_) => Key::Notification(execution.clone(), *number),
                Occasion::Asking(Asking { step, round, .. }) | Occasion::Reply(Reply { step, round, .. }) => {
                    Key::AskingNote(execution.clone(), step.clone(), *round, *number)
                }
            },
            Self::Team(team) => Key::Team(team.id.clone()),
            Self::Person(person) => Key::Person(person.id.clone()),
            Self::Audit(entry) => Key::Audit(entry.resource.clone(), entry.seq),
            Self::Idempotency(record) => Key::Idempotency(record.scope),
            Self::Control(control) => Key::Control(control.scope.clone()),
            Self::Target(target) => Key::Target(target.key.digest()),
            Self::Usage(usage) => Key::Usage(usage.runbook.clone()),
            Self::BreakGlass(_) => Key::BreakGlass,
        }
    }
}

impl Candidate {
    /// Where an enabled workflow stands. No event sets off an age trigger: the sweeper looks for all of them at once, so those
    /// of teams stand with the global ones.
    pub fn key(workflow: &Workflow) -> Key {
        Key::Candidate(Self::partition(workflow), workflow.trigger.kind(), workflow.id.clone())
    }

    /// Whose list it is in, and whose generation changes with it.
    pub fn partition(workflow: &Workflow) -> Option<TeamId> {
        workflow.team.clone().filter(|_| workflow.trigger.kind() != TriggerKind::Age)
    }
}

/// Ties a record's type to its variant, both ways.
macro_rules! record_type {
    ($type:ty, $variant:ident) => {
        impl From<$type> for Record {
            fn from(value: $type) -> Self {
                Self::$variant(value)
            }
        }

        impl TryFrom<Record> for $type {
            type Error = Record;

            /// Gives the record back if it is of another type.
            fn try_from(record: Record) -> Result<Self, Record> {
                match record {
                    Record::$variant(value) => Ok(value),
                    other => Err(other),
                }
            }
        }
    };
}

record_type!(Runbook, Runbook);
record_type!(RunbookVersion, RunbookVersion);
record_type!(VersionDecision, Decision);
record_type!(Execution, Execution);
record_type!(Body, Body);
record_type!(Approval, Approval);
record_type!(Ledger, Ledger);
record_type!(Incident, Incident);
record_type!(IncidentEvent, IncidentEvent);
record_type!(WhyPart, Why);
record_type!(Workflow, Workflow);
record_type!(WorkflowVersion, WorkflowVersion);
record_type!(Candidates, Candidates);
record_type!(Candidate, Candidate);
record_type!(Starts, Starts);
record_type!(AgeCursor, AgeCursor);
record_type!(Integration, Integration);
record_type!(Account, Account);
record_type!(Alert, Alert);
record_type!(Seen, Seen);
record_type!(Notification, Notification);
record_type!(Team, Team);
record_type!(Person, Person);
record_type!(AuditEntry, Audit);
record_type!(IdempotencyRecord, Idempotency);
record_type!(Control, Control);
record_type!(Target, Target);
record_type!(Usage, Usage);
record_type!(BreakGlassLog, BreakGlass);
