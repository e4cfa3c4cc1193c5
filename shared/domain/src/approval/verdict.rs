//! What a worker makes of a gate that an execution waits at.

use std::collections::BTreeSet;

use super::{
    Approval, ApprovalState, Expiry, ExpiryOutcome, GateSpec, Ledger, People, Standing, expire, standing,
};
use crate::digest::Digest;
use crate::execution::decide::GateVerdict;
use crate::ids::UserId;
use crate::time::Time;

/// What the worker knows for itself. The approval's record is trusted with none of it: whoever could write that could not let
/// a run go on by it (INVARIANTS C2, C4).
#[derive(Debug, Clone, Copy)]
pub struct Known<'k> {
    /// Of the pinned plan.
    pub spec: &'k GateSpec,
    /// As the execution keeps it.
    pub subject: &'k Digest,
    /// Whoever asked for the run, and everyone who wrote the pinned version.
    pub excluded: &'k BTreeSet<UserId>,
    pub people: &'k People,
    pub ledger: Option<&'k Ledger>,
}

/// What has come of a gate: the step is told one, the record becomes the other, both in one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub verdict: GateVerdict,
    pub approval: Approval,
}

/// `None` while people have time and have not decided.
pub fn judge(approval: &Approval, known: &Known<'_>, now: Time) -> Option<Judged> {
    let Known { spec, subject, excluded, people, ledger } = *known;
    match standing(spec, approval.rung, excluded, people, ledger, subject) {
        Standing::Approved => Some(ends(approval, GateVerdict::Approved, ApprovalState::Approved, now)),
        Standing::Rejected { by, reason } => {
            let state = ApprovalState::Rejected { by: by.clone(), reason: reason.clone() };
            let verdict = GateVerdict::Rejected { by, reason: reason.unwrap_or_default() };
            Some(ends(approval, verdict, state, now))
        }
        Standing::Open { .. } => undecided(approval, known, now),
    }
}

fn undecided(approval: &Approval, known: &Known<'_>, now: Time) -> Option<Judged> {
    match &approval.state {
        ApprovalState::Open => lapsed(approval, known.spec, now),
        ApprovalState::Approved => Some(void(approval, "its decisions no longer suffice", now)),
        ApprovalState::Rejected { .. } | ApprovalState::Expired { .. } | ApprovalState::Void { .. } => {
            Some(void(approval, "it was closed, but not by what is decided", now))
        }
    }
}

/// What the time of a gate comes to that is up. What the record says of the gate is replaced by what the plan says.
fn lapsed(approval: &Approval, spec: &GateSpec, now: Time) -> Option<Judged> {
    let mut approval = approval.clone();
    approval.question.spec = spec.clone();
    Some(match expire(&approval, now)? {
        Expiry::Extends(escalated) => {
            let until = escalated.approval.until;
            Judged { verdict: GateVerdict::Longer { until }, approval: escalated.approval }
        }
        Expiry::Closes(state) => {
            let proceeds = state == ApprovalState::Expired { outcome: ExpiryOutcome::Proceeded };
            let verdict = if proceeds { GateVerdict::Approved } else { GateVerdict::Expired };
            ends(&approval, verdict, state, now)
        }
    })
}

fn ends(approval: &Approval, verdict: GateVerdict, state: ApprovalState, now: Time) -> Judged {
    let closed_at = approval.closed_at.or(Some(now));
    Judged { verdict, approval: Approval { state, closed_at, ..approval.clone() }.settled() }
}

fn void(approval: &Approval, reason: &str, now: Time) -> Judged {
    let verdict = GateVerdict::Void(reason.to_owned());
    let settled = || approval.clone().settled();
    Judged { verdict, approval: approval.voided(reason.to_owned(), now).unwrap_or_else(settled) }
}
