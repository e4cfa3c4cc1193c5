//! What time does to an open gate: it climbs the escalation, and it ends.

use super::{Approval, ApprovalState, Approver, ExpiryOutcome, OnExpiry};
use crate::time::Time;

/// More people may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalated {
    pub approval: Approval,
    /// Whom to tell, each once.
    pub notify: Vec<Approver>,
}

/// What the end of a gate's time comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expiry {
    /// It is closed so, and the worker acts on it.
    Closes(ApprovalState),
    /// It stays open for one more period.
    Extends(Box<Escalated>),
}

/// Climbs every rung that is due; `None` if none is, or if the gate is closed or its time is up.
pub fn escalate(approval: &Approval, now: Time) -> Option<Escalated> {
    if approval.state != ApprovalState::Open || now >= approval.until {
        return None;
    }
    let rungs = approval.question.spec.rungs_after(approval.rung);
    let due = rungs.iter().take_while(|rung| approval.asked_at.plus(rung.after()) <= now);
    let climbed = due.clone().count();
    (climbed > 0).then(|| {
        let notify = each_once(due.flat_map(|rung| &rung.to));
        Escalated { approval: climb(approval, climbed), notify }
    })
}

/// What becomes of an open gate at or after its end; `None` before, and if it is closed.
pub fn expire(approval: &Approval, now: Time) -> Option<Expiry> {
    if approval.state != ApprovalState::Open || now < approval.until {
        return None;
    }
    let closes = |outcome| Expiry::Closes(ApprovalState::Expired { outcome });
    Some(match (approval.question.spec.on_expiry, approval.extended) {
        (OnExpiry::Proceed, _) => closes(ExpiryOutcome::Proceeded),
        (OnExpiry::Deny, _) | (OnExpiry::Escalate, true) => closes(ExpiryOutcome::Denied),
        (OnExpiry::Escalate, false) => Expiry::Extends(Box::new(extended(approval, now))),
    })
}

/// One more whole period, from now, for everyone of the escalation. The last rung is told again; those before it if they
/// were not yet.
fn extended(approval: &Approval, now: Time) -> Escalated {
    let spec = &approval.question.spec;
    let untold = spec.rungs_after(approval.rung);
    let told = if untold.is_empty() { spec.escalation.last() } else { None };
    let notify = each_once(untold.iter().chain(told).flat_map(|rung| &rung.to));
    let longer = Approval { until: now.plus(spec.period()), extended: true, ..approval.clone() };
    Escalated { approval: climb(&longer, untold.len()), notify }
}

fn climb(approval: &Approval, rungs: usize) -> Approval {
    let rung = approval.rung.saturating_add(u32::try_from(rungs).unwrap_or(u32::MAX));
    Approval { rung, ..approval.clone() }.rescheduled()
}

fn each_once<'a>(approvers: impl Iterator<Item = &'a Approver>) -> Vec<Approver> {
    let mut seen = Vec::new();
    for approver in approvers {
        if !seen.contains(approver) {
            seen.push(approver.clone());
        }
    }
    seen
}
