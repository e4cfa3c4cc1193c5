//! How well a runbook fits an incident (D3): what its own rules say, and what its past runs add. The same facts always give the
//! same confidence, and every point of it has a reason.

use serde_json::Value;

use crate::execution::{Execution, VerdictKind};
use crate::rule::Rule;
use crate::runbook::phased::Applicability;

/// The greatest confidence.
pub const MAX_CONFIDENCE: u32 = 100;
/// How many runs make a history; fewer say nothing.
pub const MIN_RUNS: u32 = 5;
/// By how many points a history moves the confidence at most, up or down.
pub const MOST_SHIFT: i32 = 10;

/// How well a runbook fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// 0 to 100.
    pub confidence: u32,
    /// In the order of the definition, the history last.
    pub reasons: Vec<Reason>,
    /// Rules that could not be evaluated; they count as if they did not hold.
    pub unjudged: Vec<Unjudged>,
}

/// What speaks for the runbook; of a history, also what speaks against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    Rule {
        reason: String,
        weight: u32,
    },
    /// So many of the latest runs helped, which moved the confidence by so many points.
    History {
        helped: u32,
        runs: u32,
        points: i32,
    },
}

/// A rule that could not be evaluated, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unjudged {
    pub reason: String,
    pub weight: u32,
    pub why: String,
}

/// How the latest runs of a runbook ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Past {
    pub helped: u32,
    /// Those that say anything.
    pub runs: u32,
}

/// What the rules say, of which at least one holds; `None` if none does, for then the runbook is not for this incident.
///
/// The confidence is the weight of the rules that hold, in percent of the weight of all.
pub fn fit(entries: &[Applicability], context: &Value) -> Option<Fit> {
    let (mut reasons, mut unjudged, mut held, mut all) = (Vec::new(), Vec::new(), 0_u32, 0_u32);
    for Applicability { when, weight, reason } in entries {
        let (weight, reason) = (*weight, reason.clone());
        all = all.saturating_add(weight);
        match judged(when, context) {
            Ok(true) => {
                held = held.saturating_add(weight);
                reasons.push(Reason::Rule { reason, weight });
            }
            Ok(false) => {}
            Err(why) => unjudged.push(Unjudged { reason, weight, why }),
        }
    }
    let confidence = rounded(held, all);
    (!reasons.is_empty()).then_some(Fit { confidence, reasons, unjudged })
}

impl Fit {
    /// The same with what the past adds; too short a past adds nothing.
    #[must_use]
    pub fn with_past(mut self, past: Past) -> Self {
        let Some(points) = past.points() else { return self };
        let moved = self.confidence.saturating_add_signed(points);
        self.confidence = moved.min(MAX_CONFIDENCE);
        self.reasons.push(Reason::History { helped: past.helped, runs: past.runs, points });
        self
    }
}

impl Past {
    pub fn of<'e>(runs: impl Iterator<Item = &'e Execution>) -> Self {
        let told = runs.filter_map(helped);
        told.fold(Self::default(), |past, helped| Self {
            helped: past.helped.saturating_add(u32::from(helped)),
            runs: past.runs.saturating_add(1),
        })
    }

    /// From -10, if none helped, to 10, if all did; half of them is 0.
    fn points(self) -> Option<i32> {
        if self.runs < MIN_RUNS {
            return None;
        }
        let (helped, runs) = (i64::from(self.helped), i64::from(self.runs));
        let points = i64::from(MOST_SHIFT) * (2 * helped - runs) / runs;
        i32::try_from(points).ok()
    }
}

/// Whether a run helped: as its verdict says, else as it ended. `None` if it says nothing about the runbook: what has not ended,
/// what a person stopped, what took another run back, and a verdict that nobody can tell.
fn helped(run: &Execution) -> Option<bool> {
    if run.undoes.is_some() {
        return None;
    }
    match (run.status().failed()?, run.verdict.as_ref().map(|verdict| verdict.is)) {
        (true, _) | (false, Some(VerdictKind::Ineffective | VerdictKind::Regressed)) => Some(false),
        (false, None | Some(VerdictKind::Resolved)) => Some(true),
        (false, Some(VerdictKind::Inconclusive)) => None,
    }
}

/// A stored rule compiled when it was saved; one that no longer does is told as it is.
fn judged(rule: &str, context: &Value) -> Result<bool, String> {
    let rule = Rule::compile(rule).map_err(|fault| fault.to_string())?;
    rule.holds(context).map_err(|error| error.to_string())
}

/// A share in percent, rounded to the nearest.
fn rounded(part: u32, whole: u32) -> u32 {
    let (part, whole) = (u64::from(part), u64::from(whole));
    let percent = (part * 200 + whole).checked_div(whole * 2).unwrap_or_default();
    u32::try_from(percent).unwrap_or(MAX_CONFIDENCE).min(MAX_CONFIDENCE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::execution::tests::accepted;
    use crate::execution::{State, Verdict};
    use crate::ids::ExecutionId;
    use crate::time::Time;

    const NOW: Time = Time::from_millis(1_000_000);

    fn entries(rules: &[(&str, u32)]) -> Vec<Applicability> {
        let entry = |(when, weight): &(&str, u32)| Applicability {
            when: (*when).into(),
            weight: *weight,
            reason: format!("because {when}"),
        };
        rules.iter().map(entry).collect()
    }

    /// The confidence, how many rules held, and how many could not be judged.
    fn check(rules: &[(&str, u32)], expected: Option<(u32, usize, usize)>) {
        let context = json!({"incident": {"priority": "HIGH", "metadata": {"alert": "Memory"}}});
        let fit = fit(&entries(rules), &context);
        let seen = fit.map(|fit| (fit.confidence, fit.reasons.len(), fit.unjudged.len()));
        assert_eq!(seen, expected, "{rules:?}");
    }

    #[test]
    fn the_confidence_is_the_share_of_the_weight_that_holds() {
        let (yes, no) = ("incident.priority == \"HIGH\"", "incident.priority == \"LOW\"");
        check(&[], None);
        check(&[(no, 60)], None);
        check(&[(yes, 1)], Some((100, 1, 0)));
        check(&[(yes, 60), (no, 40)], Some((60, 1, 0)));
        check(&[(yes, 1), (no, 2)], Some((33, 1, 0)));
        check(&[(yes, 2), (no, 1)], Some((67, 1, 0)));
    }

    #[test]
    fn a_rule_that_cannot_be_judged_counts_as_one_that_does_not_hold_and_says_why() {
        let (yes, broken) = ("incident.priority == \"HIGH\"", "incident.metadata.service == \"api\"");
        check(&[(broken, 10)], None);
        check(&[(yes, 30), (broken, 70)], Some((30, 1, 1)));
        check(&[(yes, 30), ("((", 70)], Some((30, 1, 1)));
        let context = json!({"incident": {"priority": "HIGH", "metadata": {}}});
        let fit = fit(&entries(&[(yes, 1), (broken, 1)]), &context).expect("one holds");
        assert!(fit.unjudged[0].why.contains("service"), "{}", fit.unjudged[0].why);
    }

    fn run(state: State, verdict: Option<VerdictKind>) -> Execution {
        let verdict = verdict.map(|is| Verdict { is, because: "it is so".into() });
        Execution { state, verdict, ..accepted(NOW) }
    }

    #[test]
    fn a_run_helped_as_its_verdict_says_else_as_it_ended() {
        let check = |run: Execution, expected: Option<bool>| assert_eq!(helped(&run), expected);
        check(run(State::Succeeded, None), Some(true));
        check(run(State::Succeeded, Some(VerdictKind::Resolved)), Some(true));
        check(run(State::Succeeded, Some(VerdictKind::Ineffective)), Some(false));
        check(run(State::Succeeded, Some(VerdictKind::Regressed)), Some(false));
        check(run(State::Succeeded, Some(VerdictKind::Inconclusive)), None);
        check(run(State::Failed { error: "404".into() }, None), Some(false));
        check(run(State::RolledBack { reason: "404".into() }, None), Some(false));
        check(run(State::Cancelled { reason: "a drill".into() }, None), None);
        check(run(State::Pending, None), None);
        let undoes = Some(ExecutionId::new(NOW, 1));
        check(Execution { undoes, ..run(State::RolledBack { reason: "asked".into() }, None) }, None);
    }

    #[test]
    fn a_history_moves_the_confidence_from_its_least_size_on() {
        let moved = |helped, runs| {
            let fit = Fit { confidence: 50, reasons: Vec::new(), unjudged: Vec::new() };
            let fit = fit.with_past(Past { helped, runs });
            (fit.confidence, fit.reasons.len())
        };
        assert_eq!(moved(4, 4), (50, 0));
        assert_eq!(moved(5, 5), (60, 1));
        assert_eq!(moved(0, 5), (40, 1));
        assert_eq!(moved(25, 50), (50, 1));
        assert_eq!(moved(40, 50), (56, 1));
    }

    proptest! {
        #[test]
        fn a_confidence_never_leaves_its_scale_and_moves_by_the_points_it_tells(
            weights in prop::collection::vec((any::<bool>(), 1_u32..=100), 1..20),
            helped in 0_u32..=50,
            failed in 0_u32..=50,
        ) {
            let rules: Vec<(&str, u32)> =
                weights.iter().map(|(holds, weight)| (if *holds { "1 == 1" } else { "1 == 2" }, *weight)).collect();
            let Some(fit) = fit(&entries(&rules), &json!({})) else {
                prop_assert!(weights.iter().all(|(holds, _)| !holds));
                return Ok(());
            };
            let before = fit.confidence;
            prop_assert!(before <= MAX_CONFIDENCE);
            let after = fit.with_past(Past { helped, runs: helped + failed });
            prop_assert!(after.confidence <= MAX_CONFIDENCE);
            prop_assert!(after.confidence.abs_diff(before) <= MOST_SHIFT.unsigned_abs());
            let told = matches!(after.reasons.last(), Some(Reason::History { .. }));
            prop_assert_eq!(told, helped + failed >= MIN_RUNS);
        }
    }
}
