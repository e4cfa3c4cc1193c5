//! Reading and proving the audit log (F4).

use muster_domain::audit::{AuditEntry, ChainBreak, ChainHead, Resource, verify};
use muster_domain::control::{Control, Scope};
use muster_domain::digest::Digest;
use muster_domain::execution::Trail;
use muster_domain::freeze::FreezeScope;
use muster_domain::ids::TeamId;
use muster_domain::policy::{Action, Owner};
use serde::{Deserialize, Serialize};

use crate::paging::{List, Paging};
use crate::table::{Key, Order, PageRequest, Query, Record, Stored, Table, TableError};
use crate::{App, Caller, Error};

/// The most entries of one resource that one export holds.
const MAX_EXPORT: usize = 10_000;

/// A resource's whole chain with what it must meet: all that is needed to verify it, anywhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditExport {
    pub resource: Resource,
    /// The head that the resource itself keeps.
    pub head: ChainHead,
    /// Oldest first.
    pub entries: Vec<AuditEntry>,
    /// An execution's own trail, which its entries anchor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trail: Option<Trail>,
}

/// Why an export does not prove what it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    #[error("the audit chain is broken")]
    Chain(#[from] ChainBreak),
    #[error("the trail of {0} was changed: its hash does not fit its entries")]
    Trail(Resource),
    #[error("the trail of {0} is not the one that its audit entries anchor")]
    Anchor(Resource),
}

impl AuditExport {
    /// Checks the chain, the trail, and that the chain anchors the trail. Needs nothing but the export.
    pub fn verify(&self) -> Result<(), Unproven> {
        verify(&self.resource, &self.entries, &self.head)?;
        let Some(trail) = &self.trail else { return Ok(()) };
        let heads: Vec<Digest> = trail.heads(&self.resource.to_string()).collect();
        if heads.last() != Some(&trail.head) {
            Err(Unproven::Trail(self.resource.clone()))
        } else if !self.anchor(&heads, trail.has_ended()) {
            Err(Unproven::Anchor(self.resource.clone()))
        } else {
            Ok(())
        }
    }

    /// Whether the heads that a trail had are, in this order, what each entry says that they were; and once it has its end, whether
    /// the last of them anchors all of it. Until then it may have grown beyond.
    fn anchor(&self, heads: &[Digest], ended: bool) -> bool {
        let mut ahead = heads;
        let anchors = self.entries.iter().filter_map(|entry| entry.detail.get("trail")?.as_str());
        for anchor in anchors {
            let found = ahead.iter().position(|head| head.to_string() == anchor);
            let Some(rest) = found.and_then(|place| ahead.get(place..)) else { return false };
            ahead = rest;
        }
        ahead.len() <= 1 || !ended
    }
}

impl App {
    /// A resource's chain, for its verification.
    pub async fn audit_export(&self, caller: &Caller, resource: &Resource) -> Result<AuditExport, Error> {
        let missing = || Error::NotFound { kind: "resource", id: resource.to_string() };
        let stored = self.table.get(&key_of(resource)).await?.ok_or_else(missing)?;
        let audited = audited(&stored.record, resource).ok_or_else(missing)?;
        caller.principal.may(Action::ReadAudit, &Owner::from(audited.team.cloned()))?;
        let entries = chain(self.table.as_ref(), resource, MAX_EXPORT).await?.ok_or_else(too_long)?;
        Ok(audited.export(entries))
    }

    /// The entries of a team (`None`: of no team) on one UTC day, `YYYY-MM-DD`, newest first.
    pub async fn audit_of_day(
        &self,
        caller: &Caller,
        team: Option<TeamId>,
        day: String,
        paging: &Paging,
    ) -> Result<List<AuditEntry>, Error> {
        caller.principal.may(Action::ReadAudit, &Owner::from(team.clone()))?;
        let query = Query::AuditOfDay { team, day };
        self.filtered(&query, &query, paging, |record| AuditEntry::try_from(record).ok()).await
    }
}

fn entry_of(stored: Stored) -> Option<AuditEntry> {
    AuditEntry::try_from(stored.record).ok()
}

fn key_of(resource: &Resource) -> Key {
    match resource {
        Resource::Runbook(id) => Key::Runbook(id.clone()),
        Resource::Execution(id) => Key::Execution(id.clone()),
        Resource::Incident(id) => Key::Incident(id.clone()),
        Resource::Workflow(id) => Key::Workflow(id.clone()),
        Resource::Integration(id) => Key::Integration(id.clone()),
        Resource::Team(id) => Key::Team(id.clone()),
        Resource::Account(id) => Key::Account(id.clone()),
        Resource::Approval(execution, step, round) => Key::Approval(execution.clone(), step.clone(), *round),
        Resource::Person(id) => Key::Person(id.clone()),
        Resource::Control(scope) => Key::Control(scope.clone()),
        Resource::Freezes(scope) => Key::Control(scope.clone().into()),
        Resource::BreakGlass => Key::BreakGlass,
    }
}

/// A resource's chain as a table has it, for its verification; `None` if the resource is not there. For whoever holds
/// the table itself, so it asks for nobody's permission.
pub async fn export_of(table: &dyn Table, resource: &Resource) -> Result<Option<AuditExport>, TableError> {
    let stored = table.get(&key_of(resource)).await?;
    let Some(audited) = stored.as_ref().and_then(|stored| audited(&stored.record, resource)) else {
        return Ok(None);
    };
    let entries = chain(table, resource, usize::MAX).await?;
    Ok(entries.map(|entries| audited.export(entries)))
}

/// Oldest first; `None` if there are more than `most`.
async fn chain(
    table: &dyn Table,
    resource: &Resource,
    most: usize,
) -> Result<Option<Vec<AuditEntry>>, TableError> {
    let query = Query::AuditOfResource { resource: resource.clone() };
    let (mut entries, mut after) = (Vec::new(), None);
    loop {
        let request = PageRequest { limit: 100, order: Order::Ascending, after };
        let page = table.query(&query, &request).await?;
        entries.extend(page.records.into_iter().filter_map(entry_of));
        after = page.next;
        match after {
            None => return Ok(Some(entries)),
            Some(_) if entries.len() >= most => return Ok(None),
            Some(_) => {}
        }
    }
}

fn too_long() -> Error {
    Error::Conflict(format!("the chain has more than {MAX_EXPORT} entries"))
}

/// The resources whose chains a record holds the heads of.
pub fn resources_of(record: &Record) -> Vec<Resource> {
    chains_of(record).into_iter().map(|audited| audited.resource).collect()
}

/// The head of a chain, in the record that holds it.
struct Audited<'r> {
    resource: Resource,
    head: &'r ChainHead,
    team: Option<&'r TeamId>,
    trail: Option<&'r Trail>,
}

impl Audited<'_> {
    /// With the chain's entries, which have been read.
    fn export(self, entries: Vec<AuditEntry>) -> AuditExport {
        let Self { resource, head, trail, .. } = self;
        AuditExport { resource, head: head.clone(), entries, trail: trail.cloned() }
    }
}

fn audited<'r>(record: &'r Record, resource: &Resource) -> Option<Audited<'r>> {
    chains_of(record).into_iter().find(|audited| audited.resource == *resource)
}

fn chains_of(record: &Record) -> Vec<Audited<'_>> {
    let (resource, head, team) = match record {
        Record::Runbook(it) => (Resource::Runbook(it.id.clone()), &it.audit, it.team.as_ref()),
        Record::Execution(it) => (Resource::Execution(it.id.clone()), &it.audit, it.team.as_ref()),
        Record::Incident(it) => (Resource::Incident(it.id.clone()), &it.audit, it.team.as_ref()),
        Record::Workflow(it) => (Resource::Workflow(it.id.clone()), &it.audit, it.team.as_ref()),
        Record::Integration(it) => (Resource::Integration(it.id.clone()), &it.audit, it.team.as_ref()),
        Record::Team(it) => (Resource::Team(it.id.clone()), &it.audit, Some(&it.id)),
        Record::Account(it) => (Resource::Account(it.id.clone()), &it.audit, Some(&it.team)),
        Record::Approval(it) => (it.question.resource(), &it.audit, it.question.team.as_ref()),
        Record::Person(it) => (Resource::Person(it.id.clone()), &it.audit, None),
        Record::BreakGlass(it) => (Resource::BreakGlass, &it.audit, None),
        Record::Control(it) => return chains_of_control(it),
        Record::RunbookVersion(_)
        | Record::Decision(_)
        | Record::Body(_)
        | Record::Ledger(_)
        | Record::IncidentEvent(_)
        | Record::Why(_)
        | Record::WorkflowVersion(_)
        | Record::Candidates(_)
        | Record::Candidate(_)
        | Record::Starts(_)
        | Record::AgeCursor(_)
        | Record::Alert(_)
        | Record::Seen(_)
        | Record::Notification(_)
        | Record::Audit(_)
        | Record::Idempotency(_)
        | Record::Target(_)
        | Record::Usage(_) => return Vec::new(),
    };
    let trail = if let Record::Execution(execution) = record { Some(&execution.trail) } else { None };
    vec![Audited { resource, head, team, trail }]
}

/// The kill switch and the calendar have a chain each: they are set by different people.
fn chains_of_control(control: &Control) -> Vec<Audited<'_>> {
    let of_switch = control.switch.as_ref().map(|switch| {
        let resource = Resource::Control(control.scope.clone());
        Audited { resource, head: &switch.audit, team: None, trail: None }
    });
    let of_calendar = control.freezes.as_ref().and_then(|calendar| {
        let (scope, team) = match &control.scope {
            Scope::Global => (FreezeScope::Global, None),
            Scope::Team(team) => (FreezeScope::Team(team.clone()), Some(team)),
            Scope::Runbook(_) => return None,
        };
        Some(Audited { resource: Resource::Freezes(scope), head: &calendar.audit, team, trail: None })
    });
    of_switch.into_iter().chain(of_calendar).collect()
}

#[cfg(test)]
mod tests {
    use muster_domain::audit::Fact;
    use muster_domain::execution::{ExecutionStatus, TrailEvent};
    use muster_domain::time::Time;
    use serde_json::json;

    use super::*;

    const EXECUTION: &str = "ex_01J9Z3W2B4C6D8E0F2G4H6J8K0";
    const LATE: &str = "execution.late_outcome";

    /// The export of an execution to whose trail so many outcomes came one after the other, and then perhaps its end, with an audit
    /// entry of this action after so many of them.
    fn export(
        outcomes: usize,
        end: Option<ExecutionStatus>,
        anchors: &[(usize, &'static str)],
    ) -> AuditExport {
        let resource: Resource = EXECUTION.parse().unwrap();
        let mut trail = Trail::new(EXECUTION);
        for attempt in 1..=outcomes {
            let step = "webhook".parse().unwrap();
            trail.push(TrailEvent::Late { step, attempt, outcome: "200".into() }, Time::from_millis(5));
        }
        if let Some(status) = end {
            trail.push(TrailEvent::Ended { status }, Time::from_millis(6));
        }
        let heads: Vec<Digest> = trail.heads(EXECUTION).collect();
        let (mut head, mut entries) = (ChainHead::default(), Vec::new());
        for (after, action) in anchors {
            let fact = Fact { action, actor: None, detail: json!({"trail": heads[*after]}) };
            let (entry, next) = head.append(resource.clone(), None, fact, Time::from_millis(7));
            entries.push(entry);
            head = next;
        }
        AuditExport { resource, head, entries, trail: Some(trail) }
    }

    fn check(export: &AuditExport, proven: bool) {
        assert_eq!(export.verify().is_ok(), proven, "{export:?}");
    }

    #[test]
    fn inv_f2_a_trail_that_goes_on_after_an_anchor_is_proven() {
        check(&export(3, None, &[]), true);
        check(&export(3, None, &[(1, LATE)]), true);
        check(&export(3, None, &[(1, LATE), (1, "notification.failed"), (3, LATE)]), true);
    }

    #[test]
    fn inv_f2_an_end_is_anchored_whatever_it_is_called() {
        for action in ["execution.succeeded", "execution.rolled_back", "execution.aborted"] {
            check(&export(2, Some(ExecutionStatus::RolledBack), &[(1, LATE), (3, action)]), true);
        }
    }

    #[test]
    fn inv_f2_what_no_entry_anchors_is_found() {
        let ended = Some(ExecutionStatus::RolledBack);
        check(&export(2, ended, &[]), false);
        check(&export(2, ended, &[(1, LATE), (2, "execution.undo_failed")]), false);
        check(&export(2, None, &[(2, LATE), (1, LATE)]), false);
        let mut rewritten = export(2, ended, &[(3, "execution.rolled_back")]);
        rewritten.trail = export(1, ended, &[]).trail;
        check(&rewritten, false);
    }
}
