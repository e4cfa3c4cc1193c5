//! The versions of a runbook: read, compare, roll back (A5).

use muster_domain::ids::RunbookId;
use muster_domain::runbook::diff::{Change, diff};
use muster_domain::runbook::{Runbook, RunbookDefinition, RunbookVersion, VersionDecision, VersionStatus};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::paging::{List, Paging};
use crate::runbooks::{Content, RunbookDetail, next_version};
use crate::table::{Key, Query};
use crate::{App, Caller, Error};

/// One version, its status and the decision on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionDetail {
    pub version: RunbookVersion,
    pub status: VersionStatus,
    pub decision: Option<VersionDecision>,
}
impl App {
    /// All versions, newest first, with the status of each.
    pub async fn versions(
        &self,
        caller: &Caller,
        id: &RunbookId,
        paging: &Paging,
    ) -> Result<List<VersionDetail>, Error> {
        let runbook = self.load_readable(caller, id).await?;
        let query = Query::VersionsOfRunbook { runbook: id.clone() };
        let page =
            self.filtered(&query, &query, paging, |record| RunbookVersion::try_from(record).ok()).await?;
        let keys: Vec<Key> = page.items.iter().map(|item| Key::Decision(id.clone(), item.version)).collect();
        let mut decisions = self.table.batch_get(&keys).await?;
        let mut items = Vec::new();
        for version in page.items {
            let stored = decisions.remove(&Key::Decision(id.clone(), version.version));
            let decision = stored.map(|stored| stored.typed()).transpose()?.map(|found| found.value);
            items.push(detail(&runbook, version, decision));
        }
        Ok(List { items, next: page.next })
    }

    pub async fn version(
        &self,
        caller: &Caller,
        id: &RunbookId,
        number: u32,
    ) -> Result<VersionDetail, Error> {
        let runbook = self.load_readable(caller, id).await?;
        let version = self.load_version(id, number).await?;
        let stored = self.table.get(&Key::Decision(id.clone(), number)).await?;
        let decision = stored.map(|stored| stored.typed()).transpose()?.map(|found| found.value);
        Ok(detail(&runbook, version, decision))
    }

    pub async fn version_diff(
        &self,
        caller: &Caller,
        id: &RunbookId,
        before: u32,
        after: u32,
    ) -> Result<Vec<Change>, Error> {
        self.load_readable(caller, id).await?;
        let before = self.load_version(id, before).await?;
        let after = self.load_version(id, after).await?;
        Ok(diff(&as_json(&before.definition), &as_json(&after.definition)))
    }

    /// Copies an old version to a new DRAFT one; history is never rewritten.
    pub async fn roll_back_runbook(
        &self,
        caller: &Caller,
        id: &RunbookId,
        to_version: u32,
    ) -> Result<RunbookDetail, Error> {
        let decide = async || {
            let head = self.load_editable(caller, id, None).await?;
            let old = self.load_version(id, to_version).await?;
            let content = Content {
                definition: old.definition.clone(),
                note: Some(format!("Rollback to version {to_version}")),
                copied_from: Some(to_version),
            };
            next_version(&head, &old, content, &caller.principal.user, self.clock.now())
        };
        Ok(self.once(caller, decide).await?.into_reply())
    }
}

fn detail(runbook: &Runbook, version: RunbookVersion, decision: Option<VersionDecision>) -> VersionDetail {
    let status = runbook.status_of(version.version).unwrap_or(VersionStatus::Draft);
    VersionDetail { version, status, decision }
}
fn as_json(definition: &RunbookDefinition) -> Value {
    serde_json::to_value(definition).unwrap_or_default()
}
