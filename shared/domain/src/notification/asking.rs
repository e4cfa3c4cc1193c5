//! Telling people that they are asked whether a run goes on.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Escalated, Failure, Notification, Reply};
use crate::approval::{Approval, Approver};
use crate::digest::Digest;
use crate::execution::PinnedRunbook;
use crate::ids::{IncidentId, StepId, TeamId, UserId};
use crate::time::Time;

/// What a notification is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Occasion {
    Failure(Failure),
    Asking(Asking),
    Trouble(Escalated),
    Reply(Reply),
}

/// The facts of a gate that people are asked at, as messages tell them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asking {
    pub step: StepId,
    pub round: u32,
    pub runbook: PinnedRunbook,
    pub requested_by: UserId,
    /// How many rungs of the escalation were climbed; 0 when it is first asked.
    pub rung: u32,
    /// Level by level: how many of whom.
    pub needs: Vec<String>,
    /// Who may answer as well, by the escalation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalated_to: Vec<Approver>,
    /// Those who are asked by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<UserId>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reason_required: bool,
    /// Whether who approves has a form to fill in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_form: bool,
    /// What an answer must name.
    pub digest: Digest,
    pub until: Time,
    pub at: Time,
}

/// The most teams that one asking tells.
const MOST_TEAMS: usize = 16;

impl Notification {
    /// What an approval owes that is asked or has been escalated to `others`: a notification for each team that is asked, and for
    /// the execution's own.
    pub fn asking(
        approval: &Approval,
        others: &[Approver],
        incident: Option<&IncidentId>,
        (now, due_at): (Time, Time),
    ) -> Vec<Self> {
        let question = &approval.question;
        let stage = approval.rung.saturating_add(u32::from(approval.extended));
        let first = stage.saturating_mul(u32::try_from(MOST_TEAMS).unwrap_or(u32::MAX)).saturating_add(1);
        let about = Asking::of(approval, others, now);
        let teams = about.teams(question.team.as_ref(), approval);
        let told = (first..).zip(teams).map(|(number, team)| {
            let occasion = Occasion::Asking(about.clone());
            let concerned = (Some(team), incident.cloned());
            Self::new(question.execution.clone(), number, occasion, concerned, due_at)
        });
        told.collect()
    }
}

impl Asking {
    fn of(approval: &Approval, others: &[Approver], now: Time) -> Self {
        let question = &approval.question;
        let asked = question.spec.levels.iter().flat_map(|level| &level.of);
        let people = if others.is_empty() { users(asked) } else { users(others.iter()) };
        let needs = question.spec.levels.iter().map(|level| {
            let of: Vec<String> = level.of.iter().map(ToString::to_string).collect();
            format!("{} of {}", level.needed, of.join(" or "))
        });
        Self {
            step: question.step.clone(),
            round: question.round,
            runbook: question.runbook.clone(),
            requested_by: question.requested_by.clone(),
            rung: approval.rung,
            needs: needs.collect(),
            escalated_to: others.to_vec(),
            people,
            reason_required: question.spec.reason_required,
            has_form: question.spec.form.is_some(),
            digest: question.subject,
            until: approval.until,
            at: now,
        }
    }

    fn teams(&self, own: Option<&TeamId>, approval: &Approval) -> Vec<TeamId> {
        let asked = approval.question.spec.levels.iter().flat_map(|level| &level.of);
        let named = asked.chain(&self.escalated_to).filter_map(team_of);
        let teams: BTreeSet<&TeamId> = named.chain(own).collect();
        teams.into_iter().take(MOST_TEAMS).cloned().collect()
    }
}

fn users<'a>(approvers: impl Iterator<Item = &'a Approver>) -> Vec<UserId> {
    let named = approvers.filter_map(|approver| match approver {
        Approver::User(user) => Some(user.clone()),
        Approver::Role { .. } | Approver::PlatformAdmin => None,
    });
    named.collect()
}

const fn team_of(approver: &Approver) -> Option<&TeamId> {
    match approver {
        Approver::Role { team, .. } => Some(team),
        Approver::PlatformAdmin | Approver::User(_) => None,
    }
}
