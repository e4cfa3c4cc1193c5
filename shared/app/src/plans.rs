//! Compiled versions. A version never changes, so its templates and schema are compiled once per process.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use muster_domain::digest::Digest;
use muster_domain::execution::Pinned;
use muster_domain::fault::Fault;
use muster_domain::ids::{RunbookId, UserId, WorkflowId};
use muster_domain::plan::Plan;
use muster_domain::runbook::phased::PhasedRunbook;

use crate::table::{TableError, TableErrorKind};
use crate::{App, Error};

/// How many compiled versions a process keeps; the cache starts afresh when it is full.
pub const MAX_PLANS: usize = 512;

/// A version's plan, and what an execution pins of it.
#[derive(Debug)]
pub struct Compiled {
    pub name: String,
    pub version: u32,
    pub digest: Digest,
    /// Whose work it is: they approve nothing of it.
    pub writers: BTreeSet<UserId>,
    pub plan: Plan,
    /// The definition of a phased runbook: what of it is not part of the plan.
    pub phased: Option<PhasedRunbook>,
}

/// What a plan was compiled from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Origin {
    Runbook(RunbookId, u32),
    Workflow(WorkflowId, u32),
}

/// Compiled versions by their origin.
#[derive(Debug, Default)]
pub struct PlanCache {
    plans: Mutex<HashMap<Origin, Arc<Compiled>>>,
}

impl PlanCache {
    fn get(&self, origin: &Origin) -> Option<Arc<Compiled>> {
        let plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.get(origin).cloned()
    }

    fn put(&self, origin: Origin, compiled: &Arc<Compiled>) {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if plans.len() >= MAX_PLANS {
            plans.clear();
        }
        plans.insert(origin, Arc::clone(compiled));
    }
}

impl App {
    /// The plan that an execution pins.
    pub(crate) async fn plan_of(&self, pinned: &Pinned) -> Result<Arc<Compiled>, Error> {
        match pinned {
            Pinned::Runbook(runbook) => self.compiled(&runbook.id, runbook.version).await,
            Pinned::Workflow(workflow) => self.compiled_workflow(&workflow.id, workflow.version).await,
        }
    }

    /// The compiled version, from memory or the table. A stored definition that no longer compiles is corrupt.
    pub(crate) async fn compiled(&self, id: &RunbookId, version: u32) -> Result<Arc<Compiled>, Error> {
        let origin = Origin::Runbook(id.clone(), version);
        if let Some(compiled) = self.plans.get(&origin) {
            return Ok(compiled);
        }
        let stored = self.load_version(id, version).await?;
        let plan = Plan::compile(&stored.definition);
        let plan = plan.map_err(|faults| corrupt(&format!("runbook {id}"), version, &faults))?;
        let writers = stored.writers.into_iter().chain([stored.author]).collect();
        let (name, digest) = (stored.definition.name().to_owned(), stored.digest);
        let phased = stored.definition.phased().cloned();
        Ok(self.keep(origin, Compiled { name, version, digest, writers, plan, phased }))
    }

    pub(crate) async fn compiled_workflow(
        &self,
        id: &WorkflowId,
        version: u32,
    ) -> Result<Arc<Compiled>, Error> {
        let origin = Origin::Workflow(id.clone(), version);
        if let Some(compiled) = self.plans.get(&origin) {
            return Ok(compiled);
        }
        let stored = self.load_workflow_version(id, version).await?;
        let plan = Plan::of_workflow(&stored.definition);
        let plan = plan.map_err(|faults| corrupt(&format!("workflow {id}"), version, &faults))?;
        let writers = BTreeSet::from([stored.author]);
        let (name, digest) = (stored.definition.name, stored.digest);
        let compiled = Compiled { name, version, digest, writers, plan, phased: None };
        Ok(self.keep(origin, compiled))
    }

    fn keep(&self, origin: Origin, compiled: Compiled) -> Arc<Compiled> {
        let compiled = Arc::new(compiled);
        self.plans.put(origin, &compiled);
        compiled
    }
}

fn corrupt(of: &str, version: u32, faults: &[Fault]) -> TableError {
    TableError {
        doing: format!("compiling version {version} of {of}: {} fault(s)", faults.len()),
        kind: TableErrorKind::Corrupt,
        source: None,
    }
}
