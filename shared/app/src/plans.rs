//! Compiled versions. A version never changes, so its templates and schema are compiled once per process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use muster_domain::ids::RunbookId;
use muster_domain::plan::Plan;
use muster_domain::runbook::RunbookVersion;

use crate::table::{TableError, TableErrorKind};
use crate::{App, Error};

/// How many compiled versions a process keeps; the cache starts afresh when it is full.
pub const MAX_PLANS: usize = 512;

/// A version and its plan.
#[derive(Debug)]
pub struct CompiledVersion {
    pub version: RunbookVersion,
    pub plan: Plan,
}

/// Versions by runbook and number.
#[derive(Debug, Default)]
pub struct PlanCache {
    plans: Mutex<HashMap<(RunbookId, u32), Arc<CompiledVersion>>>,
}

impl PlanCache {
    fn get(&self, id: &RunbookId, version: u32) -> Option<Arc<CompiledVersion>> {
        let plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.get(&(id.clone(), version)).cloned()
    }

    fn put(&self, compiled: &Arc<CompiledVersion>) {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if plans.len() >= MAX_PLANS {
            plans.clear();
        }
        let key = (compiled.version.runbook.clone(), compiled.version.version);
        plans.insert(key, Arc::clone(compiled));
    }
}

impl App {
    /// The compiled version, from memory or the table. A stored definition that no longer compiles is corrupt.
    pub(crate) async fn compiled(&self, id: &RunbookId, version: u32) -> Result<Arc<CompiledVersion>, Error> {
        if let Some(compiled) = self.plans.get(id, version) {
            return Ok(compiled);
        }
        let version = self.load_version(id, version).await?;
        let plan = Plan::compile(&version.definition).map_err(|faults| TableError {
            doing: format!(
                "compiling version {} of runbook {id}: {} fault(s)",
                version.version,
                faults.len()
            ),
            kind: TableErrorKind::Corrupt,
            source: None,
        })?;
        let compiled = Arc::new(CompiledVersion { version, plan });
        self.plans.put(&compiled);
        Ok(compiled)
    }
}
