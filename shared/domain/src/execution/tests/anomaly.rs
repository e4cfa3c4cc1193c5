//! What is unusual stops a run, or is only told; what is in flight ends.

use super::flow::{grouped, id};
use super::*;
use crate::anomaly::{Norm, Usual};
use crate::plan::Join;
use crate::runbook::phased::Anomaly;

const T0: Time = Time::from_millis(1_000_000);
const LATER: Time = Time::from_millis(1_005_000);

/// Two calls side by side, of which the left one takes five seconds instead of none, and one after them.
fn after_the_group(anomaly: Anomaly, usual: Usual) -> (Plan, Execution) {
    let plan = Plan { anomaly, ..grouped(Join::All, 4, &["left", "right"]) };
    let execution = accepted(T0);
    let lease = Lease { holder: "w1".into(), until: T0.plus(LEASE) };
    let next = Next { usual: Some(usual), ..next(&execution, &plan, Ok(()), T0) };
    let claimed = moved(&execution, &plan, Event::Claim { lease, next }, T0).to;
    let ended = |execution: &Execution, step| {
        let event = Event::Attempted { step: id(step), attempt: 1, outcome: answered(200) };
        moved(execution, &plan, event, LATER).to
    };
    let one = ended(&claimed, "left");
    assert!(matches!(one.state, State::Running { .. }), "the other call ends first");
    let both = ended(&one, "right");
    (plan, both)
}

fn usual() -> Usual {
    let norm = Norm { samples: 10, median_ms: 0, most_ms: 1_000 };
    Usual { norms: BTreeMap::from([(id("left"), norm)]), failing: None }
}

#[test]
fn a_step_that_takes_unusually_long_begins_nothing_more() {
    let (_, execution) = after_the_group(Anomaly::Stop, usual());
    let [because] = execution.anomalies().collect::<Vec<_>>().try_into().expect("one");
    assert!(because.starts_with("step left took 5.0 s"), "{because}");
    assert_eq!(execution.state, State::Failed { error: because.to_owned() });
    assert!(!execution.steps.contains_key(&id("last")));
}

#[test]
fn what_is_only_flagged_goes_on() {
    let (plan, execution) = after_the_group(Anomaly::Flag, usual());
    assert_eq!(execution.anomalies().count(), 1);
    let next = next(&execution, &plan, Ok(()), LATER);
    let event = Event::Advance { epoch: execution.epoch, next };
    assert!(moved(&execution, &plan, event, LATER).to.steps.contains_key(&id("last")));
}

#[test]
fn without_a_history_nothing_is_unusual() {
    let (_, execution) = after_the_group(Anomaly::Stop, Usual::default());
    assert_eq!(execution.anomalies().count(), 0);
    assert!(matches!(execution.state, State::Running { .. }));
}

#[test]
fn a_runbook_that_fails_unusually_often_does_not_begin() {
    let plan = Plan { anomaly: Anomaly::Stop, ..grouped(Join::All, 4, &["left", "right"]) };
    let execution = accepted(T0);
    let lease = Lease { holder: "w1".into(), until: T0.plus(LEASE) };
    let usual = Usual { norms: BTreeMap::new(), failing: Some("8 of 8 failed".into()) };
    let next = Next { usual: Some(usual), ..next(&execution, &plan, Ok(()), T0) };
    let refused = moved(&execution, &plan, Event::Claim { lease, next }, T0).to;
    assert_eq!(refused.state, State::Failed { error: "8 of 8 failed".into() });
    assert!(refused.steps.is_empty());
}
