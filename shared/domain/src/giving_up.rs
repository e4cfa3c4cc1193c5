//! When a runbook gives up on an incident (D7): after so many runs that did not help, people have to look.

use std::fmt;

use crate::execution::{Execution, VerdictKind};
use crate::ids::{ExecutionId, RunbookId};

/// Why a runbook does not run again on an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// `limits.ineffectiveRuns` of the version that would run.
    pub limit: u32,
    /// Those that did not help, the newest first, as many as the limit.
    pub runs: Vec<ExecutionId>,
}

impl fmt::Display for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs: Vec<&str> = self.runs.iter().map(ExecutionId::as_str).collect();
        let (limit, runs) = (self.limit, runs.join(", "));
        write!(
            f,
            "the runbook has given up on this incident: limits.ineffectiveRuns is {limit}, and these runs did not help: {runs}"
        )
    }
}

/// Whether so many of a runbook's runs on one incident did not help. `runs` are those of the incident, the newest first, whatever
/// they run; those before one that resolved it count no more.
pub fn given_up<'e>(
    limit: u32,
    runbook: &RunbookId,
    runs: impl Iterator<Item = &'e Execution>,
) -> Option<GivenUp> {
    let limited = usize::try_from(limit).unwrap_or(usize::MAX);
    let of_runbook = runs.filter(|run| run.pinned.runbook().is_some_and(|pinned| &pinned.id == runbook));
    let judged = of_runbook.filter_map(|run| Some((&run.id, run.verdict.as_ref()?.is)));
    let since = judged.take_while(|(_, verdict)| *verdict != VerdictKind::Resolved);
    let futile = since.filter(|(_, verdict)| did_not_help(*verdict)).map(|(id, _)| id.clone());
    let runs: Vec<ExecutionId> = futile.take(limited).collect();
    (limit > 0 && runs.len() == limited).then_some(GivenUp { limit, runs })
}

/// It is no better than before, or worse.
pub const fn did_not_help(verdict: VerdictKind) -> bool {
    match verdict {
        VerdictKind::Ineffective | VerdictKind::Regressed => true,
        VerdictKind::Resolved | VerdictKind::Inconclusive => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::tests::accepted;
    use crate::execution::{Pinned, State, Verdict};
    use crate::time::Time;

    const NOW: Time = Time::from_millis(1_000_000);

    /// A run for each letter, the newest first: Ineffective, rEgressed, Resolved, Unknown, - (no verdict).
    fn runs(letters: &str) -> Vec<Execution> {
        let run = |(number, letter): (usize, char)| {
            let is = match letter {
                'i' => Some(VerdictKind::Ineffective),
                'e' => Some(VerdictKind::Regressed),
                'r' => Some(VerdictKind::Resolved),
                'u' => Some(VerdictKind::Inconclusive),
                _ => None,
            };
            let id = ExecutionId::new(NOW, 100 - u128::try_from(number).expect("small"));
            let verdict = is.map(|is| Verdict { is, because: "it is so".into() });
            Execution { id, verdict, state: State::Succeeded, ..accepted(NOW) }
        };
        letters.chars().enumerate().map(run).collect()
    }

    fn check(limit: u32, letters: &str, expected: bool) {
        let runs = runs(letters);
        let runbook = accepted(NOW).pinned.runbook().expect("a runbook's").id.clone();
        let given_up = given_up(limit, &runbook, runs.iter());
        assert_eq!(given_up.is_some(), expected, "{limit} {letters}");
        assert_eq!(given_up.map(|given_up| given_up.runs.len()), expected.then_some(runs_of(limit)));
    }

    fn runs_of(limit: u32) -> usize {
        usize::try_from(limit).expect("small")
    }

    #[test]
    fn what_did_not_help_counts_until_one_run_resolved_the_incident() {
        check(1, "", false);
        check(1, "i", true);
        check(2, "i", false);
        check(2, "ie", true);
        check(2, "iu-e", true);
        check(2, "iri", false);
        check(2, "iirii", true);
        check(2, "rii", false);
        check(3, "iiiii", true);
        check(1, "u-", false);
    }

    #[test]
    fn runs_of_another_runbook_do_not_count() {
        let other = RunbookId::new(NOW, 77);
        assert_eq!(given_up(1, &other, runs("iii").iter()), None);
    }

    #[test]
    fn the_refusal_names_the_limit_and_the_runs() {
        let runs = runs("ii");
        let Some(Pinned::Runbook(pinned)) = runs.first().map(|run| run.pinned.clone()) else { panic!() };
        let said = given_up(2, &pinned.id, runs.iter()).expect("two").to_string();
        assert!(said.contains("limits.ineffectiveRuns is 2") && said.contains(runs[1].id.as_str()), "{said}");
    }
}
