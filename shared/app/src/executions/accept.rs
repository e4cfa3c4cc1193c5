//! Accepting an execution: everything is checked before anything is stored (A6).

use std::collections::BTreeMap;

use muster_domain::audit::{ChainHead, Fact};
use muster_domain::execution::{Execution, Pinned, PinnedRunbook, State, Trail, TrailEvent};
use muster_domain::fault::Fault;
use muster_domain::ids::{ExecutionId, IncidentId, RunbookId, TeamId, UserId};
use muster_domain::incident::Incident;
use muster_domain::limits::Admission;
use muster_domain::plan::dry_run::{Foreseen, Outlook};
use muster_domain::policy::{Action, Denied, Owner};
use muster_domain::risk::Risk;
use muster_domain::runbook::{Runbook, VersionStatus};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Accepted, audit_execution};
use crate::freezes::FreezeForecast;
use crate::limits::LimitsOutlook;
use crate::once::{Decided, Once};
use crate::plans::Compiled;
use crate::table::Write;
use crate::{App, Caller, Error};

/// What a person asks to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExecuteRequest {
    #[serde(default)]
    pub incident_id: Option<IncidentId>,
    #[serde(default)]
    pub parameters: Map<String, Value>,
    /// Absent: the newest approved version. A dry run may name a DRAFT.
    #[serde(default)]
    pub version: Option<u32>,
    /// Only show what would be sent.
    #[serde(default)]
    pub dry_run: bool,
}

/// What executing answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Executed {
    Accepted(Accepted),
    DryRun(Box<Forecast>),
}

/// What a real run would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Step by step, in the plan's order.
    pub steps: Vec<Foreseen>,
    /// Absent of a runbook without phases.
    pub risk: Option<Risk>,
    /// Absent if it has no limits that are judged at its start.
    #[serde(default)]
    pub limits: Option<LimitsOutlook>,
    /// The change freeze that it would meet now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freeze: Option<FreezeForecast>,
}

impl App {
    /// Stores an execution that the worker will bring to its end. Nothing is sent yet.
    pub async fn execute_runbook(
        &self,
        caller: &Caller,
        id: &RunbookId,
        request: &ExecuteRequest,
    ) -> Result<Executed, Error> {
        let outcome = self.once(caller, async || self.decide_execution(caller, id, request).await).await?;
        if let Once::Now(Executed::Accepted(accepted)) = &outcome {
            self.accepted(accepted).await;
        }
        Ok(outcome.into_reply())
    }

    async fn decide_execution(
        &self,
        caller: &Caller,
        id: &RunbookId,
        request: &ExecuteRequest,
    ) -> Result<Decided<Executed>, Error> {
        let head = self.load_runbook(id).await?.value;
        caller.principal.may(Action::Execute, &Owner::from(head.team.clone()))?;
        let incident = self.incident_for(caller, head.team.as_ref(), request.incident_id.as_ref()).await?;
        let number = match request.dry_run {
            true => version_to_show(caller, &head, request.version)?,
            false => approved_version(&head, request.version)?,
        };
        let compiled = self.compiled(id, number).await?;
        let parameters = validated(&compiled, request.parameters.clone())?;
        let execution = self.new_execution(caller, &head, &compiled, incident.as_ref(), parameters).await?;
        if request.dry_run {
            let steps = preview(&execution, &compiled, incident.as_ref())?;
            let limits = self.limits_outlook(&execution, &compiled).await?;
            let freeze = self.freeze_forecast(&execution, &compiled.plan).await?;
            let forecast = Forecast { steps, risk: execution.risk, limits, freeze };
            let reply = Executed::DryRun(Box::new(forecast));
            return Ok(Decided { reply, writes: Vec::new() });
        }
        self.refuse_stopped(&execution, &compiled.plan).await?;
        self.refuse_limited(&execution, &compiled).await?;
        Ok(accepted(execution, caller))
    }

    /// The incident an execution is for: one the caller may act on, and of no other team than what runs.
    pub(crate) async fn incident_for(
        &self,
        caller: &Caller,
        team: Option<&TeamId>,
        id: Option<&IncidentId>,
    ) -> Result<Option<Incident>, Error> {
        let Some(id) = id else { return Ok(None) };
        let incident = self.load_incident(id).await?.value;
        caller.principal.may(Action::Execute, &Owner::from(incident.team.clone()))?;
        same_team(team, &incident)?;
        Ok(Some(incident))
    }

    pub(super) async fn new_execution(
        &self,
        caller: &Caller,
        runbook: &Runbook,
        compiled: &Compiled,
        incident: Option<&Incident>,
        parameters: Map<String, Value>,
    ) -> Result<Execution, Error> {
        let id = ExecutionId::new(self.clock.now(), Self::random()?);
        let pinned = Pinned::Runbook(pin(runbook, compiled));
        let execution = Execution {
            team: team_of(runbook, incident),
            incident: incident.map(|incident| incident.id.clone()),
            parameters,
            ..self.pending(id, pinned, caller.principal.user.clone())
        };
        self.refuse_given_up(&execution, compiled).await?;
        let risk = self.risk_of(&execution, compiled, incident).await?;
        Ok(Execution { risk, ..execution })
    }

    /// An execution that nobody has claimed, of no team, incident or parent yet.
    pub(crate) fn pending(&self, id: ExecutionId, pinned: Pinned, requested_by: UserId) -> Execution {
        let now = self.clock.now();
        let mut trail = Trail::new(id.as_str());
        trail.push(TrailEvent::Accepted { by: requested_by.clone() }, now);
        Execution {
            id,
            pinned,
            team: None,
            requested_by,
            incident: None,
            parent: None,
            chain: Vec::new(),
            cause: None,
            parameters: Map::new(),
            created_at: now,
            started_at: None,
            ended_at: None,
            state: State::Pending,
            epoch: 0,
            steps: BTreeMap::new(),
            due_at: Some(now.plus(self.settings.nudge_grace)),
            stop: None,
            pause: None,
            paused_ms: 0,
            unwinding: None,
            undoes: None,
            risk: None,
            verdict: None,
            admission: Admission::default(),
            freeze_pass: None,
            norms: BTreeMap::new(),
            trail,
            audit: ChainHead::default(),
        }
    }
}

/// A runbook of a team is for incidents of that team, or of none.
pub(super) fn same_team(team: Option<&TeamId>, incident: &Incident) -> Result<(), Denied> {
    match (team, &incident.team) {
        (Some(owner), Some(other)) if owner != other => {
            Err(Denied::Role(format!("team:{owner}:responder, and an incident of team {owner}")))
        }
        (Some(_) | None, Some(_) | None) => Ok(()),
    }
}

/// The runbook's team, else the incident's.
pub(super) fn team_of(runbook: &Runbook, incident: Option<&Incident>) -> Option<TeamId> {
    runbook.team.clone().or_else(|| incident.and_then(|incident| incident.team.clone()))
}

pub(super) fn pin(runbook: &Runbook, compiled: &Compiled) -> PinnedRunbook {
    PinnedRunbook {
        id: runbook.id.clone(),
        name: compiled.name.clone(),
        version: compiled.version,
        digest: compiled.digest,
    }
}

pub(super) fn approved_version(runbook: &Runbook, wanted: Option<u32>) -> Result<u32, Error> {
    let Some(number) = wanted else {
        let current = runbook.head_status();
        return runbook.approved_version().ok_or(Error::NotApproved { current });
    };
    match runbook.status_of(number) {
        Some(VersionStatus::Approved) => Ok(number),
        Some(current @ (VersionStatus::Draft | VersionStatus::Deprecated)) => {
            Err(Error::NotApproved { current })
        }
        None => Err(Error::NotFound { kind: "version", id: format!("{number} of runbook {}", runbook.id) }),
    }
}

/// Of a DRAFT that is asked for by its number too, for those who write and approve it: nobody should approve what they have not seen.
fn version_to_show(caller: &Caller, runbook: &Runbook, wanted: Option<u32>) -> Result<u32, Error> {
    let owner = Owner::from(runbook.team.clone());
    let may = |action| caller.principal.may(action, &owner).is_ok();
    match wanted.map(|number| (number, runbook.status_of(number))) {
        Some((number, Some(VersionStatus::Draft)))
            if may(Action::EditRunbook) || may(Action::DecideRunbook) =>
        {
            Ok(number)
        }
        Some(_) | None => approved_version(runbook, wanted),
    }
}

/// The parameters with defaults applied, or every violation with its place.
pub(super) fn validated(
    compiled: &Compiled,
    parameters: Map<String, Value>,
) -> Result<Map<String, Value>, Error> {
    let Some(schema) = &compiled.plan.schema else {
        return bounded(parameters);
    };
    let invalid = |faults: Vec<Fault>| {
        Error::Invalid(faults.into_iter().map(|fault| fault.under("/parameters")).collect())
    };
    match schema.validate(Value::Object(parameters)).map_err(invalid)? {
        Value::Object(parameters) => Ok(parameters),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Ok(Map::new())
        }
    }
}

/// The most bytes of JSON that parameters may have.
pub const MAX_PARAMETERS_BYTES: usize = 16 * 1024;

fn bounded(parameters: Map<String, Value>) -> Result<Map<String, Value>, Error> {
    let size = serde_json::to_string(&parameters).map_or(usize::MAX, |text| text.len());
    if size > MAX_PARAMETERS_BYTES {
        let message = format!("has {size} bytes; at most {MAX_PARAMETERS_BYTES} are allowed");
        return Err(Error::Invalid(vec![Fault::new("/parameters", message)]));
    }
    Ok(parameters)
}

/// What a run would do. A runbook of one call that could not be rendered is refused, as it would fail at once.
fn preview(
    execution: &Execution,
    compiled: &Compiled,
    incident: Option<&Incident>,
) -> Result<Vec<Foreseen>, Error> {
    let steps = compiled.plan.foresee(execution, incident);
    match steps.as_slice() {
        [Foreseen { outlook: Outlook::Fails { error }, .. }] => {
            Err(Error::Invalid(vec![Fault::new("/parameters", error.clone())]))
        }
        _ => Ok(steps),
    }
}

fn accepted(execution: Execution, caller: &Caller) -> Decided<Executed> {
    let reply = Executed::Accepted(Accepted::of(&execution));
    Decided { reply, writes: created(execution, Some(caller.principal.user.clone())) }
}

/// The writes that create an execution; `actor` is who asked for it, if a person did.
pub(crate) fn created(mut execution: Execution, actor: Option<UserId>) -> Vec<Write> {
    let detail = pinned_detail(&execution);
    let fact = Fact { action: "execution.accepted", actor, detail };
    let now = execution.created_at;
    let entry = audit_execution(&mut execution, fact, now);
    vec![Write::create(execution), entry]
}

fn pinned_detail(execution: &Execution) -> Value {
    let (kind, id, version, digest) = match &execution.pinned {
        Pinned::Runbook(runbook) => ("runbook", json!(runbook.id), runbook.version, runbook.digest),
        Pinned::Workflow(workflow) => ("workflow", json!(workflow.id), workflow.version, workflow.digest),
    };
    let mut detail = json!({"version": version, "digest": digest, "incident": execution.incident});
    if let Some(members) = detail.as_object_mut() {
        members.insert(kind.to_owned(), id);
        let parent = execution.parent.as_ref().map(|parent| ("parent".to_owned(), json!(parent.execution)));
        let cause = execution.cause.as_ref().map(|cause| ("cause".to_owned(), json!(cause)));
        members.extend(parent.into_iter().chain(cause));
    }
    detail
}
