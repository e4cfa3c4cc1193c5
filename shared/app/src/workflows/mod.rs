//! Workflows: create, change, switch, read, delete (C2).

mod backtest;
mod references;
mod run;
mod save;
mod trial;
mod versions;

use muster_domain::fault::Fault;
use muster_domain::ids::{TeamId, WorkflowId};
use muster_domain::policy::{Action, Owner};
use muster_domain::workflow::{TriggerKind, Workflow, WorkflowDefinition, WorkflowVersion};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use self::backtest::{
    Backtest, BacktestRequest, MAX_BACKTEST_DAYS, MAX_BACKTEST_EVENTS, WouldHaveStarted,
};
pub use self::references::BrokenReference;
pub use self::run::{NodeName, RunRequest};
use self::save::Content;
pub use self::trial::{Trial, Tried};
use crate::once::Decided;
use crate::paging::{List, Paging};
use crate::runbooks::{fact, note_faults, refuse_faults};
use crate::table::{Key, Query, Record, Versioned, Write};
use crate::{App, Caller, Error};

/// A workflow with its newest version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkflowDetail {
    pub workflow: Workflow,
    pub version: WorkflowVersion,
    /// The item's version, which `If-Match` names.
    pub revision: u64,
    /// What the newest version executes and cannot, as of this reading.
    #[serde(default)]
    pub broken: Vec<BrokenReference>,
}

/// Which workflows a list shows. What the caller may not read is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct WorkflowFilter {
    pub team: Option<TeamId>,
    pub enabled: Option<bool>,
    pub trigger: Option<TriggerKind>,
    /// A part of the name, in any case.
    pub text: Option<String>,
}

/// Whether events and age may start a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    Enabled,
    Disabled,
}

impl App {
    pub async fn create_workflow(
        &self,
        caller: &Caller,
        definition: WorkflowDefinition,
    ) -> Result<WorkflowDetail, Error> {
        caller.principal.may(Action::EditWorkflow, &Owner::from(definition.team_id.clone()))?;
        let decide = async || {
            self.refuse_faulty(&definition).await?;
            let id = WorkflowId::new(self.clock.now(), Self::random()?);
            self.first_workflow_version(id, definition.clone(), &caller.principal.user).await
        };
        let detail = self.once(caller, decide).await?.into_reply();
        self.with_references(detail).await
    }

    pub async fn workflow(&self, caller: &Caller, id: &WorkflowId) -> Result<WorkflowDetail, Error> {
        let head = self.load_workflow(id).await?;
        caller.principal.may(Action::Read, &Owner::from(head.value.team.clone()))?;
        let version = self.load_workflow_version(id, head.value.version).await?;
        self.with_references(unchanged(head, version)).await
    }

    /// Newest first.
    pub async fn workflows(
        &self,
        caller: &Caller,
        filter: &WorkflowFilter,
        paging: &Paging,
    ) -> Result<List<Workflow>, Error> {
        let query = match &filter.team {
            Some(team) => {
                caller.principal.may(Action::Read, &Owner::Team(team.clone()))?;
                Query::WorkflowsOfTeam { team: team.clone() }
            }
            None => Query::Workflows,
        };
        let shows = |record: Record| match Workflow::try_from(record) {
            Ok(workflow) if filter.matches(&workflow) && readable(caller, &workflow) => Some(workflow),
            Ok(_) | Err(_) => None,
        };
        self.filtered(&(&query, filter), &query, paging, shows).await
    }

    /// Makes a new version of the whole definition; the same definition again changes nothing.
    pub async fn update_workflow(
        &self,
        caller: &Caller,
        id: &WorkflowId,
        definition: WorkflowDefinition,
        note: Option<String>,
        if_match: Option<u64>,
    ) -> Result<WorkflowDetail, Error> {
        refuse_faults(note_faults(note.as_deref()))?;
        let decide = async || {
            let head = self.load_editable_workflow(caller, id, if_match).await?;
            if definition.team_id != head.value.team {
                let message = "cannot be changed; create a workflow for the other team";
                return Err(Error::Invalid(vec![Fault::new("/teamId", message)]));
            }
            self.refuse_faulty(&definition).await?;
            let newest = self.load_workflow_version(id, head.value.version).await?;
            if newest.digest == definition.digest() {
                return Ok(Decided { reply: unchanged(head, newest), writes: Vec::new() });
            }
            let content = Content { definition: definition.clone(), note: note.clone(), copied_from: None };
            self.next_workflow_version(&head, content, &caller.principal.user).await
        };
        let detail = self.once(caller, decide).await?.into_reply();
        self.with_references(detail).await
    }

    /// Lets events start the workflow, or keeps them from it: a new version that differs in `enabled` alone. Switching
    /// on checks the definition as any save does; switching off always works.
    pub async fn switch_workflow(
        &self,
        caller: &Caller,
        id: &WorkflowId,
        to: Activation,
    ) -> Result<WorkflowDetail, Error> {
        let enabled = match to {
            Activation::Enabled => true,
            Activation::Disabled => false,
        };
        let decide = async || {
            let head = self.load_editable_workflow(caller, id, None).await?;
            let newest = self.load_workflow_version(id, head.value.version).await?;
            if newest.definition.enabled == enabled {
                return Ok(Decided { reply: unchanged(head, newest), writes: Vec::new() });
            }
            let definition = WorkflowDefinition { enabled, ..newest.definition };
            if enabled {
                self.refuse_faulty(&definition).await?;
            }
            let content = Content { definition, note: Some(to.note().to_owned()), copied_from: None };
            self.next_workflow_version(&head, content, &caller.principal.user).await
        };
        let detail = self.once(caller, decide).await?.into_reply();
        self.with_references(detail).await
    }

    /// Takes a workflow out of use for ever: nothing starts it any more, and what it runs begins no further node. Its
    /// versions, executions and audit stay readable.
    pub async fn delete_workflow(
        &self,
        caller: &Caller,
        id: &WorkflowId,
        if_match: Option<u64>,
    ) -> Result<(), Error> {
        let decide = async || {
            let head = self.load_editable_workflow(caller, id, if_match).await?;
            let now = self.clock.now();
            let mut workflow = Workflow { deleted_at: Some(now), updated_at: now, ..head.value.clone() };
            let fact = fact("workflow.deleted", &caller.principal.user, json!({"version": workflow.version}));
            let entry = save::audit_workflow(&mut workflow, fact, now);
            let mut writes = self.candidate_writes(Some(&head.value), &workflow).await?;
            writes.extend([Write::replace(workflow, head.version), entry]);
            Ok(Decided { reply: (), writes })
        };
        self.once(caller, decide).await?;
        Ok(())
    }

    /// A workflow's head for its readers, deleted or not: its history outlives it.
    pub(crate) async fn load_readable_workflow(
        &self,
        caller: &Caller,
        id: &WorkflowId,
    ) -> Result<Workflow, Error> {
        let stored = self.table.get(&Key::Workflow(id.clone())).await?;
        let missing = || Error::NotFound { kind: "workflow", id: id.to_string() };
        let head: Versioned<Workflow> = stored.ok_or_else(missing)?.typed()?;
        caller.principal.may(Action::Read, &Owner::from(head.value.team.clone()))?;
        Ok(head.value)
    }

    async fn load_editable_workflow(
        &self,
        caller: &Caller,
        id: &WorkflowId,
        if_match: Option<u64>,
    ) -> Result<Versioned<Workflow>, Error> {
        let head = self.load_workflow(id).await?;
        caller.principal.may(Action::EditWorkflow, &Owner::from(head.value.team.clone()))?;
        head.unchanged_since(if_match)?;
        Ok(head)
    }
}

impl WorkflowFilter {
    fn matches(&self, workflow: &Workflow) -> bool {
        let text = |part: &String| workflow.name.to_lowercase().contains(&part.to_lowercase());
        self.enabled.is_none_or(|enabled| workflow.enabled == enabled)
            && self.trigger.is_none_or(|kind| workflow.trigger.kind() == kind)
            && self.text.as_ref().is_none_or(text)
    }
}

impl Activation {
    /// The note of the version that it makes.
    const fn note(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
        }
    }
}

fn readable(caller: &Caller, workflow: &Workflow) -> bool {
    caller.principal.may(Action::Read, &Owner::from(workflow.team.clone())).is_ok()
}

fn unchanged(head: Versioned<Workflow>, version: WorkflowVersion) -> WorkflowDetail {
    WorkflowDetail { revision: head.version, workflow: head.value, version, broken: Vec::new() }
}
