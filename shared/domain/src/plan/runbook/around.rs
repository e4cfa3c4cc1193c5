//! What a plan adds before the first step and after the last: prerequisites, the gate that the risk may demand, probes.

use std::time::Duration;

use super::{Line, compile_rule};
use crate::fault::Fault;
use crate::ids::{Probe as When, StepId};
use crate::plan::workflow::webhook_call;
use crate::plan::{Gate, OnFailure, Step, StepKind};
use crate::runbook::phased::{PhasedRunbook, Prerequisite, Probe};

/// Prerequisites first, for nobody should be asked about what cannot begin.
pub(super) fn begin(runbook: &PhasedRunbook, line: &mut Line) -> Result<(), Vec<Fault>> {
    let checked = runbook.prerequisites.iter().enumerate().filter(|(_, one)| one.is_step());
    for (place, prerequisite) in checked {
        line.push(prerequisite_step(&format!("/prerequisites/{place}"), prerequisite)?);
    }
    if let Some(step) = verification_step(When::Before, runbook)? {
        line.push(step);
    }
    line.push(risk_gate(runbook));
    Ok(())
}

/// A failed verification fails no step: it is a verdict of its own (D9).
pub(super) fn end(runbook: &PhasedRunbook, line: &mut Line) -> Result<(), Vec<Fault>> {
    let settle = runbook.verification.as_ref().and_then(|verification| verification.settle_seconds);
    if let Some(seconds) = settle.filter(|seconds| *seconds > 0) {
        line.push(Step::new(StepId::settle(), StepKind::Delay(Duration::from_secs(seconds))));
    }
    if let Some(step) = verification_step(When::After, runbook)? {
        line.push(step);
    }
    Ok(())
}

fn prerequisite_step(at: &str, prerequisite: &Prerequisite) -> Result<Step, Vec<Fault>> {
    let id = prerequisite.id.prerequisite();
    match (&prerequisite.probe, &prerequisite.rule) {
        (Some(probe), _) => probe_step(&format!("{at}/probe"), id, probe),
        (None, Some(rule)) => Ok(Step::new(id, StepKind::Check(compile_rule(&format!("{at}/rule"), rule)?))),
        (None, None) => Err(vec![Fault::new(at, "checks nothing; give a `probe` or a `rule`")]),
    }
}

/// Always there: whether it asks anybody is decided when the risk is known.
fn risk_gate(runbook: &PhasedRunbook) -> Step {
    let calls = runbook.steps().filter(|(_, step)| step.calls());
    let covers = calls.map(|(_, step)| step.id.clone()).collect();
    Step::new(StepId::risk_gate(), StepKind::Approval(Gate { spec: None, covers }))
}

/// The same look before the first step and after the last.
fn verification_step(when: When, runbook: &PhasedRunbook) -> Result<Option<Step>, Vec<Fault>> {
    let Some(verification) = &runbook.verification else { return Ok(None) };
    let id = StepId::probe(when);
    let step = match (&verification.probe, verification.incident_status) {
        (Some(probe), _) => probe_step("/verification/probe", id, probe)?,
        (None, Some(status)) => {
            let rule = format!("incident.status == \"{}\"", status.as_str());
            Step::new(id, StepKind::Check(compile_rule("/verification/incidentStatus", &rule)?))
        }
        (None, None) => return Ok(None),
    };
    Ok(Some(Step { on_failure: OnFailure::Continue, ..step }))
}

fn probe_step(at: &str, id: StepId, probe: &Probe) -> Result<Step, Vec<Fault>> {
    let under = |faults: Vec<Fault>| faults.into_iter().map(|fault| fault.under(at)).collect::<Vec<_>>();
    let call = webhook_call(&probe.call()).map_err(under)?;
    let expect = Some(compile_rule(&format!("{at}/expect"), &probe.expect)?);
    Ok(Step { expect, ..Step::new(id, StepKind::Webhook(call)) })
}
