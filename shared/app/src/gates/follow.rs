//! Approvals follow their execution: what a transition asks, passes, refuses, voids or lengthens is written in its own commit.

use std::collections::BTreeMap;

use muster_domain::approval::{Approval, ApprovalState, Approver, Question};
use muster_domain::execution::{Execution, GateRun, StepRun, StepState, TrailEvent};
use muster_domain::ids::{IncidentId, StepId};
use muster_domain::notification::Notification;
use muster_domain::time::Time;

use super::{action_of, audited, fact_of};
use crate::limits::Turn;
use crate::table::{Versioned, Write};
use crate::{App, Error};

/// What a worker brings beside the steps' own needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gates {
    /// What is asked if a step's turn to ask comes.
    pub questions: BTreeMap<StepId, Question>,
    /// What becomes of the approvals whose gates have ended, at the version that was read.
    pub judged: BTreeMap<StepId, Versioned<Approval>>,
    /// What the limits said.
    pub turn: Turn,
}

/// The most approvals that one commit changes; what the end of an execution leaves open the sweeper closes.
const MOST_CHANGED: usize = 32;

/// What a transition means for the approval of one round.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    Ask {
        round: u32,
        asked_at: Time,
        until: Time,
    },
    /// It ended as the worker judged.
    Judged,
    Void {
        round: u32,
        reason: String,
    },
    OpenUntil {
        round: u32,
        until: Time,
    },
}

impl App {
    /// The writes by which approvals, and what it holds, follow an execution from one state to the next.
    pub(crate) async fn following(
        &self,
        before: &Execution,
        after: &Execution,
        gates: &Gates,
    ) -> Result<Vec<Write>, Error> {
        let mut writes = Vec::new();
        let changes = changes(before, after);
        for (step, change) in changes.into_iter().take(MOST_CHANGED) {
            let longer = matches!(change, Change::OpenUntil { .. }) && gates.judged.contains_key(step);
            let change = if longer { Change::Judged } else { change };
            writes.extend(self.follow(after, (step, change), gates).await?);
        }
        writes.extend(self.books_follow(before, after, &gates.turn).await?);
        Ok(writes)
    }

    async fn follow(
        &self,
        after: &Execution,
        (step, change): (&StepId, Change),
        gates: &Gates,
    ) -> Result<Vec<Write>, Error> {
        let now = self.clock.now();
        match change {
            Change::Ask { round, asked_at, until } => {
                let question = gates.questions.get(step).cloned();
                let asked =
                    question.map(|question| Approval::asked(Question { round, ..question }, asked_at));
                Ok(asked.map_or_else(Vec::new, |asked| self.newly_asked(asked, until, after)))
            }
            Change::Judged => {
                let judged = gates.judged.get(step).cloned();
                Ok(judged.map_or_else(Vec::new, |judged| self.judged(judged, after)))
            }
            Change::Void { round, reason } => {
                self.approval_becomes(after, step, round, |approval| approval.voided(reason, now)).await
            }
            Change::OpenUntil { round, until } => {
                let open = |approval: Approval| {
                    (approval.state == ApprovalState::Open).then(|| approval.open_until(until))
                };
                self.approval_becomes(after, step, round, open).await
            }
        }
    }

    fn newly_asked(&self, asked: Approval, until: Time, after: &Execution) -> Vec<Write> {
        let mut approval = if asked.until == until { asked } else { asked.open_until(until) };
        let told = self.asking_notes(&approval, &[], after.incident.as_ref());
        let fact = fact_of("approval.asked", &approval);
        audited(&mut approval, None, fact, self.clock.now()).into_iter().chain(told).collect()
    }

    /// What was judged is stored; if more people have more time now, they are told.
    fn judged(&self, judged: Versioned<Approval>, after: &Execution) -> Vec<Write> {
        let Versioned { value: mut approval, version } = judged;
        let told = if approval.state == ApprovalState::Open {
            self.asking_notes(&approval, &escalated(&approval), after.incident.as_ref())
        } else {
            Vec::new()
        };
        let fact = fact_of(action_of(&approval.state), &approval);
        audited(&mut approval, Some(version), fact, self.clock.now()).into_iter().chain(told).collect()
    }

    /// Nothing, if the approval stays as it is.
    async fn approval_becomes(
        &self,
        after: &Execution,
        step: &StepId,
        round: u32,
        change: impl FnOnce(Approval) -> Option<Approval>,
    ) -> Result<Vec<Write>, Error> {
        let Some(found) = self.load_approval(&after.id, step, round).await? else { return Ok(Vec::new()) };
        let Some(mut approval) = change(found.value) else { return Ok(Vec::new()) };
        let fact = fact_of(action_of(&approval.state), &approval);
        Ok(audited(&mut approval, Some(found.version), fact, self.clock.now()).to_vec())
    }
}

impl App {
    /// What an asking owes to those who are asked; it belongs in the commit that asks.
    pub(super) fn asking_notes(
        &self,
        approval: &Approval,
        others: &[Approver],
        incident: Option<&IncidentId>,
    ) -> Vec<Write> {
        let now = self.clock.now();
        let due_at = now.plus(self.settings.nudge_grace);
        Notification::asking(approval, others, incident, (now, due_at))
            .into_iter()
            .map(Write::create)
            .collect()
    }
}

/// Everyone whom the escalation has come to.
fn escalated(approval: &Approval) -> Vec<Approver> {
    let rungs = approval.question.spec.escalation.iter();
    rungs.flat_map(|rung| &rung.to).cloned().collect()
}

/// Those of every gate that the execution knows after the transition.
fn changes<'e>(before: &Execution, after: &'e Execution) -> Vec<(&'e StepId, Change)> {
    let over = (after.status().is_terminal(), after.unwinding.is_some());
    let ended_now = over != (before.status().is_terminal(), before.unwinding.is_some());
    let gates = after.steps.iter().filter_map(|(step, run)| Some((step, run, gate_of(run)?)));
    let changed = gates.filter_map(|(step, run, gate)| {
        let was =
            before.steps.get(step).filter(|was| gate_of(was).is_some_and(|one| one.round == gate.round));
        let change = match was {
            None => asked(run, gate),
            Some(was) => changed(was, run, gate, after, step),
        };
        let ends = || ended_now && run.asks_until().is_some() && (over.0 || over.1);
        let void = || Change::Void { round: gate.round, reason: "the run has ended or turned back".into() };
        Some((step, change.or_else(|| ends().then(void))?))
    });
    changed.collect()
}

fn gate_of(run: &StepRun) -> Option<&GateRun> {
    run.inner.as_ref()?.gate.as_ref()
}

fn asked(run: &StepRun, gate: &GateRun) -> Option<Change> {
    let asked_at = run.inner.as_ref()?.started_at;
    Some(Change::Ask { round: gate.round, asked_at, until: run.asks_until()? })
}

fn changed(was: &StepRun, run: &StepRun, gate: &GateRun, after: &Execution, step: &StepId) -> Option<Change> {
    let round = gate.round;
    if was.state == run.state {
        return None;
    }
    match (was.asks_until().is_some(), run.asks_until()) {
        (true, Some(until)) => Some(Change::OpenUntil { round, until }),
        (true, _) if matches!(run.state, StepState::Skipped { .. }) => {
            Some(Change::Void { round, reason: "the run went on without it".into() })
        }
        (true, _) => Some(Change::Judged),
        (false, _) if run.state == StepState::Void => {
            Some(Change::Void { round, reason: voided_because(after, step) })
        }
        (false, _) => None,
    }
}

/// As the trail says.
fn voided_because(execution: &Execution, step: &StepId) -> String {
    let mut entries = execution.trail.entries.iter().rev();
    let reason = entries.find_map(|entry| {
        let TrailEvent::Voided { step: voided, because, .. } = &entry.event else { return None };
        (voided == step).then(|| because.clone())
    });
    reason.unwrap_or_else(|| "what would run has changed".into())
}
