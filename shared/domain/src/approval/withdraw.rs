//! Taking a decision back: how an approver is revoked before the run goes on.

use super::{Approval, ApprovalState, ExpiryOutcome, Ledger, Withdrawn};
use crate::ids::UserId;
use crate::policy::{InstallationRole, Principal};
use crate::time::Time;

/// Whose decision is taken back by whom, and why.
#[derive(Debug)]
pub struct Withdrawal<'w> {
    pub by: &'w Principal,
    pub of: &'w UserId,
    pub reason: Option<String>,
}

/// Why a decision stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WithdrawRefusal {
    #[error("the gate has been passed: the run went on")]
    Passed,
    #[error("this approval lets nothing go on: it is {0}")]
    Closed(ApprovalState),
    #[error("{of} has decided nothing here that stands")]
    NothingStands { of: UserId },
    #[error("only {of} or a platform-admin may take this decision back")]
    NotYours { of: UserId },
}

/// The ledger without the decision's weight. The approval stays as it is: if it was closed as approved, the worker finds at
/// its claim that the decisions no longer suffice, voids it and asks again.
pub fn withdraw(
    approval: &Approval,
    ledger: Option<&Ledger>,
    withdrawal: Withdrawal<'_>,
    now: Time,
) -> Result<Ledger, WithdrawRefusal> {
    let Withdrawal { by, of, reason } = withdrawal;
    refuse_passed(approval)?;
    if by.user != *of && !by.is(InstallationRole::PlatformAdmin) {
        return Err(WithdrawRefusal::NotYours { of: of.clone() });
    }
    let nothing = || WithdrawRefusal::NothingStands { of: of.clone() };
    let mut ledger = ledger.cloned().ok_or_else(nothing)?;
    let live = |decision: &&mut super::Decision| decision.by == *of && decision.withdrawn.is_none();
    let decision = ledger.decisions.iter_mut().find(live).ok_or_else(nothing)?;
    decision.withdrawn = Some(Withdrawn { by: by.user.clone(), at: now, reason });
    Ok(ledger)
}

/// A closed approval whose `due_at` is gone was acted on.
fn refuse_passed(approval: &Approval) -> Result<(), WithdrawRefusal> {
    match (&approval.state, approval.due_at) {
        (ApprovalState::Open, _) | (ApprovalState::Approved, Some(_)) => Ok(()),
        (ApprovalState::Approved, None)
        | (ApprovalState::Expired { outcome: ExpiryOutcome::Proceeded }, _) => Err(WithdrawRefusal::Passed),
        (
            ApprovalState::Rejected { .. }
            | ApprovalState::Expired { outcome: ExpiryOutcome::Denied }
            | ApprovalState::Void { .. },
            _,
        ) => Err(WithdrawRefusal::Closed(approval.state.clone())),
    }
}
