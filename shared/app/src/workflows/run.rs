//! Running a workflow by hand, and reading what its executions did.

use muster_domain::execution::{Execution, Pinned, PinnedWorkflow};
use muster_domain::ids::{ExecutionId, IncidentId, StepId, WorkflowId};
use muster_domain::policy::{Action, Owner};
use muster_domain::workflow::{Node, Workflow, WorkflowVersion};
use serde::{Deserialize, Serialize};

use crate::executions::{Accepted, created};
use crate::once::{Decided, Once};
use crate::paging::{List, Paging};
use crate::table::Query;
use crate::{App, Caller, Error};

/// What a person asks to run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunRequest {
    pub incident: Option<IncidentId>,
}

/// A node of a workflow that becomes a step, as people know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeName {
    pub id: StepId,
    pub name: Option<String>,
}

impl App {
    /// Stores an execution of the newest version that the worker will bring to its end. A person may run a workflow whether
    /// or not it is enabled, for any incident of its team.
    pub async fn run_workflow(
        &self,
        caller: &Caller,
        id: &WorkflowId,
        request: &RunRequest,
    ) -> Result<ExecutionId, Error> {
        let outcome = self.once(caller, async || self.decide_run(caller, id, request).await).await?;
        if let Once::Now(accepted) = &outcome {
            self.accepted(accepted).await;
        }
        Ok(outcome.into_reply().id)
    }

    async fn decide_run(
        &self,
        caller: &Caller,
        id: &WorkflowId,
        request: &RunRequest,
    ) -> Result<Decided<Accepted>, Error> {
        let head = self.load_workflow(id).await?.value;
        caller.principal.may(Action::Execute, &Owner::from(head.team.clone()))?;
        let incident = self.incident_for(caller, head.team.as_ref(), request.incident.as_ref()).await?;
        let version = self.load_workflow_version(id, head.version).await?;
        let execution = ExecutionId::new(self.clock.now(), Self::random()?);
        let pinned = Pinned::Workflow(pin(&head, &version));
        let execution = Execution {
            team: head.team.clone().or_else(|| incident.as_ref().and_then(|incident| incident.team.clone())),
            incident: incident.map(|incident| incident.id),
            // What it does to incidents must not start it again (C5).
            chain: vec![head.id],
            ..self.pending(execution, pinned, caller.principal.user.clone())
        };
        self.refuse_killed(&execution).await?;
        let reply = Accepted::of(&execution);
        Ok(Decided { reply, writes: created(execution, Some(caller.principal.user.clone())) })
    }

    /// Newest first; of a deleted workflow too.
    pub async fn executions_of_workflow(
        &self,
        caller: &Caller,
        id: &WorkflowId,
        paging: &Paging,
    ) -> Result<List<Execution>, Error> {
        self.load_readable_workflow(caller, id).await?;
        self.executions(caller, &Query::ExecutionsOfWorkflow { workflow: id.clone() }, paging).await
    }

    /// The nodes that an execution goes through, in its order; none for a runbook's, whose steps need no names.
    pub async fn nodes_of(&self, execution: &Execution) -> Result<Vec<NodeName>, Error> {
        let Pinned::Workflow(pinned) = &execution.pinned else { return Ok(Vec::new()) };
        let version = self.load_workflow_version(&pinned.id, pinned.version).await?;
        let nodes = version.definition.definition.topological_order().unwrap_or_default();
        let steps = nodes.into_iter().filter(|node| !matches!(node, Node::Trigger { .. }));
        let named = |node: &Node| NodeName { id: node.id().clone(), name: node.name().map(str::to_owned) };
        Ok(steps.map(named).collect())
    }
}

fn pin(workflow: &Workflow, version: &WorkflowVersion) -> PinnedWorkflow {
    PinnedWorkflow {
        id: workflow.id.clone(),
        name: version.definition.name.clone(),
        version: version.version,
        digest: version.digest,
    }
}
