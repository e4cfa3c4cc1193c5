//! What a worker finds out about gates: what is asked of people, and what they decided.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use muster_domain::approval::{
    Approval, Binding, Bound, GateSpec, Judged, Known, Ledger, Question, judge, subject,
};
use muster_domain::execution::decide::{Ask, GateEnd, GateVerdict, Prepared};
use muster_domain::execution::prepare::{Preparation, prepare};
use muster_domain::execution::{Execution, GateRun, Pinned, PinnedRunbook};
use muster_domain::ids::{StepId, UserId};
use muster_domain::incident::Incident;
use muster_domain::plan::{Gate, Step, StepKind};
use serde_json::{Value, json};

use super::run::Run;
use crate::Error;
use crate::table::Versioned;

/// The most gates that one claim judges; those that are left wake the worker again.
const MOST_JUDGED: usize = 16;
/// The longest text of one covered step, and of all, that an approval shows. What is longer is shown by its digest.
const MOST_SHOWN_BYTES: usize = 8 * 1024;
const MOST_SHOWN_IN_ALL_BYTES: usize = 128 * 1024;

/// What a step brings that asks people.
pub(super) type Asked = (Prepared, Option<Question>);

impl Run<'_> {
    /// What people are asked at a gate, with everything that the decision binds.
    pub(super) async fn ask(
        &self,
        (step, gate): (&Step, &Gate),
        incident: Option<&Incident>,
        context: &Value,
    ) -> Result<Asked, Error> {
        let Some(spec) = demanded(gate, &self.seen.value) else { return Ok((Prepared::NotDemanded, None)) };
        let Pinned::Runbook(runbook) = &self.seen.value.pinned else {
            let why = "only the executions of runbooks ask people".to_owned();
            return Ok((Prepared::Impossible(why), None));
        };
        let (steps, shown) = self.bindings(gate, incident, context).await?;
        let question = self.question((step, spec), runbook, (&steps, shown));
        let ask = Ask {
            subject: question.subject,
            bindings: question.bindings.clone(),
            expires_in: Duration::from_secs(spec.expires_in_seconds),
        };
        Ok((Prepared::Ask(Box::new(ask)), Some(question)))
    }

    /// The round is known only once it is asked.
    fn question(
        &self,
        (step, spec): (&Step, &GateSpec),
        runbook: &PinnedRunbook,
        (steps, shown): (&BTreeMap<StepId, Binding>, Vec<Value>),
    ) -> Question {
        let execution = &self.seen.value;
        let bound = Bound {
            version: runbook.digest,
            parameters: &execution.parameters,
            incident: execution.incident.as_ref(),
            target: self.target.as_deref(),
            steps,
        };
        Question {
            execution: execution.id.clone(),
            step: step.id.clone(),
            round: 0,
            team: execution.team.clone(),
            runbook: runbook.clone(),
            requested_by: execution.requested_by.clone(),
            excluded: self.excluded(),
            spec: spec.clone(),
            subject: subject(&bound),
            bindings: bound.bindings(),
            shown,
        }
    }

    /// How each covered step is bound, and what people are shown of it.
    async fn bindings(
        &self,
        gate: &Gate,
        incident: Option<&Incident>,
        context: &Value,
    ) -> Result<(BTreeMap<StepId, Binding>, Vec<Value>), Error> {
        let (mut steps, mut shown) = (BTreeMap::new(), Shown::default());
        for covered in gate.covers.iter().filter_map(|id| self.compiled.plan.step(id)) {
            let (binding, said) = self.bind(covered, incident, context).await?;
            shown.add(&covered.id, &binding, said);
            steps.insert(covered.id.clone(), binding);
        }
        Ok((steps, shown.steps))
    }

    /// What a covered step would send if it began now, in the same bytes, and what people are shown of it.
    async fn bind(
        &self,
        covered: &Step,
        incident: Option<&Incident>,
        context: &Value,
    ) -> Result<(Binding, Value), Error> {
        // What has been sent is sent again as it was, so that is what a new decision is about.
        if let Some(stored) = self.seen.value.steps.get(&covered.id).and_then(|run| run.request.as_ref()) {
            let digest = stored.digest();
            return Ok((Binding::Request(digest), json!({"begun": true, "digest": digest})));
        }
        let mut context = context.clone();
        Ok(match prepare(&self.seen.value, &self.compiled.plan, covered, &mut context) {
            Preparation::Ready(ready) => bound_as(*ready),
            Preparation::Nothing => undecidable("it only waits".into()),
            Preparation::Gate(_) => undecidable("it asks people itself".into()),
            Preparation::Child(call) => {
                let execution = &self.seen.value;
                match self.app.child(execution, (&covered.id, call), incident, &context).await? {
                    Ok(child) => {
                        let said = json!({"runs": child.pinned, "parameters": child.parameters});
                        (Binding::Request(child.subject()), said)
                    }
                    Err(why) => undecidable(why),
                }
            }
        })
    }

    /// Whoever asked for the run and everyone who wrote what it runs.
    fn excluded(&self) -> BTreeSet<UserId> {
        let writers = self.compiled.writers.iter().cloned();
        writers.chain([self.seen.value.requested_by.clone()]).collect()
    }

    /// What has come of the gates that wait, by their ledgers alone.
    pub(super) async fn judged(
        &self,
    ) -> Result<(Vec<GateEnd>, BTreeMap<StepId, Versioned<Approval>>), Error> {
        let (mut ended, mut settled) = (Vec::new(), BTreeMap::new());
        for (step, gate) in open_gates(&self.seen.value) {
            if ended.len() >= MOST_JUDGED {
                break;
            }
            let Some((verdict, approval)) = self.judge(step, gate).await? else { continue };
            ended.push(GateEnd { step: step.clone(), round: gate.round, verdict });
            settled.extend(approval.map(|approval| (step.clone(), approval)));
        }
        Ok((ended, settled))
    }

    async fn judge(
        &self,
        step: &StepId,
        gate: &GateRun,
    ) -> Result<Option<(GateVerdict, Option<Versioned<Approval>>)>, Error> {
        let execution = &self.seen.value;
        let Some(Versioned { value: approval, version }) =
            self.app.load_approval(&execution.id, step, gate.round).await?
        else {
            return Ok(Some((GateVerdict::Void("what was asked is not there".into()), None)));
        };
        let ledger = self.app.load_ledger(&approval).await?.map(|ledger| ledger.value);
        let excluded = self.excluded();
        let names = excluded.iter().cloned().chain(approval.names(ledger.as_ref())).collect();
        let people = self.app.people(names).await?;
        let spec = self
            .compiled
            .plan
            .step(step)
            .and_then(|step| spec_of(step, execution))
            .unwrap_or(&approval.question.spec);
        let ledger: Option<&Ledger> = ledger.as_ref();
        let known = Known { spec, subject: &gate.subject, excluded: &excluded, people: &people, ledger };
        let judged = judge(&approval, &known, self.app.clock.now());
        Ok(judged.map(|Judged { verdict, approval }| (verdict, Some(Versioned { value: approval, version }))))
    }
}

/// Who must decide about a gate; `None`: nobody need be asked. A gate without approvers of its own is for those whom the
/// execution's risk demands, and this is the place where that is found out.
fn demanded<'g>(gate: &'g Gate, execution: &'g Execution) -> Option<&'g GateSpec> {
    gate.spec.as_ref().or_else(|| execution.risk.as_ref()?.demands.as_ref())
}

fn spec_of<'g>(step: &'g Step, execution: &'g Execution) -> Option<&'g GateSpec> {
    match &step.kind {
        StepKind::Approval(gate) => demanded(gate, execution),
        StepKind::Webhook(_)
        | StepKind::Condition { .. }
        | StepKind::Delay(_)
        | StepKind::Runbook(_)
        | StepKind::Check(_)
        | StepKind::Branch(_) => None,
    }
}

pub(super) fn open_gates(execution: &Execution) -> impl Iterator<Item = (&StepId, &GateRun)> {
    execution.open_gates().filter_map(|(step, run)| Some((step, run.inner.as_ref()?.gate.as_ref()?)))
}

fn bound_as(ready: Prepared) -> (Binding, Value) {
    match ready {
        Prepared::Request(Ok(request)) => (Binding::Request(request.digest()), json!({"request": request})),
        Prepared::Undoable { request, undo } => {
            (Binding::Request(request.digest()), json!({"request": request, "undo": undo}))
        }
        Prepared::Request(Err(why)) | Prepared::Impossible(why) => undecidable(why),
        Prepared::Unwanted { rule } => undecidable(format!("its rule does not hold yet: {rule}")),
        Prepared::Answer(_)
        | Prepared::Child(_)
        | Prepared::Way(_)
        | Prepared::Ask(_)
        | Prepared::NotDemanded => undecidable("it calls nobody".into()),
    }
}

fn undecidable(why: String) -> (Binding, Value) {
    let said = json!({"undecidable": why});
    (Binding::Undecidable(why), said)
}

/// What people are shown, within bounds.
#[derive(Default)]
struct Shown {
    steps: Vec<Value>,
    bytes: usize,
}

impl Shown {
    fn add(&mut self, step: &StepId, binding: &Binding, said: Value) {
        let bytes = said.to_string().len();
        let fits = bytes <= MOST_SHOWN_BYTES && self.bytes.saturating_add(bytes) <= MOST_SHOWN_IN_ALL_BYTES;
        let mut shown = match (fits, binding) {
            (true, _) => said,
            (false, Binding::Request(digest)) => json!({"digest": digest, "bytes": bytes}),
            (false, Binding::Undecidable(_)) => json!({"undecidable": "why is too long to show"}),
        };
        if fits {
            self.bytes = self.bytes.saturating_add(bytes);
        }
        if let Some(members) = shown.as_object_mut() {
            members.insert("step".into(), json!(step));
        }
        self.steps.push(shown);
    }
}
