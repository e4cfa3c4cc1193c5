//! Approvals: what a decision covers.

use crate::fault::Fault;
use crate::ids::StepId;
use crate::runbook::phased::{Approval, Layout, RiskLevel};

pub(super) fn check(
    at: &str,
    approval: &Approval,
    layout: &Layout<'_>,
    unit: usize,
    faults: &mut Vec<Fault>,
) {
    let covered = match &approval.covers {
        Some(covers) => {
            check_covers(&format!("{at}/covers"), covers, layout, unit, faults);
            covers.clone()
        }
        None => layout.covered_from(unit),
    };
    let steps = covered.iter().filter_map(|id| layout.step(id.as_str()));
    let only_low = steps.map(|spot| spot.step.risk_level).all(|risk| risk == RiskLevel::Low);
    faults.extend(approval.gate.faults(at, only_low));
}

fn check_covers(at: &str, covers: &[StepId], layout: &Layout<'_>, unit: usize, faults: &mut Vec<Fault>) {
    if covers.is_empty() {
        let message = "is empty; name later steps, or leave it out to cover all up to the next approval";
        faults.push(Fault::new(at, message));
    }
    for (place, id) in covers.iter().enumerate() {
        let problem = match layout.step(id.as_str()) {
            None => Some(format!("there is no step `{id}`")),
            Some(spot) if spot.unit <= unit => Some(format!("the step `{id}` does not come later")),
            Some(spot) if !spot.step.calls() => Some(format!("the step `{id}` sends nothing to decide on")),
            Some(_) if covers.iter().take(place).any(|earlier| earlier == id) => {
                Some(format!("`{id}` is there twice; remove one"))
            }
            Some(_) => None,
        };
        faults.extend(problem.map(|problem| Fault::new(format!("{at}/{place}"), problem)));
    }
}
