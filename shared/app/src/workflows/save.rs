//! What saving a workflow writes: head, version, audit, and the matcher's list, in one commit.

use muster_domain::audit::{ChainHead, Fact, Resource};
use muster_domain::ids::{UserId, WorkflowId};
use muster_domain::time::Time;
use muster_domain::workflow::{Workflow, WorkflowDefinition, WorkflowVersion};
use serde_json::json;

use super::WorkflowDetail;
use crate::load::audit;
use crate::once::Decided;
use crate::runbooks::{MAX_VERSIONS, fact};
use crate::table::{Versioned, Write};
use crate::{App, Error};

/// What a new version holds.
pub(super) struct Content {
    pub definition: WorkflowDefinition,
    pub note: Option<String>,
    pub copied_from: Option<u32>,
}

impl App {
    pub(super) async fn first_workflow_version(
        &self,
        id: WorkflowId,
        definition: WorkflowDefinition,
        author: &UserId,
    ) -> Result<Decided<WorkflowDetail>, Error> {
        let now = self.clock.now();
        let mut workflow = Workflow {
            id: id.clone(),
            team: definition.team_id.clone(),
            name: definition.name.clone(),
            enabled: definition.enabled,
            version: 1,
            trigger: definition.trigger.clone(),
            settings: definition.settings,
            created_by: author.clone(),
            created_at: now,
            updated_at: now,
            deleted_at: None,
            audit: ChainHead::default(),
        };
        let content = Content { definition, note: None, copied_from: None };
        let version = version_of(&workflow, content, author, now);
        let facts = json!({"version": 1, "digest": version.digest, "enabled": workflow.enabled});
        let entry = audit_workflow(&mut workflow, fact("workflow.created", author, facts), now);
        let mut writes = self.candidate_writes(None, &workflow).await?;
        writes.extend([Write::create(workflow.clone()), Write::create(version.clone()), entry]);
        Ok(Decided { reply: WorkflowDetail { workflow, version, revision: 1, broken: Vec::new() }, writes })
    }

    pub(super) async fn next_workflow_version(
        &self,
        head: &Versioned<Workflow>,
        content: Content,
        author: &UserId,
    ) -> Result<Decided<WorkflowDetail>, Error> {
        let number = head.value.version.saturating_add(1);
        if number > MAX_VERSIONS {
            return Err(Error::Conflict(format!(
                "has {MAX_VERSIONS} versions, which is the most; create a new workflow"
            )));
        }
        let now = self.clock.now();
        let copied_from = content.copied_from;
        let mut workflow = Workflow {
            name: content.definition.name.clone(),
            enabled: content.definition.enabled,
            version: number,
            trigger: content.definition.trigger.clone(),
            settings: content.definition.settings,
            updated_at: now,
            ..head.value.clone()
        };
        let version = version_of(&workflow, content, author, now);
        let facts = json!({
            "version": number, "digest": version.digest, "enabled": workflow.enabled, "rolledBackFrom": copied_from,
        });
        let action = if copied_from.is_some() { "workflow.rolled_back" } else { "workflow.updated" };
        let entry = audit_workflow(&mut workflow, fact(action, author, facts), now);
        let mut writes = self.candidate_writes(Some(&head.value), &workflow).await?;
        let revision = head.version.saturating_add(1);
        writes.extend([
            Write::replace(workflow.clone(), head.version),
            Write::create(version.clone()),
            entry,
        ]);
        Ok(Decided { reply: WorkflowDetail { workflow, version, revision, broken: Vec::new() }, writes })
    }
}

fn version_of(workflow: &Workflow, content: Content, author: &UserId, now: Time) -> WorkflowVersion {
    WorkflowVersion {
        workflow: workflow.id.clone(),
        version: workflow.version,
        digest: content.definition.digest(),
        definition: content.definition,
        author: author.clone(),
        created_at: now,
        change_note: content.note,
        rolled_back_from: content.copied_from,
    }
}

pub(super) fn audit_workflow(workflow: &mut Workflow, fact: Fact, now: Time) -> Write {
    let (resource, team) = (Resource::Workflow(workflow.id.clone()), workflow.team.clone());
    audit(&mut workflow.audit, resource, team, fact, now)
}
