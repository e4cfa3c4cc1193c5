//! The runbooks that a workflow executes: whether they are there, and would take what it gives them.

use std::collections::{BTreeMap, BTreeSet};

use muster_domain::fault::Fault;
use muster_domain::ids::{RunbookId, StepId, TeamId};
use muster_domain::plan::Plan;
use muster_domain::runbook::{Runbook, VersionStatus};
use muster_domain::workflow::actions::RunbookAction;
use muster_domain::workflow::{Action, Node, WorkflowDefinition};
use serde::{Deserialize, Serialize};

use super::WorkflowDetail;
use crate::runbooks::refuse_faults;
use crate::table::Key;
use crate::{App, Error};

/// A node whose runbook cannot be executed as things are; an execution fails there with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenReference {
    pub node: StepId,
    pub runbook: RunbookId,
    pub reason: String,
}

/// What a runbook action would meet now.
enum Standing {
    /// This version would run.
    Runs(u32),
    /// There is nothing approved to run yet, or no longer.
    NotApproved(VersionStatus),
    NoSuchVersion(u32),
    OfAnotherTeam,
    Deleted,
    Missing,
}

impl App {
    /// Refuses what is wrong with a definition, in itself and in what it refers to.
    pub(super) async fn refuse_faulty(&self, definition: &WorkflowDefinition) -> Result<(), Error> {
        // Compiling reports the definition's own faults, and what no engine could run.
        if let Err(faults) = Plan::of_workflow(definition) {
            return Err(Error::Invalid(faults));
        }
        refuse_faults(self.reference_faults(definition).await?)
    }

    /// A runbook that is not approved yet is no fault: it may be by the time it runs.
    async fn reference_faults(&self, definition: &WorkflowDefinition) -> Result<Vec<Fault>, Error> {
        let runbooks = self.runbooks_of(definition).await?;
        let mut faults = Vec::new();
        for (position, _, action) in runbook_actions(definition) {
            let at = format!("/definition/nodes/{position}/action");
            match standing(action, definition.team_id.as_ref(), runbooks.get(&action.runbook_id)) {
                Standing::Runs(version) => faults.extend(self.static_faults(action, version, &at).await?),
                Standing::NotApproved(_) => {}
                Standing::NoSuchVersion(version) => {
                    let message = format!("runbook {} has no version {version}", action.runbook_id);
                    faults.push(Fault::new(format!("{at}/version"), message));
                }
                Standing::OfAnotherTeam | Standing::Deleted | Standing::Missing => {
                    let message = format!("there is no runbook {} of this team", action.runbook_id);
                    faults.push(Fault::new(format!("{at}/runbookId"), message));
                }
            }
        }
        Ok(faults)
    }

    async fn static_faults(
        &self,
        action: &RunbookAction,
        version: u32,
        at: &str,
    ) -> Result<Vec<Fault>, Error> {
        let compiled = self.compiled(&action.runbook_id, version).await?;
        let schema = compiled.plan.schema.as_ref();
        Ok(schema.map(|schema| action.static_faults(schema, at)).unwrap_or_default())
    }

    pub(super) async fn with_references(&self, detail: WorkflowDetail) -> Result<WorkflowDetail, Error> {
        let definition = &detail.version.definition;
        let runbooks = self.runbooks_of(definition).await?;
        let broken = runbook_actions(definition).filter_map(|(_, node, action)| {
            let runbook = runbooks.get(&action.runbook_id);
            let reason = standing(action, definition.team_id.as_ref(), runbook).fault()?;
            Some(BrokenReference { node: node.clone(), runbook: action.runbook_id.clone(), reason })
        });
        let broken = broken.collect();
        Ok(WorkflowDetail { broken, ..detail })
    }

    /// Those that exist, deleted ones included. A definition has at most 100 nodes, so one read is enough.
    async fn runbooks_of(
        &self,
        definition: &WorkflowDefinition,
    ) -> Result<BTreeMap<RunbookId, Runbook>, Error> {
        let ids: BTreeSet<&RunbookId> =
            runbook_actions(definition).map(|(_, _, action)| &action.runbook_id).collect();
        let keys: Vec<Key> = ids.into_iter().cloned().map(Key::Runbook).collect();
        if keys.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut runbooks = BTreeMap::new();
        for stored in self.table.batch_get(&keys).await?.into_values() {
            let runbook: Runbook = stored.typed()?.value;
            runbooks.insert(runbook.id.clone(), runbook);
        }
        Ok(runbooks)
    }
}

/// Each with its position among the nodes.
fn runbook_actions(
    definition: &WorkflowDefinition,
) -> impl Iterator<Item = (usize, &StepId, &RunbookAction)> {
    let nodes = definition.definition.nodes.iter().enumerate();
    nodes.filter_map(|(position, node)| match node {
        Node::Action { id, action: Action::Runbook(action), .. } => Some((position, id, action)),
        Node::Action { .. } | Node::Trigger { .. } | Node::Condition { .. } | Node::Delay { .. } => None,
    })
}

/// A global workflow may execute any team's runbook; which incidents it may do so for is decided when it runs.
fn standing(action: &RunbookAction, team: Option<&TeamId>, runbook: Option<&Runbook>) -> Standing {
    let Some(runbook) = runbook else { return Standing::Missing };
    if runbook.deleted_at.is_some() {
        return Standing::Deleted;
    }
    if team.is_some() && runbook.team.is_some() && runbook.team.as_ref() != team {
        return Standing::OfAnotherTeam;
    }
    let Some(version) = action.version else {
        let current = runbook.head_status();
        return runbook.approved_version().map_or(Standing::NotApproved(current), Standing::Runs);
    };
    match runbook.status_of(version) {
        Some(VersionStatus::Approved) => Standing::Runs(version),
        Some(status @ (VersionStatus::Draft | VersionStatus::Deprecated)) => Standing::NotApproved(status),
        None => Standing::NoSuchVersion(version),
    }
}

impl Standing {
    /// Why an execution would fail; `None` if it would not.
    fn fault(&self) -> Option<String> {
        match self {
            Self::Runs(_) => None,
            Self::NotApproved(status) => Some(format!("Runbook is {status}, not APPROVED")),
            Self::NoSuchVersion(version) => Some(format!("Runbook has no version {version}")),
            Self::OfAnotherTeam => Some("Runbook belongs to another team".into()),
            Self::Deleted => Some("Runbook is deleted".into()),
            Self::Missing => Some("There is no such runbook".into()),
        }
    }
}
