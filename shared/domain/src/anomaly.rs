//! Whether a run behaves unlike the runbook's history (D7).
//!
//! Robust statistics, so that a few odd runs of the past neither hide nor cause an anomaly: the median, and the median distance from
//! it. Too small a history says nothing, and whatever is found is said in one sentence with its numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::execution::{Attempt, Execution, State, StepRun, StepState, TrailEvent};
use crate::ids::StepId;
use crate::outcome::Outcome;
use crate::time::Time;

/// How many durations of a step say what is usual.
pub const MIN_SAMPLES: usize = 10;
/// The least distance from the median that is unusual, in milliseconds.
pub const MIN_DISTANCE_MS: u64 = 1_000;
/// How many runs, and how long ago at most, are the latest ones.
pub const RECENT: usize = 20;
pub const RECENT_WITHIN: Duration = Duration::from_hours(24);
/// How many of the latest runs, and of those before, it takes.
pub const MIN_RECENT: usize = 8;
pub const MIN_EARLIER: usize = 5;

/// How long a step usually takes, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Norm {
    pub samples: usize,
    pub median_ms: u64,
    /// What takes longer is unusual.
    pub most_ms: u64,
}

/// What is known of a runbook when one of its runs begins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usual {
    pub norms: BTreeMap<StepId, Norm>,
    /// Why the runbook's failure rate is unusual, if it is.
    pub failing: Option<String>,
}

impl Usual {
    /// From the latest runs, the newest first. Of a step, the durations in runs of the same version count if they are enough, else
    /// those of all.
    pub fn of(runs: &[Execution], version: &Digest, now: Time) -> Self {
        Self { norms: norms(runs, version), failing: failing(&endings(runs), now) }
    }
}

/// `None` of a history that is too small.
pub fn norm(mut durations_ms: Vec<u64>) -> Option<Norm> {
    if durations_ms.len() < MIN_SAMPLES {
        return None;
    }
    let median_ms = median(&mut durations_ms)?;
    let mut distances: Vec<u64> = durations_ms.iter().map(|one| one.abs_diff(median_ms)).collect();
    // 5 × 1.4826: five standard deviations, were the durations normally distributed.
    let spread = median(&mut distances)?.saturating_mul(7_413) / 1_000;
    let distance = spread.max(median_ms / 2).max(MIN_DISTANCE_MS);
    Some(Norm { samples: durations_ms.len(), median_ms, most_ms: median_ms.saturating_add(distance) })
}

impl Norm {
    /// Why it is unusual that a step took so long; `None` if it is not.
    pub fn exceeded(&self, step: &StepId, took_ms: u64) -> Option<String> {
        let Self { samples, median_ms, most_ms } = self;
        let why = || {
            let (took, median, most) = (Seconds(took_ms), Seconds(*median_ms), Seconds(*most_ms));
            format!(
                "step {step} took {took}, and usually takes {median}: more than {most} is unusual by its last {samples} successes"
            )
        };
        (took_ms > *most_ms).then(why)
    }
}

/// How a run ended: when, and whether it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    pub at: Time,
    pub failed: bool,
}

/// Why it is unusual how many of the latest runs failed; `None` if it is not. `endings` are the newest first.
pub fn failing(endings: &[Ending], now: Time) -> Option<String> {
    let since = now.minus(RECENT_WITHIN);
    let recent = endings.iter().take(RECENT).take_while(|ending| ending.at >= since).count();
    let (recent, earlier) = endings.split_at_checked(recent)?;
    if recent.len() < MIN_RECENT || earlier.len() < MIN_EARLIER {
        return None;
    }
    let failed = |endings: &[Ending]| endings.iter().filter(|ending| ending.failed).count();
    let (now_failed, then_failed) = (failed(recent), failed(earlier));
    let unusual = now_failed * 2 > recent.len() && then_failed * 5 <= earlier.len();
    let (recent, earlier) = (recent.len(), earlier.len());
    let why = || {
        format!(
            "{now_failed} of the last {recent} runs within 24 h failed, and of the {earlier} before them {then_failed} did"
        )
    };
    unusual.then(why)
}

/// The middle value, or the lower mean of the two in the middle; `None` of nothing.
fn median(values: &mut [u64]) -> Option<u64> {
    values.sort_unstable();
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get(values.len().checked_sub(1)? / 2)?;
    Some(lower.midpoint(upper))
}

fn norms(runs: &[Execution], version: &Digest) -> BTreeMap<StepId, Norm> {
    let (mut same, mut all) = (BTreeMap::<&StepId, Vec<u64>>::new(), BTreeMap::<&StepId, Vec<u64>>::new());
    for run in runs.iter().filter(|run| run.status().is_terminal() && run.undoes.is_none()) {
        let of_version = run.pinned.runbook().is_some_and(|pinned| pinned.digest == *version);
        for (step, took) in run.steps.iter().filter_map(|(step, run)| Some((step, success_ms(run)?))) {
            all.entry(step).or_default().push(took);
            if of_version {
                same.entry(step).or_default().push(took);
            }
        }
    }
    let of_step = |(step, all): (&StepId, Vec<u64>)| {
        let same = same.get(step).cloned().unwrap_or_default();
        Some((step.clone(), norm(same).or_else(|| norm(all))?))
    };
    all.into_iter().filter(|(step, _)| !step.is_undo()).filter_map(of_step).collect()
}

/// How long the call took by which the step succeeded, in milliseconds.
fn success_ms(run: &StepRun) -> Option<u64> {
    let last = run.attempts.last().filter(|_| run.state == StepState::Succeeded)?;
    answered_ms(last)
}

/// How long an attempt took that was answered, in milliseconds.
pub(crate) fn answered_ms(attempt: &Attempt) -> Option<u64> {
    let answered = matches!(attempt.outcome, Some(Outcome::Answered { .. }));
    let took = attempt.ended_at.filter(|_| answered)?.since(attempt.started_at);
    u64::try_from(took.as_millis()).ok()
}

/// What a person stopped or took back says nothing, and neither does a run that was stopped for being unusual: else one anomaly
/// would cause the next.
fn endings(runs: &[Execution]) -> Vec<Ending> {
    let counts = |run: &&Execution| run.undoes.is_none() && run.stop.is_none() && !stopped_as_unusual(run);
    let ending = |run: &Execution| Some(Ending { at: run.ended_at?, failed: run.status().failed()? });
    runs.iter().filter(counts).filter_map(ending).collect()
}

fn stopped_as_unusual(run: &Execution) -> bool {
    let (State::Failed { error: why } | State::RolledBack { reason: why }) = &run.state else { return false };
    run.anomalies().any(|because| because == why)
}

impl Execution {
    /// What was found unusual about it, in order.
    pub fn anomalies(&self) -> impl Iterator<Item = &str> {
        self.trail.entries.iter().filter_map(|entry| {
            let TrailEvent::Anomaly { because } = &entry.event else { return None };
            Some(because.as_str())
        })
    }
}

/// Milliseconds, told in seconds.
struct Seconds(u64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{} s", self.0 / 1_000, self.0 % 1_000 / 100)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::execution::tests::accepted;
    use crate::execution::{Pinned, PinnedRunbook};

    const NOW: Time = Time::from_millis(1_000_000_000);

    fn check(durations: &[u64], expected: Option<(u64, u64)>) {
        let norm = norm(durations.to_vec()).map(|norm| (norm.median_ms, norm.most_ms));
        assert_eq!(norm, expected, "{durations:?}");
    }

    #[test]
    fn what_is_usual_needs_ten_samples_and_no_few_odd_ones_move_it() {
        check(&[100; 9], None);
        check(&[100; 10], Some((100, 1_100)));
        check(&[10_000; 10], Some((10_000, 15_000)));
        check(&[100, 100, 100, 100, 100, 100, 100, 100, 90_000, 90_000], Some((100, 1_100)));
        // The distances are 1,000 to 5,000 twice, their median is 3,000, and 3,000 × 7.413 counts.
        let spread = [5_000, 6_000, 7_000, 8_000, 9_000, 11_000, 12_000, 13_000, 14_000, 15_000];
        check(&spread, Some((10_000, 32_239)));
    }

    #[test]
    fn what_is_unusual_is_said_with_its_numbers() {
        let norm = norm(vec![200; 12]).expect("enough");
        let step: StepId = "drain".parse().expect("valid");
        assert_eq!(norm.exceeded(&step, 1_200), None);
        let said = "step drain took 12.3 s, and usually takes 0.2 s: more than 1.2 s is unusual by its last 12 successes";
        assert_eq!(norm.exceeded(&step, 12_345).as_deref(), Some(said));
    }

    /// Endings, the newest first: `f` failed, `s` did not, each one hour before the one to its left; a `|` is a day.
    fn endings_of(letters: &str) -> Vec<Ending> {
        let (mut at, mut endings) = (NOW, Vec::new());
        for letter in letters.chars() {
            match letter {
                '|' => at = at.minus(Duration::from_hours(24)),
                letter => {
                    endings.push(Ending { at, failed: letter == 'f' });
                    at = at.minus(Duration::from_hours(1));
                }
            }
        }
        endings
    }

    fn check_rate(letters: &str, expected: bool) {
        assert_eq!(failing(&endings_of(letters), NOW).is_some(), expected, "{letters}");
    }

    #[test]
    fn a_failure_rate_is_unusual_if_most_fail_now_and_few_did_before() {
        check_rate("ffffffff|sssss", true);
        check_rate("fffffsss|sssss", true);
        check_rate("ffffssss|sssss", false);
        check_rate("fffffff|sssss", false);
        check_rate("ffffffff|ssss", false);
        check_rate("ffffffff|fssss", true);
        check_rate("ffffffff|ffsss", false);
        check_rate("ffffffff", false);
        check_rate("", false);
        // Of more than twenty within a day, the twenty-first and all after it are those before.
        check_rate("fffffffffffffffffffffffff", false);
        let minutes = |count: u64, failed| (0..count).map(move |_| Ending { at: NOW, failed });
        let endings: Vec<Ending> = minutes(20, true).chain(minutes(5, false)).collect();
        let said = "20 of the last 20 runs within 24 h failed, and of the 5 before them 0 did";
        assert_eq!(failing(&endings, NOW).as_deref(), Some(said));
    }

    fn step() -> StepId {
        "drain".parse().expect("valid")
    }

    fn answered(status: u16) -> Outcome {
        Outcome::Answered { status, retry_after_ms: None, body: String::new(), truncated: false }
    }

    /// A run that succeeded, and whose step took so long.
    fn run(version: &str, took_ms: u64) -> Execution {
        let attempt = Attempt {
            epoch: 1,
            started_at: NOW,
            ended_at: Some(NOW.plus(Duration::from_millis(took_ms))),
            outcome: Some(answered(200)),
            late: None,
            resolution: None,
        };
        let drain = StepRun { attempts: vec![attempt], ..StepRun::of_state(StepState::Succeeded) };
        let accepted = accepted(NOW);
        let Pinned::Runbook(pinned) = accepted.pinned.clone() else { panic!("a runbook's") };
        let pinned = PinnedRunbook { digest: Digest::of_bytes(version.as_bytes()), ..pinned };
        Execution {
            pinned: Pinned::Runbook(pinned),
            state: State::Succeeded,
            ended_at: Some(NOW),
            steps: BTreeMap::from([(step(), drain)]),
            ..accepted
        }
    }

    fn check_norm(runs: &[Execution], expected: Option<(usize, u64)>) {
        let usual = Usual::of(runs, &Digest::of_bytes(b"new"), NOW);
        assert_eq!(usual.norms.get(&step()).map(|norm| (norm.samples, norm.median_ms)), expected);
    }

    #[test]
    fn the_same_version_says_what_is_usual_if_it_ran_often_enough_else_all_do() {
        let of = |new: usize, old: usize| [vec![run("new", 100); new], vec![run("old", 9_000); old]].concat();
        check_norm(&of(10, 30), Some((10, 100)));
        check_norm(&of(9, 30), Some((39, 9_000)));
        check_norm(&of(4, 5), None);
    }

    #[test]
    fn only_calls_that_succeeded_in_runs_that_have_ended_count() {
        let change = |change: fn(&mut Execution)| {
            let mut runs = vec![run("new", 100); 10];
            runs.iter_mut().take(1).for_each(change);
            check_norm(&runs, None);
        };
        change(|run| run.state = State::Pending);
        change(|run| run.undoes = Some(run.id.clone()));
        change(|run| {
            run.steps.values_mut().for_each(|step| step.state = StepState::Failed { error: "404".into() })
        });
        change(|run| {
            let attempts = run.steps.values_mut().flat_map(|step| &mut step.attempts);
            attempts.for_each(|one| one.outcome = Some(Outcome::Unknown { reason: "reset".into() }));
        });
    }

    #[test]
    fn what_a_person_stopped_or_an_anomaly_did_says_nothing_about_the_failure_rate() {
        let failed = |why: &str| Execution { state: State::Failed { error: why.into() }, ..run("new", 100) };
        let check = |run: Execution, expected: Option<bool>| {
            assert_eq!(endings(&[run]).first().map(|ending| ending.failed), expected);
        };
        let mut unusual = failed("8 of 8 failed");
        unusual.trail.push(TrailEvent::Anomaly { because: "8 of 8 failed".into() }, NOW);
        let mut flagged = run("new", 100);
        flagged.trail.push(TrailEvent::Anomaly { because: "8 of 8 failed".into() }, NOW);
        check(failed("404"), Some(true));
        check(run("new", 100), Some(false));
        check(flagged, Some(false));
        check(unusual, None);
        check(Execution { undoes: Some(run("new", 1).id), ..failed("404") }, None);
        check(Execution { state: State::Cancelled { reason: "a drill".into() }, ..run("new", 100) }, None);
    }

    proptest! {
        #[test]
        fn the_median_itself_is_never_unusual_and_more_is_never_less_so(
            durations in prop::collection::vec(0_u64..10_000_000, MIN_SAMPLES..60),
            took in 0_u64..40_000_000,
        ) {
            let norm = norm(durations.clone()).expect("enough");
            let step: StepId = "drain".parse().expect("valid");
            prop_assert!(norm.exceeded(&step, norm.median_ms).is_none());
            prop_assert!(norm.most_ms >= norm.median_ms + MIN_DISTANCE_MS);
            let unusual = norm.exceeded(&step, took).is_some();
            prop_assert!(!unusual || norm.exceeded(&step, took + 1).is_some());
            // Half of the samples are no longer than the median, so most of a history is never unusual to itself.
            let within = durations.iter().filter(|one| norm.exceeded(&step, **one).is_none()).count();
            prop_assert!(within * 2 >= durations.len());
        }

        #[test]
        fn the_order_of_a_history_does_not_matter(
            durations in prop::collection::vec(0_u64..100_000, MIN_SAMPLES..40),
        ) {
            let mut reversed = durations.clone();
            reversed.reverse();
            prop_assert_eq!(norm(durations), norm(reversed));
        }

        #[test]
        fn fewer_failures_of_the_latest_runs_are_never_more_unusual(
            failed in prop::collection::vec(any::<bool>(), 0..20),
            earlier in prop::collection::vec(any::<bool>(), 0..30),
        ) {
            let old = NOW.minus(Duration::from_hours(48));
            let of = |failed: &[bool], at| failed.iter().map(|failed| Ending { at, failed: *failed }).collect::<Vec<_>>();
            let before = of(&earlier, old);
            let with = |recent: &[bool]| failing(&[of(recent, NOW), before.clone()].concat(), NOW).is_some();
            let mut better = failed.clone();
            if let Some(one) = better.iter_mut().find(|failed| **failed) {
                *one = false;
            }
            prop_assert!(with(&failed) || !with(&better));
        }
    }
}
