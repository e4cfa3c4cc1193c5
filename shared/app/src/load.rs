//! Typed loads, and the entries of the audit log that go with a write.

use std::collections::BTreeMap;

use muster_domain::audit::{ChainHead, Fact, Resource};
use muster_domain::execution::Execution;
use muster_domain::ids::{ExecutionId, IncidentId, RunbookId, TeamId, WorkflowId};
use muster_domain::incident::Incident;
use muster_domain::runbook::{Runbook, RunbookVersion};
use muster_domain::time::Time;
use muster_domain::workflow::{Workflow, WorkflowVersion};

use crate::table::{Key, Order, PageRequest, Query, Record, Stored, Versioned, Write};
use crate::{App, Error};

/// The most records of one read.
const MOST_READS: usize = 100;
/// How many records of a list are read at once.
const PAGE: u32 = 100;

impl App {
    /// A runbook that is not deleted.
    pub(crate) async fn load_runbook(&self, id: &RunbookId) -> Result<Versioned<Runbook>, Error> {
        let head: Versioned<Runbook> = self.load(Key::Runbook(id.clone()), "runbook", id.as_str()).await?;
        if head.value.deleted_at.is_some() {
            return Err(Error::NotFound { kind: "runbook", id: id.to_string() });
        }
        Ok(head)
    }

    pub(crate) async fn load_version(&self, id: &RunbookId, version: u32) -> Result<RunbookVersion, Error> {
        let key = Key::RunbookVersion(id.clone(), version);
        let stored = self.load(key, "version", &format!("{version} of runbook {id}")).await?;
        Ok(stored.value)
    }

    /// A workflow that is not deleted.
    pub(crate) async fn load_workflow(&self, id: &WorkflowId) -> Result<Versioned<Workflow>, Error> {
        let head: Versioned<Workflow> = self.load(Key::Workflow(id.clone()), "workflow", id.as_str()).await?;
        if head.value.deleted_at.is_some() {
            return Err(Error::NotFound { kind: "workflow", id: id.to_string() });
        }
        Ok(head)
    }

    pub(crate) async fn load_workflow_version(
        &self,
        id: &WorkflowId,
        version: u32,
    ) -> Result<WorkflowVersion, Error> {
        let key = Key::WorkflowVersion(id.clone(), version);
        let stored = self.load(key, "version", &format!("{version} of workflow {id}")).await?;
        Ok(stored.value)
    }

    pub(crate) async fn load_execution(&self, id: &ExecutionId) -> Result<Versioned<Execution>, Error> {
        self.load(Key::Execution(id.clone()), "execution", id.as_str()).await
    }

    pub(crate) async fn load_incident(&self, id: &IncidentId) -> Result<Versioned<Incident>, Error> {
        self.load(Key::Incident(id.clone()), "incident", id.as_str()).await
    }

    /// Those of any number of records that are there.
    pub(crate) async fn read_all(&self, keys: &[Key]) -> Result<BTreeMap<Key, Stored>, Error> {
        let mut found = BTreeMap::new();
        for keys in keys.chunks(MOST_READS) {
            found.append(&mut self.table.batch_get(keys).await?);
        }
        Ok(found)
    }

    /// The first records of a list, of at most so many pages.
    pub(crate) async fn first_of<T>(&self, query: &Query, order: Order, pages: usize) -> Result<Vec<T>, Error>
    where
        T: TryFrom<Record, Error = Record>,
    {
        let (mut first, mut after) = (Vec::new(), None);
        for _ in 0..pages {
            let request = PageRequest { limit: PAGE, order, after };
            let page = self.table.query(query, &request).await?;
            for stored in page.records {
                first.push(stored.typed::<T>()?.value);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(first)
    }

    async fn load<T>(&self, key: Key, kind: &'static str, id: &str) -> Result<Versioned<T>, Error>
    where
        T: TryFrom<Record, Error = Record>,
    {
        let stored: Option<Stored> = self.table.get(&key).await?;
        let stored = stored.ok_or_else(|| Error::NotFound { kind, id: id.to_owned() })?;
        Ok(stored.typed()?)
    }

    /// Random bits for an id.
    pub(crate) fn random() -> Result<u128, Error> {
        let mut bytes = [0_u8; 16];
        getrandom::fill(&mut bytes).map_err(|error| crate::table::TableError {
            doing: "asking the operating system for random bytes".into(),
            kind: crate::table::TableErrorKind::Unavailable,
            source: Some(error.to_string().into()),
        })?;
        Ok(u128::from_be_bytes(bytes))
    }
}

/// Appends a fact to a resource's chain; the write belongs in the commit that stores the head.
pub(crate) fn audit(
    head: &mut ChainHead,
    resource: Resource,
    team: Option<TeamId>,
    fact: Fact,
    at: Time,
) -> Write {
    let (entry, next) = head.append(resource, team, fact, at);
    *head = next;
    Write::create(entry)
}

impl<T> Versioned<T> {
    /// Refuses an edit of another version than the stored one; without an `If-Match`, any.
    pub(crate) fn unchanged_since(&self, if_match: Option<u64>) -> Result<(), Error> {
        match if_match {
            Some(expected) if expected != self.version => Err(Error::Stale { current: self.version }),
            Some(_) | None => Ok(()),
        }
    }
}
