//! What stands beside the phases: environments, applicability, prerequisites, limits, escalation, verification, metrics.

use serde_json::Value;

use super::calls::check_probe;
use super::{Reads, check_count, check_range};
use crate::fault::{Fault, check_length};
use crate::runbook::phased::{
    Applicability, Environments, Escalation, Limits, PhasedRunbook, Prerequisite, Rollback, Verification,
};
use crate::template::Template;

const MAX_WORD_CHARS: usize = 64;
const MAX_REASON_CHARS: usize = 200;
const MAX_ENTRIES: usize = 20;
const MAX_ESCALATIONS: usize = 10;
const MAX_WEIGHT: u64 = 100;
const MAX_PER_TARGET: u64 = 100;
const MAX_PER_HOUR: u64 = 1_000;
const MAX_INEFFECTIVE_RUNS: u64 = 20;
const DAY_SECONDS: u64 = 24 * 60 * 60;
const MAX_DURATION_SECONDS: u64 = 30 * DAY_SECONDS;
const MAX_COOLDOWN_SECONDS: u64 = 7 * DAY_SECONDS;
const MAX_SETTLE_SECONDS: u64 = DAY_SECONDS;
const MIN_WINDOW_SECONDS: u64 = 60;
const MAX_WINDOW_SECONDS: u64 = 30 * DAY_SECONDS;

pub(super) fn check(runbook: &PhasedRunbook, faults: &mut Vec<Fault>) {
    if let Some(category) = &runbook.category {
        check_length("/category", category, 1, MAX_WORD_CHARS, faults);
    }
    if let Some(environments) = &runbook.environments {
        check_environments(environments, faults);
    }
    check_applicability(&runbook.applicability, faults);
    check_prerequisites(&runbook.prerequisites, &runbook.limits, faults);
    check_limits(&runbook.limits, faults);
    check_rollback(runbook.rollback, faults);
    check_escalation(&runbook.escalation, faults);
    if let Some(verification) = &runbook.verification {
        check_verification(verification, runbook.limits.max_duration_seconds(), faults);
    }
    check_words("/metrics", &runbook.metrics, 0, faults);
}

fn check_environments(environments: &Environments, faults: &mut Vec<Fault>) {
    let at = "/environments";
    check_template(&format!("{at}/name"), &environments.name, faults);
    check_words(&format!("{at}/allowed"), &environments.allowed, 1, faults);
    for (place, name) in environments.production.iter().enumerate() {
        if !environments.allowed.contains(name) {
            let message = format!("`{name}` is not in `allowed`; add it there or remove it here");
            faults.push(Fault::new(format!("{at}/production/{place}"), message));
        }
    }
}

/// A template that is rendered before the first step.
fn check_template(at: &str, text: &str, faults: &mut Vec<Fault>) {
    check_length(at, text, 1, crate::template::MAX_SOURCE_BYTES, faults);
    match Template::compile(text) {
        Err(fault) => faults.push(Fault::new(at, fault.to_string())),
        Ok(_) => Reads::surroundings().check_templates(at, &Value::from(text), faults),
    }
}

/// A list of short texts, each there once.
fn check_words(at: &str, words: &[String], least: usize, faults: &mut Vec<Fault>) {
    check_count(at, words.len(), least, MAX_ENTRIES, faults);
    for (place, word) in words.iter().enumerate() {
        let at = format!("{at}/{place}");
        check_length(&at, word, 1, MAX_WORD_CHARS, faults);
        if words.iter().take(place).any(|earlier| earlier == word) {
            faults.push(Fault::new(at, format!("`{word}` is there twice; remove one")));
        }
    }
}

fn check_applicability(reasons: &[Applicability], faults: &mut Vec<Fault>) {
    check_count("/applicability", reasons.len(), 0, MAX_ENTRIES, faults);
    for (place, reason) in reasons.iter().enumerate() {
        let at = format!("/applicability/{place}");
        Reads::incident().check_rule(&format!("{at}/when"), &reason.when, faults);
        check_range(&format!("{at}/weight"), u64::from(reason.weight), 1, MAX_WEIGHT, faults);
        check_length(&format!("{at}/reason"), &reason.reason, 1, MAX_REASON_CHARS, faults);
    }
}

fn check_prerequisites(prerequisites: &[Prerequisite], limits: &Limits, faults: &mut Vec<Fault>) {
    check_count("/prerequisites", prerequisites.len(), 0, MAX_ENTRIES, faults);
    for (place, prerequisite) in prerequisites.iter().enumerate() {
        check_prerequisite(format!("/prerequisites/{place}"), prerequisite, limits, faults);
    }
}

fn check_prerequisite(at: String, prerequisite: &Prerequisite, limits: &Limits, faults: &mut Vec<Fault>) {
    let Prerequisite { probe, rule, target_free, no_freeze, .. } = prerequisite;
    let reads = Reads::surroundings();
    match (probe, rule, target_free, no_freeze) {
        (Some(probe), None, false, false) => check_probe(&format!("{at}/probe"), probe, &reads, faults),
        (None, Some(rule), false, false) => reads.check_rule(&format!("{at}/rule"), rule, faults),
        (None, None, true, false) if limits.target.is_some() => {}
        (None, None, false, true) => {}
        (None, None, true, false) => {
            let message = "asks for a free target; say in `limits.target` what the target is";
            faults.push(Fault::new(at, message));
        }
        (None, None, false, false) => {
            let message = "checks nothing; give a `probe`, a `rule`, `targetFree` or `noFreeze`";
            faults.push(Fault::new(at, message));
        }
        (_, _, _, _) => {
            let message =
                "has more than one of `probe`, `rule`, `targetFree` and `noFreeze`; make several of it";
            faults.push(Fault::new(at, message));
        }
    }
}

fn check_limits(limits: &Limits, faults: &mut Vec<Fault>) {
    if let Some(target) = &limits.target {
        check_template("/limits/target", target, faults);
    }
    let per_target = [
        ("concurrencyPerTarget", limits.concurrency_per_target.map(u64::from), MAX_PER_TARGET),
        ("cooldownSeconds", limits.cooldown_seconds, MAX_COOLDOWN_SECONDS),
        ("ratePerTargetPerHour", limits.rate_per_target_per_hour.map(u64::from), MAX_PER_HOUR),
    ];
    for (name, limit, most) in per_target {
        check_limit(name, limit, most, faults);
        if limit.is_some() && limits.target.is_none() {
            let message = "is a limit per target; say in `target` what the target is";
            faults.push(Fault::new(format!("/limits/{name}"), message));
        }
    }
    check_limit("maxDurationSeconds", limits.max_duration_seconds, MAX_DURATION_SECONDS, faults);
    check_limit("executionsPerHour", limits.executions_per_hour.map(u64::from), MAX_PER_HOUR, faults);
    check_limit("ineffectiveRuns", limits.ineffective_runs.map(u64::from), MAX_INEFFECTIVE_RUNS, faults);
}

fn check_limit(name: &str, limit: Option<u64>, most: u64, faults: &mut Vec<Fault>) {
    if let Some(limit) = limit {
        check_range(&format!("/limits/{name}"), limit, 1, most, faults);
    }
}

fn check_rollback(rollback: Rollback, faults: &mut Vec<Fault>) {
    let window = rollback.window_seconds();
    check_range("/rollback/windowSeconds", window, MIN_WINDOW_SECONDS, MAX_WINDOW_SECONDS, faults);
}

fn check_escalation(escalations: &[Escalation], faults: &mut Vec<Fault>) {
    check_count("/escalation", escalations.len(), 0, MAX_ESCALATIONS, faults);
    for (number, escalation) in escalations.iter().enumerate() {
        let at = format!("/escalation/{number}");
        if escalation.on.is_empty() {
            faults.push(Fault::new(format!("{at}/on"), "is empty; name at least one kind of trouble"));
        }
        check_count(&format!("{at}/to"), escalation.to.len(), 1, MAX_ENTRIES, faults);
    }
}

fn check_verification(verification: &Verification, run_seconds: u64, faults: &mut Vec<Fault>) {
    let at = "/verification";
    match (&verification.probe, verification.incident_status) {
        (Some(probe), None) => check_probe(&format!("{at}/probe"), probe, &Reads::surroundings(), faults),
        (None, Some(_)) => {}
        (None, None) => {
            faults.push(Fault::new(at, "verifies nothing; give a `probe` or an `incidentStatus`"))
        }
        (Some(_), Some(_)) => {
            faults.push(Fault::new(at, "has both `probe` and `incidentStatus`; remove one"))
        }
    }
    if let Some(seconds) = verification.settle_seconds {
        let most = run_seconds.min(MAX_SETTLE_SECONDS);
        check_range(&format!("{at}/settleSeconds"), seconds, 0, most, faults);
    }
}
