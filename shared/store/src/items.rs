//! Records as items: the same attributes in both engines. Part of the stored shape, frozen by a test.

use muster_app::table::{Key, Record, Stored, TableError, TableErrorKind};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure;
use crate::keys::ItemKey;
use crate::lists::Entries;

/// One item as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub key: ItemKey,
    pub kind: Kind,
    /// The version of the shape of `data`.
    pub schema: u32,
    pub version: u64,
    /// The record as compact JSON text: half the size of the same as a DynamoDB map.
    pub data: String,
    pub entries: Entries,
    /// When the engine may drop the item, in seconds since the epoch. Code never relies on it.
    pub ttl: Option<i64>,
}

/// The parts of an item that make a record again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawItem {
    pub key: ItemKey,
    pub kind: String,
    pub schema: u32,
    pub version: u64,
    pub data: String,
}

/// The schema that is written. A reader refuses any other, so that an old binary never misreads new data.
pub const SCHEMA: u32 = 1;

/// The largest `data`, in bytes: what DynamoDB takes in one item (400 KB), less the other attributes.
pub const MAX_DATA_BYTES: usize = 390 * 1024;

/// How long after its expiry an item is kept, so that a slow clock loses nothing.
const TTL_GRACE_SECONDS: i64 = 24 * 60 * 60;

/// What a record is, as its item says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Runbook,
    RunbookVersion,
    Decision,
    Execution,
    Body,
    Approval,
    Ledger,
    Incident,
    IncidentEvent,
    Why,
    Workflow,
    WorkflowVersion,
    Candidates,
    Candidate,
    Starts,
    AgeCursor,
    Integration,
    Account,
    Alert,
    Seen,
    Notification,
    Team,
    Person,
    Audit,
    Idempotency,
    Control,
    Target,
    Usage,
    BreakGlass,
}

impl Kind {
    const ALL: [Self; 29] = [
        Self::Runbook,
        Self::RunbookVersion,
        Self::Decision,
        Self::Execution,
        Self::Body,
        Self::Approval,
        Self::Ledger,
        Self::Incident,
        Self::IncidentEvent,
        Self::Why,
        Self::Workflow,
        Self::WorkflowVersion,
        Self::Candidates,
        Self::Candidate,
        Self::Starts,
        Self::AgeCursor,
        Self::Integration,
        Self::Account,
        Self::Alert,
        Self::Seen,
        Self::Notification,
        Self::Team,
        Self::Person,
        Self::Audit,
        Self::Idempotency,
        Self::Control,
        Self::Target,
        Self::Usage,
        Self::BreakGlass,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Runbook => "runbook",
            Self::RunbookVersion => "runbookVersion",
            Self::Decision => "decision",
            Self::Execution => "execution",
            Self::Body => "body",
            Self::Approval => "approval",
            Self::Ledger => "ledger",
            Self::Incident => "incident",
            Self::IncidentEvent => "incidentEvent",
            Self::Why => "why",
            Self::Workflow => "workflow",
            Self::WorkflowVersion => "workflowVersion",
            Self::Candidates => "candidates",
            Self::Candidate => "candidate",
            Self::Starts => "starts",
            Self::AgeCursor => "ageCursor",
            Self::Integration => "integration",
            Self::Account => "account",
            Self::Alert => "alert",
            Self::Seen => "seen",
            Self::Notification => "notification",
            Self::Team => "team",
            Self::Person => "person",
            Self::Audit => "audit",
            Self::Idempotency => "idempotency",
            Self::Control => "control",
            Self::Target => "target",
            Self::Usage => "usage",
            Self::BreakGlass => "breakGlass",
        }
    }

    fn of(record: &Record) -> Self {
        match record {
            Record::Runbook(_) => Self::Runbook,
            Record::RunbookVersion(_) => Self::RunbookVersion,
            Record::Decision(_) => Self::Decision,
            Record::Execution(_) => Self::Execution,
            Record::Body(_) => Self::Body,
            Record::Approval(_) => Self::Approval,
            Record::Ledger(_) => Self::Ledger,
            Record::Incident(_) => Self::Incident,
            Record::IncidentEvent(_) => Self::IncidentEvent,
            Record::Why(_) => Self::Why,
            Record::Workflow(_) => Self::Workflow,
            Record::WorkflowVersion(_) => Self::WorkflowVersion,
            Record::Candidates(_) => Self::Candidates,
            Record::Candidate(_) => Self::Candidate,
            Record::Starts(_) => Self::Starts,
            Record::AgeCursor(_) => Self::AgeCursor,
            Record::Integration(_) => Self::Integration,
            Record::Account(_) => Self::Account,
            Record::Alert(_) => Self::Alert,
            Record::Seen(_) => Self::Seen,
            Record::Notification(_) => Self::Notification,
            Record::Team(_) => Self::Team,
            Record::Person(_) => Self::Person,
            Record::Audit(_) => Self::Audit,
            Record::Idempotency(_) => Self::Idempotency,
            Record::Control(_) => Self::Control,
            Record::Target(_) => Self::Target,
            Record::Usage(_) => Self::Usage,
            Record::BreakGlass(_) => Self::BreakGlass,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl Item {
    /// The item of `record` at `version`. An item that is too large for any engine is refused.
    pub fn of(record: &Record, version: u64) -> Result<Self, TableError> {
        let key = record.key();
        let data = encode(record)
            .map_err(|error| failure(format!("encoding {key:?}"), TableErrorKind::Invalid, error))?;
        if data.len() > MAX_DATA_BYTES {
            let size = format!("it has {} bytes; at most {MAX_DATA_BYTES} can be stored", data.len());
            return Err(failure(format!("encoding {key:?}"), TableErrorKind::Invalid, size));
        }
        Ok(Self {
            key: ItemKey::of(&key),
            kind: Kind::of(record),
            schema: SCHEMA,
            version,
            data,
            entries: Entries::of(record),
            ttl: ttl(record),
        })
    }
}

fn encode(record: &Record) -> serde_json::Result<String> {
    fn text<T: Serialize>(value: &T) -> serde_json::Result<String> {
        serde_json::to_string(value)
    }
    match record {
        Record::Runbook(value) => text(value),
        Record::RunbookVersion(value) => text(value),
        Record::Decision(value) => text(value),
        Record::Execution(value) => text(value),
        Record::Body(value) => text(value),
        Record::Approval(value) => text(value),
        Record::Ledger(value) => text(value),
        Record::Incident(value) => text(value),
        Record::IncidentEvent(value) => text(value),
        Record::Why(value) => text(value),
        Record::Workflow(value) => text(value),
        Record::WorkflowVersion(value) => text(value),
        Record::Candidates(value) => text(value),
        Record::Candidate(value) => text(value),
        Record::Starts(value) => text(value),
        Record::AgeCursor(value) => text(value),
        Record::Integration(value) => text(value),
        Record::Account(value) => text(value),
        Record::Alert(value) => text(value),
        Record::Seen(value) => text(value),
        Record::Notification(value) => text(value),
        Record::Team(value) => text(value),
        Record::Person(value) => text(value),
        Record::Audit(value) => text(value),
        Record::Idempotency(value) => text(value),
        Record::Control(value) => text(value),
        Record::Target(value) => text(value),
        Record::Usage(value) => text(value),
        Record::BreakGlass(value) => text(value),
    }
}

fn ttl(record: &Record) -> Option<i64> {
    let expires_at = match record {
        Record::Idempotency(kept) => kept.expires_at,
        Record::Why(why) => why.expires_at,
        Record::Starts(starts) => starts.expires_at,
        Record::Seen(seen) => seen.expires_at,
        Record::Usage(usage) => usage.expires_at,
        Record::Runbook(_)
        | Record::RunbookVersion(_)
        | Record::Decision(_)
        | Record::Execution(_)
        | Record::Body(_)
        | Record::Approval(_)
        | Record::Ledger(_)
        | Record::Incident(_)
        | Record::IncidentEvent(_)
        | Record::Workflow(_)
        | Record::WorkflowVersion(_)
        | Record::Candidates(_)
        | Record::Candidate(_)
        | Record::AgeCursor(_)
        | Record::Integration(_)
        | Record::Account(_)
        | Record::Alert(_)
        | Record::Notification(_)
        | Record::Team(_)
        | Record::Person(_)
        | Record::Audit(_)
        | Record::Control(_)
        | Record::Target(_)
        | Record::BreakGlass(_) => return None,
    };
    Some((expires_at.millis() / 1_000).saturating_add(TTL_GRACE_SECONDS))
}

/// Why an item is not a record.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("its kind {0:?} is unknown")]
    Kind(String),
    #[error("its schema is {0}, and this version of Muster reads only {SCHEMA}")]
    Schema(u32),
    #[error("its data is not of its kind")]
    Data(#[from] serde_json::Error),
    #[error("its data belongs to {0:?}")]
    Misplaced(Key),
}

impl RawItem {
    /// The record of this item; an item that is not exactly what Muster writes is corrupt.
    pub fn decode(self) -> Result<Stored, TableError> {
        let record = self.record().map_err(|unreadable| {
            let doing = format!("reading the item {} / {}", self.key.pk, self.key.sk);
            failure(doing, TableErrorKind::Corrupt, unreadable)
        })?;
        Ok(Stored { record, version: self.version })
    }

    fn record(&self) -> Result<Record, Unreadable> {
        if self.schema != SCHEMA {
            return Err(Unreadable::Schema(self.schema));
        }
        let kind = Kind::parse(&self.kind).ok_or_else(|| Unreadable::Kind(self.kind.clone()))?;
        let record = decode(kind, &self.data)?;
        let key = record.key();
        if ItemKey::of(&key) == self.key { Ok(record) } else { Err(Unreadable::Misplaced(key)) }
    }
}

fn decode(kind: Kind, data: &str) -> serde_json::Result<Record> {
    fn value<T: DeserializeOwned + Into<Record>>(data: &str) -> serde_json::Result<Record> {
        serde_json::from_str::<T>(data).map(Into::into)
    }
    use muster_app::table::{AgeCursor, Body, Candidate, Candidates, IdempotencyRecord, Starts};
    use muster_domain::account::Account;
    use muster_domain::approval::{Approval, Ledger, Person};
    use muster_domain::audit::AuditEntry;
    use muster_domain::control::Control;
    use muster_domain::execution::Execution;
    use muster_domain::freeze::BreakGlassLog;
    use muster_domain::incident::{Incident, IncidentEvent};
    use muster_domain::integration::{Alert, Integration, Seen};
    use muster_domain::limits::{Target, Usage};
    use muster_domain::notification::{Notification, Team};
    use muster_domain::runbook::{Runbook, RunbookVersion, VersionDecision};
    use muster_domain::workflow::{WhyPart, Workflow, WorkflowVersion};
    match kind {
        Kind::Runbook => value::<Runbook>(data),
        Kind::RunbookVersion => value::<RunbookVersion>(data),
        Kind::Decision => value::<VersionDecision>(data),
        Kind::Execution => value::<Execution>(data),
        Kind::Body => value::<Body>(data),
        Kind::Approval => value::<Approval>(data),
        Kind::Ledger => value::<Ledger>(data),
        Kind::Incident => value::<Incident>(data),
        Kind::IncidentEvent => value::<IncidentEvent>(data),
        Kind::Why => value::<WhyPart>(data),
        Kind::Workflow => value::<Workflow>(data),
        Kind::WorkflowVersion => value::<WorkflowVersion>(data),
        Kind::Candidates => value::<Candidates>(data),
        Kind::Candidate => value::<Candidate>(data),
        Kind::Starts => value::<Starts>(data),
        Kind::AgeCursor => value::<AgeCursor>(data),
        Kind::Integration => value::<Integration>(data),
        Kind::Account => value::<Account>(data),
        Kind::Alert => value::<Alert>(data),
        Kind::Seen => value::<Seen>(data),
        Kind::Notification => value::<Notification>(data),
        Kind::Team => value::<Team>(data),
        Kind::Person => value::<Person>(data),
        Kind::Audit => value::<AuditEntry>(data),
        Kind::Idempotency => value::<IdempotencyRecord>(data),
        Kind::Control => value::<Control>(data),
        Kind::Target => value::<Target>(data),
        Kind::Usage => value::<Usage>(data),
        Kind::BreakGlass => value::<BreakGlassLog>(data),
    }
}
