//! The one function that adds a decision to a ledger. Every route that may let a run go on comes through here.

use serde_json::Value;

use super::{Approval, ApprovalState, Approver, Decision, Ledger, People, Standing, Verdict, Via};
use crate::digest::Digest;
use crate::fault::{Fault, check_length};
use crate::ids::UserId;
use crate::policy::Principal;
use crate::schema::ParameterSchema;
use crate::time::Time;

/// The longest reason, in characters.
pub const MAX_REASON_CHARS: usize = 500;
/// The longest filled-in form, in bytes of JSON.
pub const MAX_FORM_BYTES: usize = 1_024;
/// The most decisions of one round, withdrawn ones included: a ledger is one item of the table.
pub const MAX_DECISIONS: usize = 64;

/// An answer as it was given.
#[derive(Debug)]
pub struct Given<'g> {
    pub principal: &'g Principal,
    pub people: &'g People,
    pub verdict: Verdict,
    /// The digest of what the person saw.
    pub digest: Digest,
    pub reason: Option<String>,
    pub form: Option<Value>,
    pub via: Via,
    /// Who said that this is the person; absent of one who showed a token.
    pub vouched_by: Option<UserId>,
}

/// What an answer changes: both are one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    pub ledger: Ledger,
    /// The level that was answered; counts from 0.
    pub level: usize,
    /// How the approval is to be closed; absent while others are still awaited.
    pub closes: Option<ApprovalState>,
}

/// Why an answer does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("this approval is no longer open: it is {0}")]
    Closed(ApprovalState),
    #[error("this answer is late: the approval was open until {0}")]
    Late(Time),
    #[error("what would run is not what you saw: its digest is {0}; look again")]
    OtherDigest(Digest),
    #[error("{user} asked for or wrote this and may not decide about it; another person must")]
    OwnWork { user: UserId },
    #[error("{by} asked for or wrote this, and said who you are in Slack; answer with a token of your own")]
    OwnWord { by: UserId },
    #[error("{by} has answered already, and one person counts once")]
    Again { by: UserId },
    #[error("the decision of {user} was taken back by {by}; another person must answer")]
    Revoked { user: UserId, by: UserId },
    #[error("needs one of these: {}", listed(.may))]
    NotAnApprover { may: Vec<Approver> },
    #[error("this approval asks for a reason")]
    ReasonMissing,
    #[error("the answer has faults")]
    FormFault(Vec<Fault>),
    #[error("this approval has seen {MAX_DECISIONS} answers and takes no more")]
    Full,
}

/// Judges an answer: who may give it, in time, to what they saw, once (INVARIANTS C3, C4, C5).
pub fn answer(
    approval: &Approval,
    ledger: Option<&Ledger>,
    given: &Given<'_>,
    now: Time,
) -> Result<Answered, Refusal> {
    refuse_closed(approval, now)?;
    refuse_drift(approval, ledger, given)?;
    refuse_person(approval, ledger, &given.principal.user, given.people)?;
    refuse_own_word(approval, given)?;
    let level = open_level(approval, ledger, given.people);
    let right = right_to(approval, level, given.principal)?;
    let reason = checked_reason(approval, given)?;
    let form = checked_form(approval, given)?;
    let decision = Decision {
        by: given.principal.user.clone(),
        level,
        right,
        verdict: given.verdict,
        reason,
        form,
        at: now,
        via: given.via,
        vouched_by: given.vouched_by.clone(),
        withdrawn: None,
    };
    let ledger = with(approval, ledger, decision)?;
    let closes = closing(approval.standing(given.people, Some(&ledger)));
    Ok(Answered { ledger, level, closes })
}

/// Whether this person's answer would count now, given a reason and a form that are right: who is asked at present.
pub fn may_answer(
    approval: &Approval,
    ledger: Option<&Ledger>,
    (principal, people): (&Principal, &People),
    now: Time,
) -> bool {
    refuse_closed(approval, now).is_ok()
        && refuse_person(approval, ledger, &principal.user, people).is_ok()
        && right_to(approval, open_level(approval, ledger, people), principal).is_ok()
}

/// Late is late, whether or not the sweeper has come by.
fn refuse_closed(approval: &Approval, now: Time) -> Result<(), Refusal> {
    if approval.state != ApprovalState::Open {
        Err(Refusal::Closed(approval.state.clone()))
    } else if now >= approval.until {
        Err(Refusal::Late(approval.until))
    } else {
        Ok(())
    }
}

fn refuse_drift(approval: &Approval, ledger: Option<&Ledger>, given: &Given<'_>) -> Result<(), Refusal> {
    let subject = approval.question.subject;
    let drifted = given.digest != subject || ledger.is_some_and(|ledger| ledger.subject != subject);
    if drifted { Err(Refusal::OtherDigest(subject)) } else { Ok(()) }
}

/// Being an admin exempts from none of these.
fn refuse_person(
    approval: &Approval,
    ledger: Option<&Ledger>,
    user: &UserId,
    people: &People,
) -> Result<(), Refusal> {
    if people.is_one_of(user, &approval.question.excluded) {
        return Err(Refusal::OwnWork { user: user.clone() });
    }
    let own = ledger.into_iter().flat_map(|ledger| &ledger.decisions);
    for decision in own.filter(|decision| people.same_person(&decision.by, user)) {
        match &decision.withdrawn {
            None => return Err(Refusal::Again { by: decision.by.clone() }),
            Some(withdrawn) if !people.same_person(&withdrawn.by, user) => {
                return Err(Refusal::Revoked { user: decision.by.clone(), by: withdrawn.by.clone() });
            }
            // Who took back their own decision may decide again.
            Some(_) => {}
        }
    }
    Ok(())
}

/// Whoever asked for a run could else answer it by saying that they are somebody else in Slack.
fn refuse_own_word(approval: &Approval, given: &Given<'_>) -> Result<(), Refusal> {
    let voucher = given.vouched_by.as_ref();
    match voucher.filter(|by| given.people.is_one_of(by, &approval.question.excluded)) {
        Some(by) => Err(Refusal::OwnWord { by: by.clone() }),
        None => Ok(()),
    }
}

/// The last one, should the decisions suffice by themselves since it became known that two names are two people.
fn open_level(approval: &Approval, ledger: Option<&Ledger>, people: &People) -> usize {
    match approval.standing(people, ledger) {
        Standing::Open { level } => level,
        Standing::Approved | Standing::Rejected { .. } => {
            approval.question.spec.levels.len().saturating_sub(1)
        }
    }
}

fn right_to(approval: &Approval, level: usize, principal: &Principal) -> Result<Approver, Refusal> {
    let admitted = || approval.question.spec.admitted(level, approval.rung);
    let right = admitted().find(|approver| approver.admits(principal)).cloned();
    right.ok_or_else(|| Refusal::NotAnApprover { may: admitted().cloned().collect() })
}

fn checked_reason(approval: &Approval, given: &Given<'_>) -> Result<Option<String>, Refusal> {
    let reason = given.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
    let Some(reason) = reason else {
        return if approval.question.spec.reason_required { Err(Refusal::ReasonMissing) } else { Ok(None) };
    };
    let mut faults = Vec::new();
    check_length("/reason", reason, 1, MAX_REASON_CHARS, &mut faults);
    if faults.is_empty() { Ok(Some(reason.to_owned())) } else { Err(Refusal::FormFault(faults)) }
}

/// Who rejects need not fill in anything.
fn checked_form(approval: &Approval, given: &Given<'_>) -> Result<Option<Value>, Refusal> {
    let form = match (&approval.question.spec.form, &given.form, given.verdict) {
        (None, None, Verdict::Approve | Verdict::Reject) | (Some(_), None, Verdict::Reject) => Ok(None),
        (None, Some(_), Verdict::Approve | Verdict::Reject) => {
            Err(vec![Fault::new("", "this approval has no form; leave it out")])
        }
        (Some(schema), None, Verdict::Approve) => filled(schema, Value::Object(serde_json::Map::new())),
        (Some(schema), Some(form), Verdict::Approve | Verdict::Reject) => filled(schema, form.clone()),
    };
    form.map_err(|faults| Refusal::FormFault(faults.into_iter().map(|fault| fault.under("/form")).collect()))
}

fn filled(schema: &Value, form: Value) -> Result<Option<Value>, Vec<Fault>> {
    let form = ParameterSchema::compile(schema)?.validate(form)?;
    let bytes = form.to_string().len();
    if bytes > MAX_FORM_BYTES {
        return Err(vec![Fault::new("", format!("has {bytes} bytes; at most {MAX_FORM_BYTES} are allowed"))]);
    }
    Ok(Some(form))
}

fn with(approval: &Approval, ledger: Option<&Ledger>, decision: Decision) -> Result<Ledger, Refusal> {
    let question = &approval.question;
    let mut ledger = ledger.cloned().unwrap_or_else(|| Ledger {
        execution: question.execution.clone(),
        step: question.step.clone(),
        round: question.round,
        subject: question.subject,
        decisions: Vec::new(),
    });
    if ledger.decisions.len() >= MAX_DECISIONS {
        return Err(Refusal::Full);
    }
    ledger.decisions.push(decision);
    Ok(ledger)
}

fn closing(standing: Standing) -> Option<ApprovalState> {
    match standing {
        Standing::Open { .. } => None,
        Standing::Approved => Some(ApprovalState::Approved),
        Standing::Rejected { by, reason } => Some(ApprovalState::Rejected { by, reason }),
    }
}

fn listed(approvers: &[Approver]) -> String {
    approvers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
