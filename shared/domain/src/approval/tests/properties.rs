//! Promises that hold over every history of answers.

use proptest::prelude::*;

use super::*;

const NAMES: [&str; 10] = ["ann", "ann2", "bob", "fay", "dan", "dan2", "eve", "carol", "root", "wes"];

/// Answers, some to what is no longer asked, withdrawals and an escalation, as a script.
fn act() -> impl Strategy<Value = String> {
    let name = || prop::sample::select(NAMES.to_vec());
    prop_oneof![
        20 => name().prop_map(|name| format!("{name}+")),
        1 => name().prop_map(|name| format!("{name}-")),
        3 => name().prop_map(|name| format!("{name}!{name}")),
        2 => name().prop_map(|name| format!("root!{name}")),
        1 => Just("^".to_owned()),
    ]
}

fn script() -> impl Strategy<Value = String> {
    prop::collection::vec(act(), 0..24).prop_map(|acts| acts.join(" "))
}

/// The person behind a name, told without the code under test.
fn person_of(decision: &Decision) -> String {
    decision.by.as_str().trim_end_matches('2').to_owned()
}

/// Who approved a level by a right that it gives and is not one whose own work it is: read off the names, not off the code under
/// test.
fn approvers_of(ledger: &Ledger, level: usize, rights: &[&str]) -> BTreeSet<String> {
    let decisions = ledger.decisions.iter();
    let approvals = decisions.filter(|decision| {
        decision.level == level
            && decision.verdict == Verdict::Approve
            && decision.withdrawn.is_none()
            && rights.contains(&decision.right.to_string().as_str())
    });
    approvals.map(person_of).filter(|person| !["dan", "eve"].contains(&person.as_str())).collect()
}

fn without(ledger: &Ledger, drop: impl Fn(&Decision) -> bool) -> Ledger {
    let decisions = ledger.decisions.iter().filter(|decision| !drop(decision)).cloned().collect();
    Ledger { decisions, ..ledger.clone() }
}

/// A gate that is passed has two people of the first level and another one of the second, none of whose own work it is.
fn check_decisions(gate: &Gate, history: &str) -> Result<(), TestCaseError> {
    if gate.standing() == Standing::Approved {
        let ledger = gate.ledger.as_ref().expect("an approved gate has a ledger");
        let escalated = if gate.approval.rung > 0 { "team:web:admin" } else { "" };
        let first = approvers_of(ledger, 0, &["team:ops:responder", escalated]);
        let second = approvers_of(ledger, 1, &["user:carol", "platform-admin", escalated]);
        prop_assert!(first.len() >= 2, "{history}: {first:?}");
        prop_assert!(second.difference(&first).next().is_some(), "{history}: {first:?} {second:?}");
    }
    Ok(())
}

/// A decision that no route would have let through, mostly.
fn any_decision() -> impl Strategy<Value = Decision> {
    let name = prop::sample::select(NAMES.to_vec());
    (name, 0_usize..3, prop::bool::weighted(0.98), prop::bool::weighted(0.1)).prop_map(
        |(name, level, approves, withdrawn)| Decision {
            by: user(name),
            level,
            right: right_of(name),
            verdict: if approves { Verdict::Approve } else { Verdict::Reject },
            reason: None,
            form: None,
            at: after(1),
            via: Via::Api,
            vouched_by: None,
            withdrawn: withdrawn.then(|| Withdrawn { by: user("root"), at: after(2), reason: None }),
        },
    )
}

fn right_of(name: &str) -> Approver {
    let right = match name {
        "carol" => "user:carol",
        "root" | "eve" => "platform-admin",
        "wes" => "team:web:admin",
        _ => "team:ops:responder",
    };
    right.parse().expect("valid")
}

proptest! {
    /// The worker reads a ledger whoever wrote it.
    #[test]
    fn inv_c3_no_ledger_passes_a_gate_without_its_decisions(
        decisions in prop::collection::vec(any_decision(), 0..12), subject in prop::bool::weighted(0.9), rung in 0_u32..2,
    ) {
        let mut gate = Gate::of(two_levels());
        gate.approval.rung = rung;
        let question = &gate.approval.question;
        let (execution, step, round) = (question.execution.clone(), question.step.clone(), question.round);
        let seen = if subject { question.subject } else { digest("another") };
        gate.ledger = Some(Ledger { execution, step, round, subject: seen, decisions });
        check_decisions(&gate, &format!("{:?}", gate.ledger))?;
        let nothing_decided = gate.standing() == Standing::Open { level: 0 };
        prop_assert!(subject || nothing_decided);
    }

    #[test]
    fn inv_c3_no_sequence_of_answers_passes_a_gate_without_its_decisions(script in script()) {
        let mut gate = Gate::of(two_levels());
        gate.play(&script);
        check_decisions(&gate, &script)?;
        // What was closed as approved had its decisions then; only a withdrawal makes a difference since.
        if gate.approval.state == ApprovalState::Approved && gate.standing() != Standing::Approved {
            let withdrawn = |ledger: &Ledger| ledger.decisions.iter().any(|decision| decision.withdrawn.is_some());
            prop_assert!(gate.ledger.as_ref().is_some_and(withdrawn), "{script}");
        }
    }

    #[test]
    fn the_order_of_answers_does_not_change_what_stands(
        script in script(), order in prop::collection::vec(any::<u32>(), 64),
    ) {
        let mut gate = Gate::of(two_levels());
        gate.play(&script);
        let before = gate.standing();
        if let Some(ledger) = &mut gate.ledger {
            let mut keyed: Vec<_> = order.into_iter().zip(ledger.decisions.drain(..)).collect();
            keyed.sort_by_key(|(key, _)| *key);
            ledger.decisions = keyed.into_iter().map(|(_, decision)| decision).collect();
        }
        prop_assert_eq!(gate.standing(), before);
    }

    #[test]
    fn what_was_taken_back_never_counts(script in script()) {
        let mut gate = Gate::of(two_levels());
        gate.play(&script);
        let before = gate.standing();
        gate.ledger = gate.ledger.map(|ledger| without(&ledger, |decision| decision.withdrawn.is_some()));
        prop_assert_eq!(gate.standing(), before);
    }

    /// Taking an approval out of a ledger never makes it stand better.
    #[test]
    fn fewer_approvals_never_pass_what_more_did_not(script in script(), dropped in 0_usize..8) {
        let mut gate = Gate::of(two_levels());
        gate.play(&script);
        let before = gate.standing();
        if let Some(ledger) = &mut gate.ledger
            && dropped < ledger.decisions.len()
        {
            ledger.decisions.remove(dropped);
        }
        if gate.standing() == Standing::Approved {
            prop_assert!(matches!(before, Standing::Approved | Standing::Rejected { .. }), "{script}");
        }
    }
}
