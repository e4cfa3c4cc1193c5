//! Answering a gate, and taking an answer back. There is no other way to let a gate be passed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use muster_domain::approval::{
    Answered, Approval, Decision, Given, Ledger, Verdict, Via, Withdrawal, answer, withdraw,
};
use muster_domain::digest::Digest;
use muster_domain::execution::Execution;
use muster_domain::ids::{ExecutionId, StepId, UserId};
use muster_domain::policy::{Action, Owner};
use muster_domain::time::Time;
use serde_json::{Value, json};

use super::{GateDetail, audited};
use crate::approvals::reason_faults;
use crate::once::Decided;
use crate::runbooks::{fact, refuse_faults};
use crate::table::{Versioned, Write};
use crate::{App, Caller, Error};

/// What a person says about a gate.
#[derive(Debug, Clone)]
pub struct GateAnswer {
    pub verdict: Verdict,
    /// The digest of what they saw.
    pub digest: Digest,
    pub reason: Option<String>,
    pub form: Option<Value>,
    pub via: Via,
    /// Who said that the caller is who they are; absent of one who showed a token.
    pub vouched_by: Option<UserId>,
}

/// All that an answer is judged by, as it was read.
struct Gate {
    execution: Execution,
    approval: Versioned<Approval>,
    ledger: Option<Versioned<Ledger>>,
}

impl App {
    /// The one way by which any decision about a gate is stored, whatever route it came by.
    pub async fn answer_gate(
        &self,
        caller: &Caller,
        (execution, step): (&ExecutionId, &StepId),
        given: &GateAnswer,
    ) -> Result<GateDetail, Error> {
        let closed = AtomicBool::new(false);
        let decide = async || {
            let gate = self.load_gate(caller, execution, step).await?;
            let decided = self.answered(caller, gate, given).await?;
            closed.store(decided.reply.approval.closed_at.is_some(), Ordering::Relaxed);
            Ok(decided)
        };
        let detail = self.once(caller, decide).await?.into_reply();
        if closed.load(Ordering::Relaxed) {
            let team = detail.approval.question.team.as_ref();
            self.nudge(execution, team, Duration::ZERO).await;
        }
        Ok(detail)
    }

    async fn answered(
        &self,
        caller: &Caller,
        gate: Gate,
        given: &GateAnswer,
    ) -> Result<Decided<GateDetail>, Error> {
        let Gate { execution, approval, ledger } = gate;
        let before = detail_of(&approval, ledger.as_ref());
        let judged = [Some(caller.principal.user.clone()), given.vouched_by.clone()];
        let people = self.people_of(std::slice::from_ref(&before), judged.into_iter().flatten()).await?;
        let now = self.clock.now();
        let answered = {
            let GateAnswer { verdict, digest, reason, form, via, vouched_by } = given.clone();
            let principal = &caller.principal;
            let given = Given { principal, people: &people, verdict, digest, reason, form, via, vouched_by };
            answer(&while_paused(&before.approval, &execution, now), before.ledger.as_ref(), &given, now)?
        };
        Ok(self.decided(
            before.approval,
            (approval.version, ledger.map(|ledger| ledger.version)),
            answered,
            now,
        ))
    }

    fn decided(
        &self,
        before: Approval,
        (version, ledger_version): (u64, Option<u64>),
        answered: Answered,
        now: Time,
    ) -> Decided<GateDetail> {
        let Answered { ledger, closes, .. } = answered;
        let mut approval = match closes {
            Some(state) => before.closed(state, self.settings.nudge_grace, now),
            None => before,
        };
        let mut writes = vec![Write::put(ledger.clone(), ledger_version)];
        if let Some(decision) = ledger.decisions.last() {
            let fact = fact_about(decision, &approval);
            writes.extend(audited(&mut approval, Some(version), fact, now));
        }
        Decided { reply: GateDetail { approval, ledger: Some(ledger) }, writes }
    }

    /// Takes a decision back: one's own, or as a platform admin another's. A gate that it had opened is asked anew, unless the
    /// run went on already.
    pub async fn withdraw_decision(
        &self,
        caller: &Caller,
        (execution, step): (&ExecutionId, &StepId),
        of: &UserId,
        reason: Option<String>,
    ) -> Result<GateDetail, Error> {
        refuse_faults(reason_faults(reason.as_deref()))?;
        let decide = async || {
            let gate = self.load_gate(caller, execution, step).await?;
            let (Versioned { value: mut approval, version }, ledger) = (gate.approval, gate.ledger);
            let now = self.clock.now();
            let withdrawal = Withdrawal { by: &caller.principal, of, reason: reason.clone() };
            let before = ledger.as_ref().map(|ledger| &ledger.value);
            let without = withdraw(&approval, before, withdrawal, now)?;
            let detail = json!({"of": of, "reason": reason, "subject": approval.question.subject});
            let fact = fact("approval.withdrawn", &caller.principal.user, detail);
            let [write, entry] = audited(&mut approval, Some(version), fact, now);
            let writes = vec![Write::put(without.clone(), ledger.map(|ledger| ledger.version)), write, entry];
            Ok(Decided { reply: GateDetail { approval, ledger: Some(without) }, writes })
        };
        let detail = self.once(caller, decide).await?.into_reply();
        self.nudge(execution, detail.approval.question.team.as_ref(), Duration::ZERO).await;
        Ok(detail)
    }

    /// The newest round of a gate, for whoever may see the execution or is asked.
    async fn load_gate(&self, caller: &Caller, id: &ExecutionId, step: &StepId) -> Result<Gate, Error> {
        let execution = self.load_execution(id).await?.value;
        let may_read = caller.principal.may(Action::Read, &Owner::from(execution.team.clone()));
        let inner = execution.steps.get(step).and_then(|run| run.inner.as_ref());
        let round = inner.and_then(|inner| inner.gate.as_ref()).map(|gate| gate.round);
        let approval = match round {
            Some(round) => self.load_approval(id, step, round).await?,
            None => None,
        };
        let asked = approval.as_ref().is_some_and(|one| one.value.names_approver(&caller.principal));
        if !asked {
            may_read?;
        }
        let missing = || Error::NotFound { kind: "approval", id: format!("of step {step} of {id}") };
        let approval = approval.ok_or_else(missing)?;
        let ledger = self.load_ledger(&approval.value).await?;
        Ok(Gate { execution, approval, ledger })
    }
}

/// While a run is paused, people's time to decide does not run.
fn while_paused(approval: &Approval, execution: &Execution, now: Time) -> Approval {
    let rests_since = execution.pause.as_ref().and_then(|pause| pause.quiesced_at);
    let paused = rests_since.map_or(Duration::ZERO, |since| now.since(since));
    Approval { until: approval.until.plus(paused), ..approval.clone() }
}

fn detail_of(approval: &Versioned<Approval>, ledger: Option<&Versioned<Ledger>>) -> GateDetail {
    GateDetail { approval: approval.value.clone(), ledger: ledger.map(|ledger| ledger.value.clone()) }
}

/// What is filled in stays in the ledger.
fn fact_about(decision: &Decision, approval: &Approval) -> muster_domain::audit::Fact {
    let action = match decision.verdict {
        Verdict::Approve => "approval.approved",
        Verdict::Reject => "approval.rejected",
    };
    let detail = json!({
        "level": decision.level,
        "right": decision.right,
        "reason": decision.reason,
        "via": decision.via,
        "vouchedBy": decision.vouched_by,
        "subject": approval.question.subject,
        "state": approval.state,
    });
    fact(action, &decision.by, detail)
}
