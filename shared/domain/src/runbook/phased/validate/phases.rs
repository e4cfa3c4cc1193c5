//! Phases, groups and steps, each on its own.

use super::{Reads, calls, check_count, check_range, fields, flow, gates};
use crate::fault::{Fault, check_length};
use crate::runbook::phased::{Group, Layout, PhasedRunbook, Step, StepType};

/// The most steps of a group in flight at once, as of a whole run.
const MAX_CONCURRENCY: u64 = 16;
const MAX_SECONDS: u64 = 30 * 24 * 60 * 60;
const MAX_REASON_CHARS: usize = 500;
const MIN_DELAY_MS: u64 = 100;
const MAX_DELAY_MS: u64 = 60_000;
const MAX_ATTEMPTS: u64 = 10;

pub(super) fn check(runbook: &PhasedRunbook, layout: &Layout<'_>, faults: &mut Vec<Fault>) {
    if runbook.phases.is_empty() {
        faults.push(Fault::new("/phases", "is empty; a runbook has at least one phase"));
    }
    let mut first = 0;
    for (number, phase) in runbook.phases.iter().enumerate() {
        let at = format!("/phases/{number}");
        if phase.steps.is_empty() {
            faults.push(Fault::new(format!("{at}/steps"), "is empty; add a step or remove the phase"));
        }
        if let Some(when) = &phase.when {
            Reads::before(layout, first).check_rule(&format!("{at}/when"), when, faults);
        }
        first += phase.steps.len();
    }
    let most = runbook.limits.max_duration_seconds();
    for (unit, (at, _, entry)) in layout.units.iter().enumerate() {
        if let Some(group) = entry.group() {
            check_group(&format!("{at}/parallel"), group, faults);
            flow::check_failure(&format!("{at}/parallel"), group.on_failure.as_ref(), layout, unit, faults);
        }
        for (at, step) in entry.steps(at) {
            Place { at: &at, layout, unit, most }.check(step, faults);
            match entry.group() {
                Some(_) => flow::check_member(&at, step, faults),
                None => flow::check_failure(&at, step.on_failure.as_ref(), layout, unit, faults),
            }
        }
    }
}

fn check_group(at: &str, group: &Group, faults: &mut Vec<Fault>) {
    if group.steps.is_empty() {
        faults.push(Fault::new(format!("{at}/steps"), "is empty; add a step or remove the group"));
    }
    let concurrency = u64::try_from(group.concurrency).unwrap_or(u64::MAX);
    check_range(&format!("{at}/concurrency"), concurrency, 1, MAX_CONCURRENCY, faults);
}

/// Where a step stands.
struct Place<'p> {
    at: &'p str,
    layout: &'p Layout<'p>,
    unit: usize,
    /// How long the whole run may take, in seconds.
    most: u64,
}

impl Place<'_> {
    fn check(&self, step: &Step, faults: &mut Vec<Fault>) {
        let reads = Reads::before(self.layout, self.unit);
        fields::check(self.at, step, faults);
        for (name, rule) in [("when", &step.when), ("rule", &step.rule)] {
            if let Some(rule) = rule {
                reads.check_rule(&self.of(name), rule, faults);
            }
        }
        self.check_numbers(step, faults);
        if let Some(irreversible) = &step.irreversible {
            let at = self.of("irreversible/reason");
            check_length(&at, &irreversible.reason, 1, MAX_REASON_CHARS, faults);
        }
        calls::check(self.at, step, &reads, faults);
        if step.kind == StepType::Branch {
            flow::check_branch(self.at, step, &reads, (self.layout, self.unit), faults);
        }
        if let Some(approval) = &step.approval {
            gates::check(&self.of("approval"), approval, self.layout, self.unit, faults);
        }
    }

    fn check_numbers(&self, step: &Step, faults: &mut Vec<Fault>) {
        let waits = step.callback.map(|callback| callback.timeout_seconds);
        for (name, seconds, most) in [
            ("expectedDurationSeconds", step.expected_duration_seconds, MAX_SECONDS),
            ("seconds", step.seconds, self.most),
            ("callback/timeoutSeconds", waits, self.most),
        ] {
            if let Some(seconds) = seconds {
                check_range(&self.of(name), seconds, 1, most, faults);
            }
        }
        if let Some(retry) = step.retry {
            let at = self.of("retry/maxAttempts");
            check_range(&at, u64::from(retry.max_attempts), 1, MAX_ATTEMPTS, faults);
            let at = self.of("retry/baseDelayMs");
            check_range(&at, retry.base_delay_ms, MIN_DELAY_MS, MAX_DELAY_MS, faults);
        }
        if step.kind == StepType::Branch {
            check_count(&self.of("branches"), step.branches.len(), 0, flow::MAX_BRANCHES, faults);
        }
    }

    /// The pointer of a member, by names that need no escape.
    fn of(&self, path: &str) -> String {
        format!("{}/{path}", self.at)
    }
}
