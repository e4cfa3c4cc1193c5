//! Promises that hold over every history of events, in any order, late or repeated.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// One thing that may happen next.
#[derive(Debug, Clone)]
enum Act {
    Claim { cleared: bool },
    Advance,
    Attempted { back: usize, outcome: Outcome },
    Yield,
    Overdue,
    Orphaned,
    Cancel,
    Resolve(Resolution),
    Abandon,
    Wait(u64),
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        3 => prop::sample::select(vec![200, 301, 404, 408, 429, 500, 503]).prop_map(answered),
        1 => Just(unknown()),
        1 => Just(Outcome::Unsent { reason: "refused".into() }),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => prop::bool::weighted(0.9).prop_map(|cleared| Act::Claim { cleared }),
        1 => Just(Act::Advance),
        6 => (0_usize..3, outcome()).prop_map(|(back, outcome)| Act::Attempted { back, outcome }),
        1 => Just(Act::Yield),
        2 => Just(Act::Overdue),
        1 => Just(Act::Orphaned),
        1 => Just(Act::Cancel),
        2 => prop::bool::ANY.prop_map(|sent| Act::Resolve(if sent { Resolution::Happened } else { Resolution::Resend })),
        1 => Just(Act::Abandon),
        5 => (0_u64..100).prop_map(Act::Wait),
    ]
}

fn event(act: &Act, execution: &Execution, plan: &Plan, now: Time) -> Option<Event> {
    let by = || user("bob");
    Some(match act {
        Act::Claim { cleared } => {
            let clearance = if *cleared { Ok(()) } else { Err("stopped".to_owned()) };
            let lease = Lease { holder: "w".into(), until: now.plus(LEASE) };
            Event::Claim { lease, next: next(execution, plan, clearance, now) }
        }
        Act::Advance => Event::Advance { epoch: execution.epoch, next: next(execution, plan, Ok(()), now) },
        Act::Attempted { back, outcome } => {
            let attempt = execution.steps.get(&step())?.attempts.len().checked_sub(*back)?;
            Event::Attempted { step: step(), attempt, outcome: outcome.clone() }
        }
        Act::Yield => Event::Yield { epoch: execution.epoch },
        Act::Overdue => Event::Overdue { grace: Duration::from_secs(1) },
        Act::Orphaned => Event::Orphaned,
        Act::Cancel => Event::Stop { by: by(), mode: StopMode::Kill, reason: "r".into() },
        Act::Resolve(resolution) => Event::Resolve { by: by(), resolution: *resolution, reason: "r".into() },
        Act::Abandon => Event::Abandon { reason: "r".into() },
        Act::Wait(_) => return None,
    })
}

/// Attempts whose outcome is unknown and about which no person has decided.
fn unresolved(execution: &Execution) -> usize {
    let attempts = execution.steps.values().flat_map(|run| &run.attempts);
    attempts
        .filter(|attempt| {
            matches!(attempt.outcome, Some(Outcome::Unknown { .. })) && attempt.resolution.is_none()
        })
        .count()
}

fn check_move(before: &Execution, moved: &Moved, plan: &Plan, sent: &mut BTreeSet<String>) {
    let after = &moved.to;
    assert!(after.trail.is_intact(after.id.as_str()), "inv_f2");
    assert_eq!(after.due_at.is_none(), after.status().is_terminal(), "inv_a1: what has not ended is owed");
    assert_eq!(after.ended_at.is_some(), after.status().is_terminal());
    if before.status().is_terminal() {
        assert_eq!(before.state, after.state, "inv_b7");
        assert_eq!(before.epoch, after.epoch, "inv_b7");
    }
    for effect in &moved.effects {
        let Effect::Send { step, attempt } = effect else { continue };
        let id = after.attempt_id(step, *attempt);
        assert!(sent.insert(id), "inv_b1: {step}.{attempt} is sent once");
        let run = &after.steps[step];
        let intent = &run.attempts[*attempt - 1];
        assert_eq!(
            (intent.epoch, &intent.outcome),
            (after.epoch, &None),
            "inv_b2: the intent precedes the send"
        );
        assert!(run.attempts.len() <= run.budget as usize);
        assert!(before.stop.is_none(), "inv_g3: no intent after a stop");
        assert!(plan.steps[0].idempotent || unresolved(before) + lapsed(before) == 0, "inv_b3");
        if let Some(earlier) = before.steps.get(step) {
            assert_eq!(earlier.request, run.request, "inv_b4: every attempt sends the same bytes");
        }
    }
}

/// Calls in flight, whose outcome a take-over makes unknown.
fn lapsed(execution: &Execution) -> usize {
    execution.steps.values().filter(|run| run.in_flight()).count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn inv_b1_b2_b3_b4_b7_hold_over_every_history(idempotent: bool, acts in prop::collection::vec(act(), 1..60)) {
        let plan = plan(idempotent);
        let mut now = Time::from_millis(1_000_000);
        let mut execution = accepted(now);
        let mut sent = BTreeSet::new();
        for act in acts {
            if let Act::Wait(seconds) = act {
                now = now.plus(Duration::from_secs(seconds));
            }
            let Some(event) = event(&act, &execution, &plan, now) else { continue };
            if let Decision::Moved(moved) = decide(&execution, &plan, event.clone(), now) {
                check_move(&execution, &moved, &plan, &mut sent);
                execution = moved.to;
                // The same event delivered again sends nothing again.
                if let Decision::Moved(again) = decide(&execution, &plan, event, now) {
                    check_move(&execution, &again, &plan, &mut sent);
                    let sends = again.effects.iter().any(|effect| matches!(effect, Effect::Send { .. }));
                    prop_assert!(!sends, "a repeated event sends nothing");
                }
            }
        }
    }

    #[test]
    fn inv_a1_every_history_can_still_be_brought_to_an_end(idempotent: bool, acts in prop::collection::vec(act(), 1..40)) {
        let plan = plan(idempotent);
        let mut now = Time::from_millis(1_000_000);
        let mut execution = accepted(now);
        for act in acts {
            if let Some(event) = event(&act, &execution, &plan, now)
                && let Decision::Moved(moved) = decide(&execution, &plan, event, now)
            {
                execution = moved.to;
            }
        }
        for _ in 0..40 {
            now = now.plus(Duration::from_secs(120));
            let events = [
                claim(&execution, &plan, now),
                attempted(&execution, answered(200)),
                Event::Resolve { by: user("bob"), resolution: Resolution::Happened, reason: "r".into() },
            ];
            for event in events {
                if let Decision::Moved(moved) = decide(&execution, &plan, event, now) {
                    execution = moved.to;
                }
            }
        }
        prop_assert!(execution.status().is_terminal(), "{:?}", execution.state);
    }
}
