//! The versions of a workflow: read, compare, roll back.

use muster_domain::ids::WorkflowId;
use muster_domain::runbook::diff::{Change, diff};
use muster_domain::workflow::{WorkflowDefinition, WorkflowVersion};
use serde_json::Value;

use super::WorkflowDetail;
use super::save::Content;
use crate::paging::{List, Paging};
use crate::table::Query;
use crate::{App, Caller, Error};

impl App {
    /// All versions, newest first.
    pub async fn workflow_versions(
        &self,
        caller: &Caller,
        id: &WorkflowId,
        paging: &Paging,
    ) -> Result<List<WorkflowVersion>, Error> {
        self.load_readable_workflow(caller, id).await?;
        let query = Query::VersionsOfWorkflow { workflow: id.clone() };
        self.filtered(&query, &query, paging, |record| WorkflowVersion::try_from(record).ok()).await
    }

    pub async fn workflow_version(
        &self,
        caller: &Caller,
        id: &WorkflowId,
        number: u32,
    ) -> Result<WorkflowVersion, Error> {
        self.load_readable_workflow(caller, id).await?;
        self.load_workflow_version(id, number).await
    }

    pub async fn workflow_version_diff(
        &self,
        caller: &Caller,
        id: &WorkflowId,
        before: u32,
        after: u32,
    ) -> Result<Vec<Change>, Error> {
        self.load_readable_workflow(caller, id).await?;
        let before = self.load_workflow_version(id, before).await?;
        let after = self.load_workflow_version(id, after).await?;
        Ok(diff(&as_json(&before.definition), &as_json(&after.definition)))
    }

    /// Copies an old version to a new one, which must be valid as things are now; history is never rewritten.
    pub async fn roll_back_workflow(
        &self,
        caller: &Caller,
        id: &WorkflowId,
        to_version: u32,
    ) -> Result<WorkflowDetail, Error> {
        let decide = async || {
            let head = self.load_editable_workflow(caller, id, None).await?;
            let old = self.load_workflow_version(id, to_version).await?;
            self.refuse_faulty(&old.definition).await?;
            let content = Content {
                definition: old.definition,
                note: Some(format!("Rollback to version {to_version}")),
                copied_from: Some(to_version),
            };
            self.next_workflow_version(&head, content, &caller.principal.user).await
        };
        let detail = self.once(caller, decide).await?.into_reply();
        self.with_references(detail).await
    }
}

/// A definition always becomes JSON: its maps have text keys and its numbers are finite.
fn as_json(definition: &WorkflowDefinition) -> Value {
    serde_json::to_value(definition).unwrap_or_default()
}
