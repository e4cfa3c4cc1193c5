//! Gates: asking people whether a run goes on, and their answers (D5).
//!
//! Every answer, by whatever route, comes through [`App::answer_gate`](crate::App::answer_gate), and that through the domain's `answer`. In AWS it runs
//! in the approval function, whose role alone may write ledgers. The worker reads the ledger anew at each claim and trusts
//! nothing else.

mod age;
mod answer;
mod due;
pub(crate) mod follow;
mod inbox;
mod load;
mod slack;

use muster_domain::approval::{Approval, ApprovalState, Ledger};
use muster_domain::audit::Fact;
use muster_domain::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use self::answer::GateAnswer;
use crate::load::audit;
use crate::table::Write;

/// What was asked in one round, and what was decided about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateDetail {
    pub approval: Approval,
    /// Absent while nobody has decided anything.
    pub ledger: Option<Ledger>,
}

/// The writes of an approval as it has become: itself, and the entry of its chain that says so.
pub(crate) fn audited(approval: &mut Approval, version: Option<u64>, fact: Fact, now: Time) -> [Write; 2] {
    let (resource, team) = (approval.question.resource(), approval.question.team.clone());
    let entry = audit(&mut approval.audit, resource, team, fact, now);
    let write = Write::put(approval.clone(), version);
    [write, entry]
}

/// What Muster itself did to an approval.
pub(crate) fn fact_of(action: &'static str, approval: &Approval) -> Fact {
    let detail = json!({
        "subject": approval.question.subject,
        "state": approval.state,
        "until": approval.until.to_string(),
        "rung": approval.rung,
    });
    Fact { action, actor: None, detail }
}

/// What the audit log says of an approval that came to this state without a person's word.
pub(crate) const fn action_of(state: &ApprovalState) -> &'static str {
    match state {
        ApprovalState::Open => "approval.extended",
        ApprovalState::Approved => "approval.passed",
        ApprovalState::Rejected { .. } => "approval.refused",
        ApprovalState::Expired { .. } => "approval.expired",
        ApprovalState::Void { .. } => "approval.void",
    }
}
