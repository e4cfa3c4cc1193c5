//! The lists of the table: in which of them a record stands, and where a query looks.
//!
//! An index is sparse: an item without its two attributes is not in it. A sort key is unique within its partition and
//! holds the item's own key, so that a page can go on after any item, even one that has gone.

use muster_app::table::{DUE_SHARDS, Key, Query, Record};
use muster_domain::audit::AuditEntry;
use muster_domain::execution::Execution;
use muster_domain::incident::Incident;
use muster_domain::runbook::Runbook;
use muster_domain::time::Time;

use crate::keys::ItemKey;

/// The secondary indexes of the table; each projects keys only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    List1,
    List2,
    List3,
    Due,
}

impl Index {
    pub const ALL: [Self; 4] = [Self::List1, Self::List2, Self::List3, Self::Due];

    pub const fn name(self) -> &'static str {
        match self {
            Self::List1 => "list1",
            Self::List2 => "list2",
            Self::List3 => "list3",
            Self::Due => "due",
        }
    }

    pub const fn pk_attribute(self) -> &'static str {
        match self {
            Self::List1 => "list1_pk",
            Self::List2 => "list2_pk",
            Self::List3 => "list3_pk",
            Self::Due => "due_pk",
        }
    }

    pub const fn sk_attribute(self) -> &'static str {
        match self {
            Self::List1 => "list1_sk",
            Self::List2 => "list2_sk",
            Self::List3 => "list3_sk",
            Self::Due => "due_sk",
        }
    }
}

/// A place in one index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub pk: String,
    pub sk: String,
}

/// The places of one item in the indexes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entries {
    pub list1: Option<Entry>,
    pub list2: Option<Entry>,
    pub list3: Option<Entry>,
    pub due: Option<Entry>,
}

impl Entries {
    pub fn of(record: &Record) -> Self {
        match record {
            Record::Runbook(runbook) => runbook_entries(runbook),
            Record::Execution(execution) => execution_entries(execution),
            Record::Incident(incident) => incident_entries(incident),
            Record::Audit(entry) => audit_entries(entry),
            Record::RunbookVersion(_)
            | Record::Decision(_)
            | Record::Body(_)
            | Record::Idempotency(_)
            | Record::KillSwitch(_) => Self::default(),
        }
    }

    pub fn get(&self, index: Index) -> Option<&Entry> {
        match index {
            Index::List1 => self.list1.as_ref(),
            Index::List2 => self.list2.as_ref(),
            Index::List3 => self.list3.as_ref(),
            Index::Due => self.due.as_ref(),
        }
    }
}

/// A deleted runbook is in no list.
fn runbook_entries(runbook: &Runbook) -> Entries {
    if runbook.deleted_at.is_some() {
        return Entries::default();
    }
    let by_team = runbook.team.as_ref().map(|team| entry(format!("RUNBOOKS#{team}"), runbook.id.as_str()));
    Entries {
        list1: Some(entry("RUNBOOKS".into(), runbook.id.as_str())),
        list2: by_team,
        ..Entries::default()
    }
}

fn execution_entries(execution: &Execution) -> Entries {
    let id = execution.id.as_str();
    let of_incident = |incident| entry(format!("INC#{incident}#EX"), id);
    let of_parent = |parent| entry(format!("EX#{parent}#EX"), id);
    let due = |at| {
        let pk = ItemKey::of(&Key::Execution(execution.id.clone())).pk;
        Entry { sk: format!("{}#{pk}", padded(at)), pk: due_partition(shard_of(&pk)) }
    };
    Entries {
        list1: Some(entry(format!("RB#{}#EX", execution.runbook.id), id)),
        list2: execution.incident.as_ref().map(of_incident),
        list3: execution.parent.as_ref().map(of_parent),
        due: execution.due_at.map(due),
    }
}

fn incident_entries(incident: &Incident) -> Entries {
    let by_team = incident.team.as_ref().map(|team| entry(format!("INCIDENTS#{team}"), incident.id.as_str()));
    let list1 = Some(entry("INCIDENTS".into(), incident.id.as_str()));
    Entries { list1, list2: by_team, ..Entries::default() }
}

fn audit_entries(audit: &AuditEntry) -> Entries {
    let day = audit.at.to_string();
    let day = day.split('T').next().unwrap_or_default();
    let sk = format!("{}#{}#{:020}", padded(audit.at), audit.resource, audit.seq);
    let pk = audit_partition(audit.team.as_ref().map(|team| team.as_str()), day);
    Entries { list1: Some(Entry { pk, sk }), ..Entries::default() }
}

fn entry(pk: String, sk: &str) -> Entry {
    Entry { pk, sk: sk.to_owned() }
}

/// `*` stands for no team: no team can be called that.
fn audit_partition(team: Option<&str>, day: &str) -> String {
    format!("AUDIT#{}#{day}", team.unwrap_or("*"))
}

fn due_partition(shard: u8) -> String {
    format!("DUE#{shard:02}")
}

/// The greatest moment that 15 digits can hold, in the year 33658; later ones are stored as this one.
const MAX_MILLIS: i64 = 999_999_999_999_999;

/// A moment that sorts as text.
fn padded(at: Time) -> String {
    format!("{:015}", at.millis().clamp(0, MAX_MILLIS))
}

/// Which shard of the due-index an item is in: FNV-1a of its partition key, which never changes.
fn shard_of(pk: &str) -> u8 {
    let hash = pk.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    u8::try_from(hash % u64::from(DUE_SHARDS)).unwrap_or(0)
}

/// Where a query looks: one partition, and the sort keys strictly between two bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub place: Place,
    pub partition: String,
    pub above: String,
    pub below: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The items of one partition of the table itself.
    Table,
    Index(Index),
}

/// Less and greater than every character of a sort key. DynamoDB takes no empty text as a bound.
const FIRST: &str = " ";
const LAST: &str = "~";

impl Listing {
    pub fn of(query: &Query) -> Self {
        let list1 = |partition| Self::whole(Place::Index(Index::List1), partition);
        let list2 = |partition| Self::whole(Place::Index(Index::List2), partition);
        match query {
            Query::Runbooks => list1("RUNBOOKS".into()),
            Query::RunbooksOfTeam { team } => list2(format!("RUNBOOKS#{team}")),
            Query::VersionsOfRunbook { runbook } => Self {
                above: "V#".into(),
                below: format!("V#{LAST}"),
                ..Self::whole(Place::Table, ItemKey::of(&Key::Runbook(runbook.clone())).pk)
            },
            Query::ExecutionsOfRunbook { runbook } => list1(format!("RB#{runbook}#EX")),
            Query::ExecutionsOfIncident { incident } => list2(format!("INC#{incident}#EX")),
            Query::ExecutionsOfParent { parent } => {
                Self::whole(Place::Index(Index::List3), format!("EX#{parent}#EX"))
            }
            Query::Incidents => list1("INCIDENTS".into()),
            Query::IncidentsOfTeam { team } => list2(format!("INCIDENTS#{team}")),
            Query::AuditOfResource { resource } => {
                Self::whole(Place::Table, ItemKey::of(&Key::Audit(resource.clone(), 0)).pk)
            }
            Query::AuditOfDay { team, day } => {
                list1(audit_partition(team.as_ref().map(|team| team.as_str()), day))
            }
            Query::Due { shard, until } => Self {
                below: format!("{}#{LAST}", padded(*until)),
                ..Self::whole(Place::Index(Index::Due), due_partition(*shard))
            },
        }
    }

    fn whole(place: Place, partition: String) -> Self {
        Self { place, partition, above: FIRST.into(), below: LAST.into() }
    }

    /// Whether a record, as it is now, still belongs into this list; an index may show it as it was.
    pub fn includes(&self, record: &Record) -> bool {
        match self.place {
            Place::Table => true,
            Place::Index(index) => Entries::of(record)
                .get(index)
                .is_some_and(|entry| entry.pk == self.partition && self.holds(&entry.sk)),
        }
    }

    fn holds(&self, sort_key: &str) -> bool {
        self.above.as_str() < sort_key && sort_key < self.below.as_str()
    }

    /// The key of the item that has `sort_key` in this list; `None` if no item can have it.
    pub fn base_key(&self, query: &Query, sort_key: &str) -> Option<ItemKey> {
        if !self.holds(sort_key) {
            return None;
        }
        let key = match query {
            Query::Runbooks | Query::RunbooksOfTeam { .. } => Key::Runbook(sort_key.parse().ok()?),
            Query::ExecutionsOfRunbook { .. }
            | Query::ExecutionsOfIncident { .. }
            | Query::ExecutionsOfParent { .. } => Key::Execution(sort_key.parse().ok()?),
            Query::Incidents | Query::IncidentsOfTeam { .. } => Key::Incident(sort_key.parse().ok()?),
            Query::Due { .. } => {
                let id = sort_key.split_once('#')?.1.strip_prefix("EX#")?;
                Key::Execution(id.parse().ok()?)
            }
            Query::AuditOfDay { .. } => {
                let (resource, seq) = sort_key.split_once('#')?.1.split_once('#')?;
                Key::Audit(resource.parse().ok()?, seq.parse().ok()?)
            }
            Query::VersionsOfRunbook { .. } | Query::AuditOfResource { .. } => {
                let key = ItemKey { pk: self.partition.clone(), sk: sort_key.to_owned() };
                key.parse().ok()?
            }
        };
        Some(ItemKey::of(&key))
    }
}
