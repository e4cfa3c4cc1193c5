//! Telling those whom a runbook names that one of its runs is in trouble (D1, D7), whoever started it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Notification, Occasion};
use crate::approval::Approver;
use crate::execution::{Execution, ExecutionStatus, PinnedRunbook, State, StepRun, StepState, TrailEvent};
use crate::giving_up::did_not_help;
use crate::ids::{StepId, TeamId, UserId};
use crate::runbook::phased::{Escalation, Trouble};
use crate::time::Time;

/// The facts of a run in trouble, as messages tell them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Escalated {
    pub runbook: PinnedRunbook,
    pub requested_by: UserId,
    pub troubles: Vec<Trouble>,
    pub status: ExecutionStatus,
    /// The step that it is about; absent if it is about none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepId>,
    /// What went wrong.
    pub because: String,
    /// Those who are told by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<UserId>,
    pub at: Time,
}

/// The most teams that one trouble tells.
const MOST_TEAMS: u32 = 16;

/// The troubles that a runbook's execution has come to with its present state. What a person stopped or took back is none: they
/// know of it.
pub fn troubles_of(execution: &Execution) -> Vec<Trouble> {
    if execution.pinned.runbook().is_none() {
        return Vec::new();
    }
    let (unasked, forward) = (execution.stop.is_none(), execution.undoes.is_none());
    match &execution.state {
        State::NeedsReview { .. } => vec![Trouble::NeedsReview],
        State::UndoFailed { .. } => vec![Trouble::UndoFailed],
        State::Failed { .. } if gave_up(execution) => vec![Trouble::Failed, Trouble::Ineffective],
        State::Failed { .. } if unasked => vec![Trouble::Failed],
        State::RolledBack { .. } | State::Cancelled { .. } if unasked && forward => vec![Trouble::Failed],
        State::Succeeded if execution.verdict.as_ref().is_some_and(|verdict| did_not_help(verdict.is)) => {
            vec![Trouble::Ineffective]
        }
        State::Failed { .. }
        | State::RolledBack { .. }
        | State::Cancelled { .. }
        | State::Succeeded
        | State::Pending
        | State::Running { .. }
        | State::Waiting { .. }
        | State::Paused => Vec::new(),
    }
}

/// Who is to hear of the present state, each once, in the order of the definition.
pub fn escalates_to(execution: &Execution, escalations: &[Escalation]) -> Vec<Approver> {
    let troubles = troubles_of(execution);
    let concerned = escalations.iter().filter(|one| one.on.iter().any(|on| troubles.contains(on)));
    let mut to: Vec<Approver> = Vec::new();
    for approver in concerned.flat_map(|one| &one.to) {
        if !to.contains(approver) {
            to.push(approver.clone());
        }
    }
    to
}

impl Notification {
    /// What a trouble owes: a notification for each team that is named, and for the execution's own if somebody is named who is of
    /// no team. `number` counts the troubles of the execution from 1.
    pub fn escalated(
        execution: &Execution,
        number: u32,
        to: &[Approver],
        (now, due_at): (Time, Time),
    ) -> Vec<Self> {
        let Some(about) = Escalated::of(execution, to, now) else { return Vec::new() };
        let first = number.saturating_sub(1).saturating_mul(MOST_TEAMS).saturating_add(1);
        let teams = teams(execution.team.as_ref(), to);
        let told = (first..first.saturating_add(MOST_TEAMS)).zip(teams).map(|(number, team)| {
            let occasion = Occasion::Trouble(about.clone());
            let concerned = (team, execution.incident.clone());
            Self::new(execution.id.clone(), number, occasion, concerned, due_at)
        });
        told.collect()
    }
}

impl Escalated {
    fn of(execution: &Execution, to: &[Approver], now: Time) -> Option<Self> {
        let (step, because) = match &execution.state {
            State::Failed { error } => (failed_step(execution, error), error),
            State::NeedsReview { step, reason } | State::UndoFailed { step, reason } => {
                (Some(step.clone()), reason)
            }
            State::RolledBack { reason } => (failed_step(execution, reason), reason),
            State::Cancelled { reason } => (None, reason),
            State::Succeeded => (None, &execution.verdict.as_ref()?.because),
            State::Pending | State::Running { .. } | State::Waiting { .. } | State::Paused => return None,
        };
        let people = to.iter().filter_map(|approver| match approver {
            Approver::User(user) => Some(user.clone()),
            Approver::Role { .. } | Approver::PlatformAdmin => None,
        });
        Some(Self {
            runbook: execution.pinned.runbook()?.clone(),
            requested_by: execution.requested_by.clone(),
            troubles: troubles_of(execution),
            status: execution.status(),
            step,
            because: because.clone(),
            people: people.collect(),
            at: now,
        })
    }
}

fn gave_up(execution: &Execution) -> bool {
    execution.trail.entries.iter().any(|entry| matches!(entry.event, TrailEvent::GaveUp { .. }))
}

/// Not every step that failed is the reason: a run may go on behind one, and a verification that does not hold fails none.
fn failed_step(execution: &Execution, because: &str) -> Option<StepId> {
    let fits = |run: &StepRun| matches!(&run.state, StepState::Failed { error } if because.ends_with(error));
    let failed = execution.steps.iter().find(|(_, run)| fits(run));
    failed.map(|(id, _)| id.clone())
}

/// In order; one without a team has nobody to tell, and says so.
fn teams(own: Option<&TeamId>, to: &[Approver]) -> Vec<Option<TeamId>> {
    let mut named = BTreeSet::new();
    let mut unnamed = false;
    for approver in to {
        match approver {
            Approver::Role { team, .. } => drop(named.insert(team)),
            Approver::PlatformAdmin | Approver::User(_) => unnamed = true,
        }
    }
    named.extend(own.filter(|_| unnamed));
    if named.is_empty() { vec![None] } else { named.into_iter().cloned().map(Some).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::tests::accepted;
    use crate::execution::{Stop, StopMode, Verdict, VerdictKind};
    use crate::ids::ExecutionId;

    const NOW: Time = Time::from_millis(1_000_000);

    fn run(state: State) -> Execution {
        Execution { state, ..accepted(NOW) }
    }

    fn failed() -> Execution {
        run(State::Failed { error: "the receiver answered 404".into() })
    }

    fn taken_back() -> Execution {
        run(State::RolledBack { reason: "the receiver answered 404".into() })
    }

    fn stopped(execution: Execution) -> Execution {
        let stop = Stop {
            by: "ann".parse().expect("valid"),
            mode: StopMode::Abort,
            reason: "a drill".into(),
            at: NOW,
            quiesced_at: None,
        };
        Execution { stop: Some(stop), ..execution }
    }

    fn judged(is: VerdictKind) -> Execution {
        let verdict = Verdict { is, because: "the verification does not hold".into() };
        Execution { verdict: Some(verdict), ..run(State::Succeeded) }
    }

    #[test]
    fn what_a_person_did_is_no_trouble_and_everything_else_that_went_wrong_is() {
        let check = |execution: Execution, expected: &[Trouble]| {
            assert_eq!(troubles_of(&execution), expected, "{:?}", execution.state);
        };
        check(failed(), &[Trouble::Failed]);
        check(stopped(failed()), &[]);
        check(taken_back(), &[Trouble::Failed]);
        check(stopped(taken_back()), &[]);
        check(Execution { undoes: Some(ExecutionId::new(NOW, 1)), ..taken_back() }, &[]);
        check(run(State::Cancelled { reason: "Timed out after 60 s".into() }), &[Trouble::Failed]);
        check(stopped(run(State::Cancelled { reason: "a drill".into() })), &[]);
        let step: StepId = "drain".parse().expect("valid");
        check(
            run(State::NeedsReview { step: step.clone(), reason: "unknown".into() }),
            &[Trouble::NeedsReview],
        );
        check(run(State::UndoFailed { step, reason: "404".into() }), &[Trouble::UndoFailed]);
        check(judged(VerdictKind::Ineffective), &[Trouble::Ineffective]);
        check(judged(VerdictKind::Regressed), &[Trouble::Ineffective]);
        check(judged(VerdictKind::Resolved), &[]);
        check(run(State::Succeeded), &[]);
        check(run(State::Paused), &[]);
        let mut given_up = failed();
        given_up.trail.push(TrailEvent::GaveUp { because: "two runs did not help".into() }, NOW);
        check(given_up, &[Trouble::Failed, Trouble::Ineffective]);
    }

    #[test]
    fn its_stored_shape_is_frozen() {
        let execution = failed();
        let told = Notification::escalated(&execution, 1, &approvers(&["user:bo"]), (NOW, NOW));
        let seen = serde_json::to_value(&told[0].occasion).expect("JSON");
        let expected = serde_json::json!({"trouble": {
            "runbook": execution.pinned.runbook(),
            "requestedBy": execution.requested_by,
            "troubles": ["failed"],
            "status": "FAILED",
            "because": "the receiver answered 404",
            "people": ["bo"],
            "at": 1_000_000,
        }});
        assert_eq!(seen, expected);
    }

    fn approvers(names: &[&str]) -> Vec<Approver> {
        names.iter().map(|name| name.parse().expect("valid")).collect()
    }

    #[test]
    fn those_who_are_named_for_the_trouble_hear_of_it_each_once() {
        let escalations = [
            Escalation { on: vec![Trouble::Failed], to: approvers(&["team:ops:admin", "user:bo"]) },
            Escalation { on: vec![Trouble::Ineffective], to: approvers(&["user:gus"]) },
            Escalation {
                on: vec![Trouble::UndoFailed, Trouble::Failed],
                to: approvers(&["user:bo", "user:cy"]),
            },
        ];
        let told = approvers(&["team:ops:admin", "user:bo", "user:cy"]);
        assert_eq!(escalates_to(&failed(), &escalations), told);
        assert_eq!(escalates_to(&judged(VerdictKind::Regressed), &escalations), approvers(&["user:gus"]));
        assert!(escalates_to(&run(State::Succeeded), &escalations).is_empty());
    }

    #[test]
    fn each_team_is_told_by_a_notification_of_its_own_and_each_trouble_has_its_numbers() {
        let check = |own: Option<&str>, to: &[&str], number: u32, expected: &[(u32, Option<&str>)]| {
            let team = own.map(|team| team.parse().expect("valid"));
            let told =
                Notification::escalated(&Execution { team, ..failed() }, number, &approvers(to), (NOW, NOW));
            let seen: Vec<(u32, Option<&str>)> =
                told.iter().map(|one| (one.number, one.team.as_ref().map(TeamId::as_str))).collect();
            assert_eq!(seen, expected, "{own:?} {to:?}");
        };
        check(Some("ops"), &["team:web:admin"], 1, &[(1, Some("web"))]);
        check(Some("ops"), &["team:web:admin", "user:bo"], 1, &[(1, Some("ops")), (2, Some("web"))]);
        check(Some("ops"), &["platform-admin"], 2, &[(17, Some("ops"))]);
        check(None, &["user:bo"], 1, &[(1, None)]);
    }
}
