//! The execution of a runbook that a step of another execution starts.

use muster_domain::execution::{Execution, Parent, ParentWorkflow, Pinned};
use muster_domain::fault::Fault;
use muster_domain::freeze::FreezePass;
use muster_domain::ids::{RunbookId, StepId};
use muster_domain::incident::Incident;
use muster_domain::limits::Admission;
use muster_domain::plan::RunbookCall;
use muster_domain::render::render_parameters;
use muster_domain::workflow::child_execution_id;
use serde_json::Value;

use super::accept::{approved_version, pin, team_of, validated};
use crate::{App, Error};

impl App {
    /// What a step starts, or why it cannot: the inner error ends the step, the outer one is the table's.
    pub(crate) async fn child(
        &self,
        parent: &Execution,
        (step, call): (&StepId, &RunbookCall),
        incident: Option<&Incident>,
        context: &Value,
    ) -> Result<Result<Execution, String>, Error> {
        match self.prepare_child(parent, (step, call), incident, context).await {
            Ok(child) => Ok(Ok(child)),
            Err(Error::NotApproved { current }) => Ok(Err(format!("Runbook is {current}, not APPROVED"))),
            Err(Error::NotFound { kind, id }) => Ok(Err(format!("there is no {kind} {id}"))),
            Err(Error::Invalid(faults)) => Ok(Err(listed(&faults))),
            Err(Error::Conflict(why)) => Ok(Err(why)),
            Err(Error::Frozen(frozen)) => Ok(Err(frozen.to_string())),
            Err(error) => Err(error),
        }
    }

    async fn prepare_child(
        &self,
        parent: &Execution,
        (step, call): (&StepId, &RunbookCall),
        incident: Option<&Incident>,
        context: &Value,
    ) -> Result<Execution, Error> {
        let rendered = render_parameters(call, context);
        let rendered = rendered.map_err(|error| Error::Invalid(vec![Fault::new("/parameters", error)]))?;
        let led_here = led_through(parent);
        refuse_endless(&led_here, &call.runbook)?;
        let runbook = self.load_runbook(&call.runbook).await?.value;
        if runbook.team.is_some() && runbook.team != parent.team {
            let message = format!("runbook {} belongs to another team", runbook.id);
            return Err(Error::Invalid(vec![Fault::new("/runbookId", message)]));
        }
        let compiled = self.compiled(&runbook.id, approved_version(&runbook, call.version)?).await?;
        let parameters = validated(&compiled, rendered)?;
        let id = child_execution_id(&parent.id, parent.created_at, step);
        let pinned = Pinned::Runbook(pin(&runbook, &compiled));
        let child = Execution {
            team: team_of(&runbook, incident).or_else(|| parent.team.clone()),
            incident: parent.incident.clone(),
            parent: Some(started_by(parent, step, call.wait, led_here)),
            chain: parent.chain.clone(),
            cause: parent.cause.clone(),
            parameters,
            freeze_pass: part_of(parent),
            ..self.pending(id, pinned, parent.requested_by.clone())
        };
        let child = Execution { admission: lent(parent, child.parent.as_ref()), ..child };
        self.refuse_frozen(&child, &compiled.plan).await?;
        self.refuse_given_up(&child, &compiled).await?;
        let risk = self.risk_of(&child, &compiled, incident).await?;
        Ok(Execution { risk, ..child })
    }
}

/// Whoever waits for an execution lends it its place at a target.
fn lent(parent: &Execution, link: Option<&Parent>) -> Admission {
    let waits = link.is_some_and(|link| link.waits);
    let shares = if waits { parent.shared_leases() } else { Vec::new() };
    Admission { shares, ..Admission::default() }
}

fn started_by(parent: &Execution, step: &StepId, waits: bool, runbooks: Vec<RunbookId>) -> Parent {
    let workflow = parent.pinned.workflow();
    let workflow = workflow.map(|pin| ParentWorkflow { id: pin.id.clone(), name: pin.name.clone() });
    Parent { execution: parent.id.clone(), step: step.clone(), workflow, runbooks, waits }
}

/// The runbooks by which an execution came about, its own last.
fn led_through(parent: &Execution) -> Vec<RunbookId> {
    let before = parent.parent.iter().flat_map(|parent| &parent.runbooks);
    before.chain(parent.pinned.runbook().map(|runbook| &runbook.id)).cloned().collect()
}

/// How many runbooks may start one another.
const DEEPEST: usize = 5;

/// A runbook that started itself, even by way of others, would never come to an end.
fn refuse_endless(led_here: &[RunbookId], next: &RunbookId) -> Result<(), Error> {
    if led_here.contains(next) {
        return Err(Error::Conflict(format!("runbook {next} would start itself")));
    }
    if led_here.len() >= DEEPEST {
        return Err(Error::Conflict(format!("at most {DEEPEST} runbooks may start one another")));
    }
    Ok(())
}

/// Freezes bound the runbook that this one is a part of; a workflow they do not bind.
fn part_of(parent: &Execution) -> Option<FreezePass> {
    match &parent.pinned {
        Pinned::Runbook(_) => Some(FreezePass::PartOf { execution: parent.id.clone() }),
        Pinned::Workflow(_) => None,
    }
}

fn listed(faults: &[Fault]) -> String {
    let faults = faults.iter().map(|fault| format!("{}: {}", fault.pointer, fault.message));
    faults.collect::<Vec<_>>().join("; ")
}
