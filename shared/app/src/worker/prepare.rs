//! What a worker finds out before it asks to begin steps: the guard, requests, answers, and how other executions ended.

use std::collections::BTreeMap;

use muster_domain::approval::Question;
use muster_domain::execution::decide::{Next, Prepared};
use muster_domain::execution::prepare::{Preparation, prepare};
use muster_domain::execution::{ChildEnd, Execution, ExecutionStatus, State, StepRun, StepState};
use muster_domain::ids::{ExecutionId, StepId};
use muster_domain::incident::Incident;
use muster_domain::outcome::Outcome;
use muster_domain::plan::Step;
use muster_domain::render::context;
use serde_json::Value;

use super::gates::Asked;
use super::run::Run;
use crate::Error;
use crate::gates::follow::Gates;
use crate::limits::Turn;
use crate::table::{Body, BodyPart, Key, Stored};

/// What a worker asks to begin with, and what becomes of approvals if it may.
#[derive(Debug, Clone)]
pub(super) struct Brought {
    pub next: Next,
    pub gates: Gates,
}

impl Brought {
    /// Nothing begins.
    pub(super) fn nothing() -> Self {
        Self { next: Next::nothing(), gates: Gates::default() }
    }
}

impl Run<'_> {
    /// Reads the guard, asks the limits and prepares what would begin. An unreadable guard is an error: nothing begins.
    pub(super) async fn next(&mut self) -> Result<Brought, Error> {
        let view = self.app.guard_view(&self.seen.value, &self.compiled.plan).await?;
        let clearance = self.seen.value.clearance(&view);
        let turn = match self.given_up().await? {
            Some(given_up) => Turn::held(given_up),
            None => self.app.turn_of(&self.seen.value, &self.compiled).await?,
        };
        let admission = turn.admission.as_ref().unwrap_or(&self.seen.value.admission);
        self.target.clone_from(&admission.target);
        let begins = clearance.is_ok() && turn.hold.is_none();
        let (prepared, questions) = if begins { self.prepare_ready().await? } else { Default::default() };
        let (ended_gates, judged) = self.judged().await?;
        let ended = self.ended_children().await?;
        let usual = self.usual().await?;
        let (hold, admission) = (turn.hold.clone(), turn.admission.clone());
        let pass = view.freeze.clearance().ok().flatten();
        let next = Next { clearance, prepared, ended, gates: ended_gates, hold, admission, pass, usual };
        Ok(Brought { next, gates: Gates { questions, judged, turn } })
    }

    async fn prepare_ready(&self) -> Result<(BTreeMap<StepId, Prepared>, BTreeMap<StepId, Question>), Error> {
        let execution = &self.seen.value;
        let fresh = self.ready().filter(|step| is_fresh(execution.steps.get(&step.id)));
        let fresh: Vec<&Step> = fresh.take(self.compiled.plan.concurrency).collect();
        if fresh.is_empty() {
            return Ok(Default::default());
        }
        let incident = self.incident().await?;
        let mut context = context(execution, incident.as_ref(), &self.long_bodies().await?);
        let (mut prepared, mut questions) = (BTreeMap::new(), BTreeMap::new());
        for step in fresh {
            let Some((brought, question)) = self.prepare(step, incident.as_ref(), &mut context).await? else {
                continue;
            };
            prepared.insert(step.id.clone(), brought);
            questions.extend(question.map(|question| (step.id.clone(), question)));
        }
        Ok((prepared, questions))
    }

    async fn prepare(
        &self,
        step: &Step,
        incident: Option<&Incident>,
        context: &mut Value,
    ) -> Result<Option<Asked>, Error> {
        let execution = &self.seen.value;
        Ok(match prepare(execution, &self.compiled.plan, step, context) {
            Preparation::Ready(prepared) => Some((*prepared, None)),
            Preparation::Nothing => None,
            Preparation::Child(call) => {
                let child = self.app.child(execution, (&step.id, call), incident, context).await?;
                Some((Prepared::Child(child.map(Box::new)), None))
            }
            Preparation::Gate(gate) => Some(self.ask((step, gate), incident, context).await?),
        })
    }

    async fn incident(&self) -> Result<Option<Incident>, Error> {
        match &self.seen.value.incident {
            Some(id) => Ok(Some(self.app.load_incident(id).await?.value)),
            None => Ok(None),
        }
    }

    /// Responses that earlier steps got and that are too long for the execution's own item.
    async fn long_bodies(&self) -> Result<BTreeMap<StepId, String>, Error> {
        let id = &self.seen.value.id;
        let keys: Vec<Key> = self.seen.value.steps.iter().filter_map(|run| long_body(id, run)).collect();
        let mut bodies = BTreeMap::new();
        for body in self.app.read_all(&keys).await?.into_values().map(Stored::typed::<Body>) {
            let body = body?.value;
            bodies.insert(body.step, body.text);
        }
        Ok(bodies)
    }

    async fn ended_children(&self) -> Result<Vec<ChildEnd>, Error> {
        let mut ended = Vec::new();
        for (step, child) in self.seen.value.awaited() {
            match self.app.load_execution(child).await {
                Ok(child) => {
                    ended.extend(end_of(step, &child.value));
                    self.app.resume_forgotten(&child, &self.seen.value).await?;
                }
                Err(Error::NotFound { .. }) => ended.push(ChildEnd {
                    step: step.clone(),
                    status: ExecutionStatus::Failed,
                    error: Some("it is not there".into()),
                }),
                Err(error) => return Err(error),
            }
        }
        Ok(ended)
    }
}

/// Whether a step has to be prepared: it has not begun, or it asks again.
fn is_fresh(run: Option<&StepRun>) -> bool {
    run.is_none_or(|run| run.state == StepState::Void)
}

fn long_body(execution: &ExecutionId, (step, run): (&StepId, &StepRun)) -> Option<Key> {
    match run.attempts.last()?.outcome.as_ref()? {
        Outcome::Answered { truncated: true, .. } => {
            let attempt = u32::try_from(run.attempts.len()).ok()?;
            Some(Key::Body(execution.clone(), step.clone(), BodyPart::Response(attempt)))
        }
        Outcome::Answered { .. }
        | Outcome::Unsent { .. }
        | Outcome::Refused { .. }
        | Outcome::Unknown { .. } => None,
    }
}

fn end_of(step: &StepId, child: &Execution) -> Option<ChildEnd> {
    let error = match &child.state {
        State::Failed { error } => Some(error.clone()),
        State::Cancelled { reason } | State::RolledBack { reason } => Some(reason.clone()),
        State::Succeeded => None,
        State::Pending
        | State::Running { .. }
        | State::Waiting { .. }
        | State::Paused
        | State::NeedsReview { .. }
        | State::UndoFailed { .. } => return None,
    };
    Some(ChildEnd { step: step.clone(), status: child.status(), error })
}
