//! What an approval owes whose moment has come: more people are asked, or the worker is reminded.

use std::time::Duration;

use muster_domain::approval::{Approval, ApprovalState, Escalated, escalate};
use muster_domain::execution::Execution;
use muster_domain::execution::decide::REVIEW_REMINDER;
use muster_domain::time::Time;

use super::{audited, fact_of};
use crate::metrics::Counter;
use crate::notifications::tellings_in;
use crate::table::{CommitError, Versioned, Write};
use crate::{App, Error};

/// What is done about it.
enum Push {
    /// It is not due, or somebody else has moved it.
    Nothing,
    /// Others are asked as well.
    Escalate(Box<Escalated>),
    /// The worker decides what becomes of it.
    Remind,
    /// Nothing is to be done before a moment.
    Later(Time),
    /// Its execution goes on no more.
    Void,
}

impl App {
    /// Moves a due approval on; `true` if a worker was nudged for it.
    pub(crate) async fn push_approval(&self, seen: Versioned<Approval>) -> Result<bool, Error> {
        let now = self.clock.now();
        let execution = self.load_execution(&seen.value.question.execution).await?.value;
        let push = self.push_of(&seen.value, &execution, now);
        if matches!(push, Push::Nothing) {
            return Ok(false);
        }
        let nudges = matches!(push, Push::Remind);
        let writes = self.pushed(seen, push, &execution);
        let told = tellings_in(&writes);
        match self.table.commit(writes).await {
            Ok(()) => {}
            Err(CommitError::Conflict { .. }) => return Ok(false),
            Err(CommitError::Table(error)) => return Err(error.into()),
        }
        self.tell_soon(told).await;
        if nudges {
            self.metrics.count(Counter::NudgesRepeated);
            self.nudge(&execution.id, execution.team.as_ref(), Duration::ZERO).await;
        }
        Ok(nudges)
    }

    fn pushed(&self, seen: Versioned<Approval>, push: Push, execution: &Execution) -> Vec<Write> {
        let (Versioned { value: approval, version }, now) = (seen, self.clock.now());
        match push {
            Push::Nothing => Vec::new(),
            Push::Escalate(escalated) => {
                let Escalated { mut approval, notify } = *escalated;
                let told = self.asking_notes(&approval, &notify, execution.incident.as_ref());
                let fact = fact_of("approval.escalated", &approval);
                audited(&mut approval, Some(version), fact, now).into_iter().chain(told).collect()
            }
            Push::Remind => {
                vec![Write::replace(approval.reminded(now.plus(self.settings.nudge_grace)), version)]
            }
            Push::Later(at) => vec![Write::replace(approval.reminded(at), version)],
            Push::Void => {
                let void = approval.voided("the run has ended".to_owned(), now);
                let mut approval = void.unwrap_or_else(|| approval.settled());
                let fact = fact_of("approval.void", &approval);
                audited(&mut approval, Some(version), fact, now).to_vec()
            }
        }
    }

    fn push_of(&self, approval: &Approval, execution: &Execution, now: Time) -> Push {
        let due = approval.due_at.is_some_and(|due| due <= now);
        if execution.status().is_terminal() {
            return Push::Void;
        }
        // Its clock stands; whoever resumes the execution sets it anew.
        if due && execution.pause.is_some() {
            return Push::Later(now.plus(REVIEW_REMINDER));
        }
        match &approval.state {
            ApprovalState::Open if !due => Push::Nothing,
            ApprovalState::Open => match escalate(approval, now) {
                Some(escalated) => Push::Escalate(Box::new(escalated)),
                None if now >= approval.until => Push::Remind,
                None => Push::Later(approval.until),
            },
            ApprovalState::Approved
            | ApprovalState::Rejected { .. }
            | ApprovalState::Expired { .. }
            | ApprovalState::Void { .. } => Push::Remind,
        }
    }
}
