//! What an execution does that has to wait for its turn, or may not begin at all.

use super::*;
use crate::execution::Refusal;
use crate::execution::decide::Hold;
use crate::limits::Admission;

const T0: Time = Time::from_millis(1_000_000);

fn after(seconds: u64) -> Time {
    T0.plus(Duration::from_secs(seconds))
}

/// A claim of a worker whom the limits told this, and what the execution keeps of it.
fn held(execution: &Execution, plan: &Plan, now: Time, hold: Hold) -> Event {
    let admission = Some(Admission { target: Some("checkout".into()), ..Admission::default() });
    let lease = Lease { holder: "w1".into(), until: now.plus(LEASE) };
    let next = Next { hold: Some(hold), admission, ..next(execution, plan, Ok(()), now) };
    Event::Claim { lease, next }
}

fn in_line(plan: &Plan) -> Execution {
    let pending = accepted(T0);
    moved(&pending, plan, held(&pending, plan, T0, Hold::Until(after(15))), T0).to
}

#[test]
fn whoever_is_not_next_waits_on_a_lease_and_sends_nothing() {
    let plan = plan(true);
    let waits = in_line(&plan);
    assert_eq!(waits.state, State::Waiting { until: after(15), on: WaitingOn::Lease });
    assert_eq!((waits.steps.len(), waits.admission.target.as_deref()), (0, Some("checkout")));
}

#[test]
fn whoever_looks_again_in_vain_changes_neither_epoch_nor_trail() {
    let plan = plan(true);
    let waits = in_line(&plan);
    let again = moved(&waits, &plan, held(&waits, &plan, after(15), Hold::Until(after(30))), after(15));
    assert_eq!(again.to.state, State::Waiting { until: after(30), on: WaitingOn::Lease });
    assert_eq!((again.to.epoch, &again.to.trail), (waits.epoch, &waits.trail));
    assert_eq!(again.effects, [Effect::Nudge { at: after(30) }]);
    assert_eq!(again.to.due_at, Some(after(31)));
}

#[test]
fn a_turn_may_come_before_the_next_look() {
    let plan = plan(true);
    let waits = in_line(&plan);
    let early = held(&waits, &plan, after(3), Hold::Until(after(18)));
    assert_eq!(decide(&waits, &plan, early, after(3)), Decision::Refused(Refusal::AwaitsTurn));
    let turn = moved(&waits, &plan, claim(&waits, &plan, after(3)), after(3));
    assert!(turn.effects.iter().any(|effect| matches!(effect, Effect::Send { .. })));
}

#[test]
fn what_a_limit_forbids_fails_without_a_call() {
    let (plan, pending) = (plan(true), accepted(T0));
    for execution in [pending.clone(), in_line(&plan)] {
        let refused = held(&execution, &plan, after(20), Hold::Refused("too often".into()));
        let ended = moved(&execution, &plan, refused, after(20)).to;
        assert_eq!(ended.state, State::Failed { error: "too often".into() });
        assert!(ended.steps.is_empty());
    }
}

#[test]
fn whoever_stops_or_pauses_an_execution_in_line_is_heard() {
    let plan = plan(true);
    let waits = in_line(&plan);
    let stop = Event::Stop { by: user("bob"), mode: StopMode::Kill, reason: "not needed".into() };
    let ended = moved(&waits, &plan, stop, after(1)).to;
    assert_eq!(ended.state, State::Cancelled { reason: "not needed".into() });
    let pause = Event::Pause { by: user("bob"), reason: "wait".into() };
    assert_eq!(moved(&waits, &plan, pause, after(1)).to.state, State::Paused);
}
