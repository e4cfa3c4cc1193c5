//! The one table: four verbs, typed keys and records. How an engine stores them is `muster-store`'s.

mod query;
mod record;

use async_trait::async_trait;
use muster_domain::audit::Resource;
use muster_domain::control::Scope;
use muster_domain::digest::Digest;
use muster_domain::ids::{
    AccountId, ExecutionId, IncidentId, IntegrationId, RunbookId, StepId, TeamId, UserId, WorkflowId,
};
use muster_domain::time::Time;
use muster_domain::workflow::TriggerKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use self::query::{DUE_SHARDS, Order, Page, PageRequest, PartPlace, Query};
pub use self::record::{AgeCursor, Body, Candidate, Candidates, IdempotencyRecord, Record, Starts};

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
    /// What is set for a scope: its kill switch and its freezes.
    Control(Scope),
    /// Who works on a target, by the digest of whose it is and its name.
    Target(Digest),
    /// How often a runbook began within the last hour.
    Usage(RunbookId),
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

    /// Replaces the record that was read at `seen`, or creates the one that was not there.
    pub fn put(record: impl Into<Record>, seen: Option<u64>) -> Self {
        match seen {
            None => Self::create(record),
            Some(version) => Self::replace(record, version),
        }
    }
}

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
