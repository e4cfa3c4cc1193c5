//! Whether a run may begin now. Who comes too soon or too often is refused; who finds others on the target waits for its turn.

use std::time::Duration;

use super::target::{HOUR, MOST_HOLDERS};
use super::{Target, TargetKey, TargetLease, Usage};
use crate::ids::{ExecutionId, RunbookId, StepId};
use crate::runbook::phased::Limits;
use crate::time::Time;

/// An execution that asks to begin.
#[derive(Debug, Clone, Copy)]
pub struct Applicant<'a> {
    pub execution: &'a ExecutionId,
    pub runbook: &'a RunbookId,
    pub limits: &'a Limits,
    /// What it works on, if its limits name that.
    pub target: Option<&'a TargetKey>,
    /// The leases of those that wait for it.
    pub shares: &'a [TargetLease],
    /// It has begun already, or takes back what another one did: it is no new run, and nothing refuses it.
    pub resumes: bool,
    /// The prerequisite that nobody else is on the target: it is refused where it would wait.
    pub alone: Option<&'a StepId>,
}

/// What is stored about its target and its runbook; holders that have ended are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    pub target: Option<Target>,
    pub usage: Option<Usage>,
}

#[expect(
    clippy::large_enum_variant,
    reason = "it lives within one judgement, and most answers are the largest variant"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Granted(Granted),
    /// It is the turn of others.
    Wait {
        holders: Vec<ExecutionId>,
    },
    Refused(Refusal),
}

/// The lease, if there is a target, and the books with the start in them. Those that stay as they are are absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    pub lease: Option<TargetLease>,
    pub books: Books,
}

/// A limit that forbids the run, and when it will no longer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the limit executionsPerHour ({limit}) of the runbook is reached; it may run again at {again}")]
    ExecutionsPerHour { limit: u32, again: Time },
    #[error(
        "the limit cooldownSeconds ({seconds}) holds for target {target}: execution {execution} ended there at {ended_at}; the next run may begin at {again}"
    )]
    Cooldown { seconds: u64, target: String, execution: ExecutionId, ended_at: Time, again: Time },
    #[error(
        "the limit cooldownSeconds ({seconds}) holds for target {target}: execution {execution} works there; the next run may begin {seconds} s after its end"
    )]
    CooldownToCome { seconds: u64, target: String, execution: ExecutionId },
    #[error(
        "the limit ratePerTargetPerHour ({limit}) for target {target} is reached; the next run may begin at {again}"
    )]
    RatePerTarget { limit: u32, target: String, again: Time },
    #[error("prerequisite {prerequisite}: execution {execution} works on target {target}")]
    NotAlone { prerequisite: StepId, target: String, execution: ExecutionId },
}

/// Judges an execution that asks to begin.
pub fn admit(applicant: &Applicant<'_>, books: Books, now: Time) -> Answer {
    let Books { target, usage } = books;
    let usage = usage.unwrap_or_else(|| Usage::none(applicant.runbook.clone()));
    if let Some(refusal) = applicant.too_often(&usage, now) {
        return Answer::Refused(refusal);
    }
    let counted = applicant.limits.executions_per_hour.filter(|_| !applicant.resumes);
    let usage = counted.map(|_| usage.counting(applicant.execution, now));
    let Some(key) = applicant.target else {
        return Answer::Granted(Granted { lease: None, books: Books { target: None, usage } });
    };
    if let Some(shared) = applicant.shares.iter().find(|lease| lease.target == *key) {
        let lease = Some(shared.clone());
        return Answer::Granted(Granted { lease, books: Books { target: None, usage } });
    }
    let target = target.unwrap_or_else(|| Target::unused(key.clone()));
    if let Some(refusal) = applicant.refused_at(&target, now) {
        return Answer::Refused(refusal);
    }
    if applicant.is_behind(&target) {
        let holders = target.others(applicant.execution).map(|holder| holder.execution.clone());
        return Answer::Wait { holders: holders.collect() };
    }
    let (target, lease) = applicant.take(target, now);
    Answer::Granted(Granted { lease: Some(lease), books: Books { target: Some(target), usage } })
}

impl Applicant<'_> {
    fn too_often(&self, usage: &Usage, now: Time) -> Option<Refusal> {
        let limit = self.limits.executions_per_hour.filter(|_| !self.resumes)?;
        let again = again(usage.recent.iter().map(|start| start.at), limit, now)?;
        Some(Refusal::ExecutionsPerHour { limit, again })
    }

    fn refused_at(&self, target: &Target, now: Time) -> Option<Refusal> {
        if self.resumes {
            return None;
        }
        self.not_alone(target)
            .or_else(|| self.too_soon(target, now))
            .or_else(|| self.too_often_at(target, now))
    }

    fn not_alone(&self, target: &Target) -> Option<Refusal> {
        let prerequisite = self.alone?.clone();
        let execution = target.others(self.execution).next()?.execution.clone();
        Some(Refusal::NotAlone { prerequisite, target: target.key.name.clone(), execution })
    }

    /// A cooldown lies between the end of one run and the beginning of the next, so it cannot be over while one runs.
    fn too_soon(&self, target: &Target, now: Time) -> Option<Refusal> {
        let (seconds, name) = (self.limits.cooldown_seconds?, &target.key.name);
        let others = target.recent.iter().filter(|start| start.execution != *self.execution);
        if let Some(running) = others.clone().find(|start| start.ended_at.is_none()) {
            let execution = running.execution.clone();
            return Some(Refusal::CooldownToCome { seconds, target: name.clone(), execution });
        }
        let cooling = |ended_at: Time| ended_at.plus(Duration::from_secs(seconds));
        let last = others.max_by_key(|start| start.ended_at)?;
        let ended_at = last.ended_at.filter(|ended_at| cooling(*ended_at) > now)?;
        Some(Refusal::Cooldown {
            seconds,
            target: name.clone(),
            execution: last.execution.clone(),
            ended_at,
            again: cooling(ended_at),
        })
    }

    fn too_often_at(&self, target: &Target, now: Time) -> Option<Refusal> {
        let limit = self.limits.rate_per_target_per_hour?;
        let again = again(target.recent.iter().map(|start| start.at), limit, now)?;
        Some(Refusal::RatePerTarget { limit, target: target.key.name.clone(), again })
    }

    /// A runbook that does not limit who is on its target with it waits only where the record itself is full.
    fn is_behind(&self, target: &Target) -> bool {
        let limit = self.limits.concurrency_per_target.map_or(MOST_HOLDERS, |limit| limit as usize);
        target.others(self.execution).count() >= limit.min(MOST_HOLDERS)
    }

    fn take(&self, target: Target, now: Time) -> (Target, TargetLease) {
        let (target, lease) = target.taken(self.execution, self.runbook, now);
        let counts = !self.resumes;
        (if counts { target.counting(self.execution, self.runbook, now) } else { target }, lease)
    }
}

/// When fewer than `limit` of these starts lie within an hour; `None`: that is so now.
fn again(starts: impl Iterator<Item = Time>, limit: u32, now: Time) -> Option<Time> {
    let mut within: Vec<Time> = starts.filter(|at| at.plus(HOUR) > now).collect();
    within.sort_unstable();
    let free = within.len().checked_sub(limit as usize)?;
    within.get(free).map(|at| at.plus(HOUR))
}
