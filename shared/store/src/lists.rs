//! The lists of the table: in which of them a record stands, and where a query looks.
//!
//! An index is sparse: an item without its two attributes is not in it. A sort key is unique within its partition and
//! holds the item's own key, so that a page can go on after any item, even one that has gone.

use muster_app::table::{DUE_SHARDS, Key, PartPlace, Query, Record};
use muster_domain::account::Account;
use muster_domain::approval::{Approval, ApprovalState};
use muster_domain::audit::AuditEntry;
use muster_domain::execution::{Execution, Parent, Pinned};
use muster_domain::ids::TeamId;
use muster_domain::incident::{Incident, IncidentEvent};
use muster_domain::integration::Integration;
use muster_domain::notification::Notification;
use muster_domain::runbook::Runbook;
use muster_domain::time::Time;
use muster_domain::workflow::Workflow;

use crate::keys::{HEAD, ItemKey, NO_TEAM, candidates, padded, parts_of};

/// The secondary indexes of the table; each projects keys only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    List1,
    List2,
    List3,
    List4,
    Due,
}

impl Index {
    pub const ALL: [Self; 5] = [Self::List1, Self::List2, Self::List3, Self::List4, Self::Due];

    pub const fn name(self) -> &'static str {
        match self {
            Self::List1 => "list1",
            Self::List2 => "list2",
            Self::List3 => "list3",
            Self::List4 => "list4",
            Self::Due => "due",
        }
    }

    pub const fn pk_attribute(self) -> &'static str {
        match self {
            Self::List1 => "list1_pk",
            Self::List2 => "list2_pk",
            Self::List3 => "list3_pk",
            Self::List4 => "list4_pk",
            Self::Due => "due_pk",
        }
    }

    pub const fn sk_attribute(self) -> &'static str {
        match self {
            Self::List1 => "list1_sk",
            Self::List2 => "list2_sk",
            Self::List3 => "list3_sk",
            Self::List4 => "list4_sk",
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
    pub list4: Option<Entry>,
    pub due: Option<Entry>,
}

impl Entries {
    pub fn of(record: &Record) -> Self {
        match record {
            Record::Runbook(runbook) => runbook_entries(runbook),
            Record::Execution(execution) => execution_entries(execution),
            Record::Incident(incident) => incident_entries(incident),
            Record::IncidentEvent(event) => event_entries(event),
            Record::Workflow(workflow) => workflow_entries(workflow),
            Record::Integration(integration) => integration_entries(integration),
            Record::Notification(notification) => notification_entries(notification),
            Record::Account(account) => account_entries(account),
            Record::Approval(approval) => approval_entries(approval),
            Record::Audit(entry) => audit_entries(entry),
            Record::WorkflowVersion(_)
            | Record::Why(_)
            | Record::Candidates(_)
            | Record::Candidate(_)
            | Record::Starts(_)
            | Record::AgeCursor(_)
            | Record::Alert(_)
            | Record::Seen(_)
            | Record::Team(_)
            | Record::Person(_)
            | Record::Ledger(_)
            | Record::RunbookVersion(_)
            | Record::Decision(_)
            | Record::Body(_)
            | Record::Idempotency(_)
            | Record::Control(_)
            | Record::Target(_)
            | Record::Usage(_)
            | Record::BreakGlass(_) => Self::default(),
        }
    }

    pub fn get(&self, index: Index) -> Option<&Entry> {
        match index {
            Index::List1 => self.list1.as_ref(),
            Index::List2 => self.list2.as_ref(),
            Index::List3 => self.list3.as_ref(),
            Index::List4 => self.list4.as_ref(),
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
    let of_parent = |parent: &Parent| entry(format!("EX#{}#EX", parent.execution), id);
    let of_definition = match &execution.pinned {
        Pinned::Runbook(runbook) => format!("RB#{}#EX", runbook.id),
        Pinned::Workflow(workflow) => format!("WF#{}#EX", workflow.id),
    };
    Entries {
        list1: Some(entry(of_definition, id)),
        list2: execution.incident.as_ref().map(of_incident),
        list3: execution.parent.as_ref().map(of_parent),
        due: execution.due_at.map(|at| due_entry(&Key::Execution(execution.id.clone()), at)),
        ..Entries::default()
    }
}

/// The sort key in the due-index begins with the moment and ends with the item's own key.
fn due_entry(key: &Key, at: Time) -> Entry {
    let ItemKey { pk, sk } = ItemKey::of(key);
    let own = if sk == HEAD { pk.clone() } else { format!("{pk}{BESIDE}{sk}") };
    Entry { sk: format!("{}#{own}", padded(at)), pk: due_partition(shard_of(&pk)) }
}

/// Separates the two parts of a key that is no head; no identifier may hold it.
const BESIDE: char = '!';

fn incident_entries(incident: &Incident) -> Entries {
    let id = incident.id.as_str();
    let of_team = |team: &TeamId| entry(format!("INCIDENTS#{team}"), id);
    let opened = format!("{}#{id}", padded(incident.created_at));
    let open = |pk: String| Entry { pk, sk: opened.clone() };
    let is_open = incident.status.is_open();
    Entries {
        list1: Some(entry("INCIDENTS".into(), id)),
        list2: incident.team.as_ref().map(of_team),
        list3: is_open.then(|| open(open_partition(None))),
        list4: incident.team.as_ref().filter(|_| is_open).map(|team| open(open_partition(Some(team)))),
        due: None,
    }
}

/// Right after the sort key of a part.
fn below_part(place: &PartPlace) -> String {
    format!("{}{:06}{LAST}", parts_of(place.at, &place.event), place.part)
}

fn open_partition(team: Option<&TeamId>) -> String {
    format!("OPEN#{}", team.map_or(NO_TEAM, |team| team.as_str()))
}

fn event_entries(event: &IncidentEvent) -> Entries {
    let sk = format!("{}#{}#{:020}", padded(event.at), event.incident, event.seq);
    let pk = events_partition(event.snapshot.team_id.as_ref(), &day_of(event.at));
    let key = Key::IncidentEvent(event.incident.clone(), event.seq);
    let due = event.due_at.map(|at| due_entry(&key, at));
    Entries { list1: Some(Entry { pk, sk }), due, ..Entries::default() }
}

fn events_partition(team: Option<&TeamId>, day: &str) -> String {
    format!("EVENTS#{}#{day}", team.map_or(NO_TEAM, |team| team.as_str()))
}

/// A deleted workflow is in no list.
fn workflow_entries(workflow: &Workflow) -> Entries {
    if workflow.deleted_at.is_some() {
        return Entries::default();
    }
    let id = workflow.id.as_str();
    let by_team = workflow.team.as_ref().map(|team| entry(format!("WORKFLOWS#{team}"), id));
    Entries { list1: Some(entry("WORKFLOWS".into(), id)), list2: by_team, ..Entries::default() }
}

fn integration_entries(integration: &Integration) -> Entries {
    if integration.deleted_at.is_some() {
        return Entries::default();
    }
    let id = integration.id.as_str();
    let by_team = integration.team.as_ref().map(|team| entry(format!("HOOKS#{team}"), id));
    Entries { list1: Some(entry("HOOKS".into(), id)), list2: by_team, ..Entries::default() }
}

fn notification_entries(notification: &Notification) -> Entries {
    let key = Record::from(notification.clone()).key();
    Entries { due: notification.due_at.map(|at| due_entry(&key, at)), ..Entries::default() }
}

/// An account without a team is in no list.
fn account_entries(account: &Account) -> Entries {
    if account.removed_at.is_some() {
        return Entries::default();
    }
    let id = account.id.as_str();
    let by_team = entry(format!("ACCOUNTS#{}", account.team), id);
    Entries { list1: Some(entry("ACCOUNTS".into(), id)), list2: Some(by_team), ..Entries::default() }
}

/// Only an open one is in a list of approvals; a closed one is due until the worker has acted on it.
fn approval_entries(approval: &Approval) -> Entries {
    let question = &approval.question;
    let key = Key::Approval(question.execution.clone(), question.step.clone(), question.round);
    let own = format!("{}#{}#{:010}", question.execution, question.step, question.round);
    let open = |pk: String| Entry { pk, sk: format!("{}#{own}", padded(approval.until)) };
    let is_open = approval.state == ApprovalState::Open;
    Entries {
        list1: is_open.then(|| open(approvals_partition(None))),
        list2: question.team.as_ref().filter(|_| is_open).map(|team| open(approvals_partition(Some(team)))),
        due: approval.due_at.map(|at| due_entry(&key, at)),
        ..Entries::default()
    }
}

fn approvals_partition(team: Option<&TeamId>) -> String {
    format!("APPROVALS#{}", team.map_or(NO_TEAM, |team| team.as_str()))
}

fn audit_entries(audit: &AuditEntry) -> Entries {
    let sk = format!("{}#{}#{:020}", padded(audit.at), audit.resource, audit.seq);
    let pk = audit_partition(audit.team.as_ref(), &day_of(audit.at));
    Entries { list1: Some(Entry { pk, sk }), ..Entries::default() }
}

fn entry(pk: String, sk: &str) -> Entry {
    Entry { pk, sk: sk.to_owned() }
}

/// A moment's UTC day, `YYYY-MM-DD`.
fn day_of(at: Time) -> String {
    let text = at.to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}

fn audit_partition(team: Option<&TeamId>, day: &str) -> String {
    format!("AUDIT#{}#{day}", team.map_or(NO_TEAM, |team| team.as_str()))
}

fn due_partition(shard: u8) -> String {
    format!("DUE#{shard:02}")
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
            Query::VersionsOfRunbook { runbook } => Self::beside(&Key::Runbook(runbook.clone()), "V#"),
            Query::ExecutionsOfRunbook { runbook } => list1(format!("RB#{runbook}#EX")),
            Query::ExecutionsOfIncident { incident } => list2(format!("INC#{incident}#EX")),
            Query::ExecutionsOfParent { parent } => {
                Self::whole(Place::Index(Index::List3), format!("EX#{parent}#EX"))
            }
            Query::ApprovalsOfExecution { execution } => {
                Self::beside(&Key::Execution(execution.clone()), "APPROVAL#")
            }
            Query::OpenApprovals { team: None } => list1(approvals_partition(None)),
            Query::OpenApprovals { team } => list2(approvals_partition(team.as_ref())),
            Query::Incidents => list1("INCIDENTS".into()),
            Query::IncidentsOfTeam { team } => list2(format!("INCIDENTS#{team}")),
            Query::OpenIncidents { team, after, until } => {
                let index = if team.is_some() { Index::List4 } else { Index::List3 };
                let whole = Self::whole(Place::Index(index), open_partition(team.as_ref()));
                let above = after.map_or(whole.above, |after| format!("{}#{LAST}", padded(after)));
                Self { above, below: format!("{}#{LAST}", padded(*until)), ..whole }
            }
            Query::EventsOfIncident { incident } => Self::beside(&Key::Incident(incident.clone()), "EVENT#"),
            Query::DecisionsOfIncident { incident, up_to } => {
                let whole = Self::beside(&Key::Incident(incident.clone()), "WHY#");
                Self { below: up_to.as_ref().map_or(whole.below, below_part), ..whole }
            }
            Query::DecisionsOfEvent { incident, at, event } => {
                Self::beside(&Key::Incident(incident.clone()), &parts_of(*at, event))
            }
            Query::EventsOfDay { team, day } => list1(events_partition(team.as_ref(), day)),
            Query::Workflows => list1("WORKFLOWS".into()),
            Query::WorkflowsOfTeam { team } => list2(format!("WORKFLOWS#{team}")),
            Query::VersionsOfWorkflow { workflow } => Self::beside(&Key::Workflow(workflow.clone()), "V#"),
            Query::ExecutionsOfWorkflow { workflow } => list1(format!("WF#{workflow}#EX")),
            Query::Candidates { team, kind } => Self {
                above: format!("{kind}#"),
                below: format!("{kind}#{LAST}"),
                ..Self::whole(Place::Table, candidates(team.as_ref()))
            },
            Query::Integrations => list1("HOOKS".into()),
            Query::IntegrationsOfTeam { team } => list2(format!("HOOKS#{team}")),
            Query::NotificationsOfExecution { execution } => Self {
                above: "NOTE#".into(),
                below: format!("NOTE#{LAST}"),
                ..Self::whole(Place::Table, ItemKey::of(&Key::Execution(execution.clone())).pk)
            },
            Query::Accounts => list1("ACCOUNTS".into()),
            Query::AccountsOfTeam { team } => list2(format!("ACCOUNTS#{team}")),
            Query::AuditOfResource { resource } => {
                Self::whole(Place::Table, ItemKey::of(&Key::Audit(resource.clone(), 0)).pk)
            }
            Query::AuditOfDay { team, day } => list1(audit_partition(team.as_ref(), day)),
            Query::Due { shard, until } => Self {
                below: format!("{}#{LAST}", padded(*until)),
                ..Self::whole(Place::Index(Index::Due), due_partition(*shard))
            },
        }
    }

    /// The items in the partition of `head` whose sort keys begin with `prefix`.
    fn beside(head: &Key, prefix: &str) -> Self {
        let (above, below) = (prefix.to_owned(), format!("{prefix}{LAST}"));
        Self { above, below, ..Self::whole(Place::Table, ItemKey::of(head).pk) }
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
            | Query::ExecutionsOfWorkflow { .. }
            | Query::ExecutionsOfIncident { .. }
            | Query::ExecutionsOfParent { .. } => Key::Execution(sort_key.parse().ok()?),
            Query::Incidents | Query::IncidentsOfTeam { .. } => Key::Incident(sort_key.parse().ok()?),
            Query::OpenIncidents { .. } => Key::Incident(sort_key.split_once('#')?.1.parse().ok()?),
            Query::Workflows | Query::WorkflowsOfTeam { .. } => Key::Workflow(sort_key.parse().ok()?),
            Query::Integrations | Query::IntegrationsOfTeam { .. } => {
                Key::Integration(sort_key.parse().ok()?)
            }
            Query::Accounts | Query::AccountsOfTeam { .. } => Key::Account(sort_key.parse().ok()?),
            Query::OpenApprovals { .. } => {
                let (execution, rest) = sort_key.split_once('#')?.1.split_once('#')?;
                let (step, round) = rest.split_once('#')?;
                Key::Approval(execution.parse().ok()?, step.parse().ok()?, round.parse().ok()?)
            }
            Query::EventsOfDay { .. } => {
                let (incident, seq) = sort_key.split_once('#')?.1.split_once('#')?;
                Key::IncidentEvent(incident.parse().ok()?, seq.parse().ok()?)
            }
            Query::Due { .. } => {
                let own = sort_key.split_once('#')?.1;
                let (pk, sk) = own.split_once(BESIDE).unwrap_or((own, HEAD));
                ItemKey { pk: pk.to_owned(), sk: sk.to_owned() }.parse().ok()?
            }
            Query::AuditOfDay { .. } => {
                let (resource, seq) = sort_key.split_once('#')?.1.split_once('#')?;
                Key::Audit(resource.parse().ok()?, seq.parse().ok()?)
            }
            Query::VersionsOfRunbook { .. }
            | Query::VersionsOfWorkflow { .. }
            | Query::EventsOfIncident { .. }
            | Query::DecisionsOfIncident { .. }
            | Query::DecisionsOfEvent { .. }
            | Query::Candidates { .. }
            | Query::NotificationsOfExecution { .. }
            | Query::ApprovalsOfExecution { .. }
            | Query::AuditOfResource { .. } => {
                let key = ItemKey { pk: self.partition.clone(), sk: sort_key.to_owned() };
                key.parse().ok()?
            }
        };
        Some(ItemKey::of(&key))
    }
}
