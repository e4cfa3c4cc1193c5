//! Making verdicts true: what starts and what does not is stored together, in as few commits as hold it (B6, C4).
//!
//! Architecture invariant: a decision and the execution that it names are one commit, and a decision is never stored twice
//! nor changed. Each commit adds one part to the event's log, under the condition that nobody else has.

use std::collections::VecDeque;

use futures::future::join_all;
use muster_domain::workflow::MatchOutcome;

use super::log::Log;
use super::start::{Started, Starts, impossible};
use super::{Matched, Occasion, Verdict};
use crate::metrics::Counter;
use crate::table::{CommitError, Write};
use crate::{App, Error};

/// The most workflows that one commit starts; each start is three writes of it.
const MOST_STARTS: usize = 16;
/// Tries beside those that the starts of others may cost.
const MORE_TRIES: u32 = 8;

/// What is left to be done of one occasion, and what became of the rest.
struct Settling {
    matching: VecDeque<Verdict>,
    others: VecDeque<Verdict>,
    log: Log,
    matched: Matched,
    /// How many workflows the next commit starts at most.
    most_starts: usize,
    /// The first error of a start that another delivery may mend.
    passing: Option<Error>,
}

/// One commit, and what it then means.
struct Step {
    writes: Vec<Write>,
    /// The log with the part that is among the writes.
    log: Log,
    /// Of the verdicts that match, the first ones.
    starts: Vec<Result<Started, Error>>,
    /// How many of the others are recorded.
    others: usize,
}

impl App {
    /// Makes the verdicts true: a record of each, and an execution of each that matches. What was decided before stays.
    pub(crate) async fn settle(
        &self,
        occasion: &Occasion<'_>,
        verdicts: Vec<Verdict>,
    ) -> Result<Matched, Error> {
        let mut settling = Settling::of(verdicts);
        let mut tries_left = settling.most_tries();
        while !settling.is_done() {
            let Step { writes, log, starts, others } = self.step(occasion, &settling).await?;
            match self.commit_any(writes).await {
                Ok(()) => {
                    settling.log = log;
                    self.report_refused(occasion, &mut settling, others);
                    self.started(&mut settling, starts).await;
                }
                // Another delivery has decided, or another start of the same minute has counted.
                Err(CommitError::Conflict { .. }) if tries_left > 0 => {
                    tries_left -= 1;
                    settling.know(self.log_of(occasion).await?);
                }
                Err(CommitError::Conflict { .. }) => return Err(Error::Contention),
                Err(CommitError::Table(error)) => self.refused(&mut settling, starts.len(), error.into())?,
            }
        }
        settling.passing.map_or(Ok(settling.matched), Err)
    }

    /// A commit that no engine takes is tried again start by start; the one that is refused alone can never start.
    fn refused(&self, settling: &mut Settling, starts: usize, error: Error) -> Result<(), Error> {
        match starts {
            0 => Err(error),
            _ if error.retryable() => Err(error),
            1 => {
                self.metrics.count(Counter::WorkflowsNotStarted);
                settling.give_up_first(&error);
                Ok(())
            }
            _ => {
                settling.most_starts = 1;
                Ok(())
            }
        }
    }

    /// Where nothing can be started and nothing is left to be told, there is nothing to store.
    async fn commit_any(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        if writes.is_empty() { Ok(()) } else { self.table.commit(writes).await }
    }

    async fn step(&self, occasion: &Occasion<'_>, settling: &Settling) -> Result<Step, Error> {
        let first: Vec<&Verdict> = settling.matching.iter().take(settling.most_starts).collect();
        let Starts { mut writes, starts, mut part } = self.starts(occasion, &first).await?;
        let mut others = 0;
        for Verdict { workflow, decision } in &settling.others {
            if part.is_full() {
                break;
            }
            part.add(workflow, decision, None);
            others += 1;
        }
        let mut log = settling.log.clone();
        if !part.is_empty() {
            writes.push(Write::create(log.next_part(occasion, part.finish(), self.clock.now())));
        }
        Ok(Step { writes, log, starts, others })
    }

    /// One that cannot be started harms no other; the first error that may pass is the whole event's.
    async fn started(&self, settling: &mut Settling, starts: Vec<Result<Started, Error>>) {
        let done: Vec<Verdict> = settling.matching.drain(..starts.len()).collect();
        let told = done.iter().zip(&starts).map(|(verdict, start)| self.tell(&verdict.workflow, start));
        join_all(told).await;
        for start in starts {
            settling.count(start);
        }
    }

    fn report_refused(&self, occasion: &Occasion<'_>, settling: &mut Settling, recorded: usize) {
        for Verdict { workflow, decision } in settling.others.drain(..recorded) {
            if decision.outcome == MatchOutcome::RefusedByLoopGuard {
                settling.matched.refused += 1;
                self.metrics.count(Counter::WorkflowsRefused);
                tracing::warn!(workflow_id = %workflow.id, event = occasion.key, "the loop guard refused a workflow");
            }
        }
    }
}

impl Settling {
    fn of(verdicts: Vec<Verdict>) -> Self {
        let matched = Matched { candidates: verdicts.len() as u64, ..Matched::default() };
        let (matching, others): (VecDeque<_>, VecDeque<_>) =
            verdicts.into_iter().partition(|verdict| verdict.decision.matched());
        Self { matching, others, log: Log::default(), matched, most_starts: MOST_STARTS, passing: None }
    }

    fn is_done(&self) -> bool {
        self.matching.is_empty() && self.others.is_empty()
    }

    /// Each conflict is another start within the minute, of which the caps bound how many there can be, or another delivery.
    fn most_tries(&self) -> u32 {
        let caps = self.matching.iter().map(|verdict| verdict.workflow.settings.max_starts_per_minute);
        caps.fold(MORE_TRIES, u32::saturating_add)
    }

    /// What can never start is recorded like what does not match.
    fn give_up_first(&mut self, error: &Error) {
        if let Some(verdict) = self.matching.pop_front() {
            self.matched.impossible += 1;
            let decision = impossible(&verdict, error);
            self.others.push_back(Verdict { decision, ..verdict });
        }
    }

    /// Leaves out what others have decided meanwhile.
    fn know(&mut self, log: Log) {
        let before = self.matching.len();
        for verdicts in [&mut self.matching, &mut self.others] {
            verdicts.retain(|verdict| !log.decides(&verdict.workflow.id));
        }
        self.matched.repeated += (before - self.matching.len()) as u64;
        self.log = log;
    }

    fn count(&mut self, start: Result<Started, Error>) {
        match start {
            Ok(Started::Now(accepted)) => self.matched.started.push(accepted.id),
            Ok(Started::Earlier) => self.matched.repeated += 1,
            Ok(Started::Suppressed) => self.matched.suppressed += 1,
            Ok(Started::Never) => self.matched.impossible += 1,
            Err(error) => {
                let passes = self.passing.is_none() && error.retryable();
                self.passing = if passes { Some(error) } else { self.passing.take() };
            }
        }
    }
}
