//! The one table: four verbs, typed keys and records. How an engine stores them is `muster-store`'s.

use std::collections::BTreeMap;

use async_trait::async_trait;
use muster_domain::account::Account;
use muster_domain::approval::{Approval, Ledger, Person};
use muster_domain::audit::{AuditEntry, Resource};
use muster_domain::control::{KillSwitch, Scope};
use muster_domain::digest::Digest;
use muster_domain::execution::Execution;
use muster_domain::freeze::{BreakGlassLog, FreezeCalendar, FreezeScope};
use muster_domain::ids::{
    AccountId, ExecutionId, IncidentId, IntegrationId, RunbookId, StepId, TeamId, UserId, WorkflowId,
};
use muster_domain::incident::{Incident, IncidentEvent};
use muster_domain::integration::{Alert, Integration, Seen};
use muster_domain::limits::{Target, Usage};
use muster_domain::notification::{Notification, Occasion, Team};
use muster_domain::runbook::{Runbook, RunbookVersion, VersionDecision};
use muster_domain::time::Time;
use muster_domain::workflow::{TriggerKind, WhyPart, Workflow, WorkflowVersion};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The single table. An engine holds no rules: it stores, compares versions and pages.
#[async_trait]
pub trait Table: Send + Sync {
    /// Consistent read of one record.
    async fn get(&self, key: &Key) -> Result<Option<Stored>, TableError>;

    /// Consistent read of at most 100 records; keys without a record are left out. All or an error, never a part.
    async fn batch_get(&self, keys: &[Key]) -> Result<BTreeMap<Key, Stored>, TableError>;

    /// One page of an index or of a partition. Indexes may lag behind: a record is re-read, and one that has gone is left out.
    async fn query(&self, query: &Query, page: &PageRequest) -> Result<Page, TableError>;

    /// All writes or none. At most 100; a key may occur once. Durable when it returns.
    async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError>;
}

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    Runbook(RunbookId),
    RunbookVersion(RunbookId, u32),
    /// The decision on a version; only the approval routes write it.
    Decision(RunbookId, u32),
    Execution(ExecutionId),
    /// A body too large for the execution's own item.
    Body(ExecutionId, StepId, BodyPart),
    /// What a round of an approval step asked; rounds count from 1.
    Approval(ExecutionId, StepId, u32),
    /// What people decided in that round; only the approval routes write it.
    Ledger(ExecutionId, StepId, u32),
    Incident(IncidentId),
    IncidentEvent(IncidentId, u64),
    /// Why an event did or did not start workflows: by the event's moment, its name, and a part of what was decided.
    Why(IncidentId, Time, String, u32),
    Workflow(WorkflowId),
    WorkflowVersion(WorkflowId, u32),
    /// The generation of a team's candidates (`None`: the global ones): it changes whenever one of them does.
    Candidates(Option<TeamId>),
    /// One workflow as the matcher needs it, by what triggers it. Only enabled ones stand here.
    Candidate(Option<TeamId>, TriggerKind, WorkflowId),
    /// How many executions of a workflow began within one minute of the epoch.
    Starts(WorkflowId, u64),
    /// How far the age trigger of a workflow has looked.
    AgeCursor(WorkflowId),
    Integration(IntegrationId),
    /// Whose the alarms of an AWS account are.
    Account(AccountId),
    Alert(Digest),
    Seen(Digest),
    /// What a failure of an execution owes; failures count from 1.
    Notification(ExecutionId, u32),
    /// What a round of an approval step owes to those who are asked; they count from 1.
    AskingNote(ExecutionId, StepId, u32, u32),
    Team(TeamId),
    /// By which other names a person is known.
    Person(UserId),
    Audit(Resource, u64),
    /// A request with an `Idempotency-Key`, by the digest of caller, route and key.
    Idempotency(Digest),
    KillSwitch(Scope),
    /// Who works on a target, by the digest of whose it is and its name.
    Target(Digest),
    /// How often a runbook began within the last hour.
    Usage(RunbookId),
    /// The change freezes of a scope.
    Freezes(FreezeScope),
    /// Everything that is remembered of broken glass.
    BreakGlass,
}

/// Which body of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BodyPart {
    /// The rendered request, which every attempt sends.
    Request,
    /// The response to the attempt of this number, from 1.
    Response(u32),
}

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
    KillSwitch(KillSwitch),
    Target(Target),
    Usage(Usage),
    Freezes(FreezeCalendar),
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

/// A record as read, with the version that a conditional write names.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    pub record: Record,
    /// 1 after the first write, one more after each further.
    pub version: u64,
}

/// A typed record as read.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<T> {
    pub value: T,
    pub version: u64,
}

/// One conditional write.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every write is a put; a box would cost an allocation each"
)]
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    Put { record: Record, expect: Expect },
    Delete { key: Key, expect: Expect },
}

/// What must be there for a write to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    Absent,
    Version(u64),
}

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

#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Something else was there. Nothing was written.
    #[error("a condition does not hold for {}", list(keys))]
    Conflict {
        /// Keys of the writes whose condition failed; empty when another commit was under way.
        keys: Vec<Key>,
    },
    #[error(transparent)]
    Table(#[from] TableError),
}

fn list(keys: &[Key]) -> String {
    let names: Vec<String> = keys.iter().map(|key| format!("{key:?}")).collect();
    names.join(", ")
}

/// The table could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct TableError {
    /// What was being done, as in "reading an execution".
    pub doing: String,
    pub kind: TableErrorKind,
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableErrorKind {
    /// Trying again later may help: throttled, unreachable, timed out.
    Unavailable,
    /// The disk or the quota is full.
    Full,
    /// A stored item does not have the shape that this version of Muster reads.
    Corrupt,
    /// Muster asked for something impossible: a defect.
    Invalid,
}

impl TableErrorKind {
    /// Whether the same call may succeed later.
    pub const fn retryable(self) -> bool {
        match self {
            Self::Unavailable | Self::Full => true,
            Self::Corrupt | Self::Invalid => false,
        }
    }
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
                Occasion::Asking(asking) => {
                    Key::AskingNote(execution.clone(), asking.step.clone(), asking.round, *number)
                }
            },
            Self::Team(team) => Key::Team(team.id.clone()),
            Self::Person(person) => Key::Person(person.id.clone()),
            Self::Audit(entry) => Key::Audit(entry.resource.clone(), entry.seq),
            Self::Idempotency(record) => Key::Idempotency(record.scope),
            Self::KillSwitch(switch) => Key::KillSwitch(switch.scope.clone()),
            Self::Target(target) => Key::Target(target.key.digest()),
            Self::Usage(usage) => Key::Usage(usage.runbook.clone()),
            Self::Freezes(calendar) => Key::Freezes(calendar.scope.clone()),
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

impl Write {
    pub fn key(&self) -> Key {
        match self {
            Self::Put { record, .. } => record.key(),
            Self::Delete { key, .. } => key.clone(),
        }
    }

    pub fn create(record: impl Into<Record>) -> Self {
        Self::Put { record: record.into(), expect: Expect::Absent }
    }

    /// Replaces the record that was read at `version`.
    pub fn replace(record: impl Into<Record>, version: u64) -> Self {
        Self::Put { record: record.into(), expect: Expect::Version(version) }
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
record_type!(KillSwitch, KillSwitch);
record_type!(Target, Target);
record_type!(Usage, Usage);
record_type!(FreezeCalendar, Freezes);
record_type!(BreakGlassLog, BreakGlass);

impl Stored {
    /// The record as its type; an item of another type under a key is corrupt.
    pub fn typed<T: TryFrom<Record, Error = Record>>(self) -> Result<Versioned<T>, TableError> {
        let version = self.version;
        let typed = T::try_from(self.record).map(|value| Versioned { value, version });
        typed.map_err(|other| TableError {
            doing: format!("reading {:?}, which holds a record of another kind", other.key()),
            kind: TableErrorKind::Corrupt,
            source: None,
        })
    }
}
