//! A decision that is void lets nothing go on, not even what had begun under it.

use super::*;
use crate::execution::decide::{Ask, GateEnd, GateVerdict};
use crate::plan::{Gate, Group, Join, OnFailure, Unit};

const T0: Time = Time::from_millis(1_000_000);

fn id(name: &str) -> StepId {
    name.parse().expect("valid")
}

/// A gate that binds two steps beside each other, of which one is in flight at a time.
fn gated() -> Plan {
    let covers = vec![id("left"), id("right")];
    let gate = Step::new(id("gate"), StepKind::Approval(Gate { spec: None, covers: covers.clone() }));
    let call = |name: &str| Step {
        after: Some(Unit::Step(id("gate"))),
        group: Some(0),
        gates: vec![id("gate")],
        ..Step::new(id(name), plan(true).steps.remove(0).kind)
    };
    let (join, on_failure) = (Join::All, OnFailure::Stop);
    let group = Group { id: id("both"), limit: 2, join, on_failure, steps: covers };
    Plan { groups: vec![group], ..Plan::of_steps(vec![gate, call("left"), call("right")]) }
}

/// What a worker brings: requests for a service, the question about them, and that it was approved.
fn bring(execution: &Execution, plan: &Plan, service: &str, now: Time) -> Next {
    let mut other = execution.clone();
    other.parameters = json!({"service": service}).as_object().cloned().unwrap_or_default();
    let request = |step: &StepId| {
        let mut context = context(&other, None, &BTreeMap::new());
        let StepKind::Webhook(call) = &plan.step(step).expect("planned").kind else { panic!("a call") };
        name_step(&mut context, &other, plan.step(step).expect("planned"));
        render(call, &context).expect("renders")
    };
    let prepare = |step: &Step| match &step.kind {
        StepKind::Approval(gate) => Prepared::Ask(Box::new(Ask {
            subject: Digest::of_bytes(service.as_bytes()),
            bindings: gate.covers.iter().map(|step| (step.clone(), request(step).digest())).collect(),
            expires_in: Duration::from_secs(3_600),
        })),
        StepKind::Webhook(_)
        | StepKind::Condition { .. }
        | StepKind::Delay(_)
        | StepKind::Runbook(_)
        | StepKind::Check(_)
        | StepKind::Branch(_) => Prepared::Request(Ok(request(&step.id))),
    };
    let ready = ready_steps(execution, plan, now).into_iter();
    let gate = GateEnd { step: id("gate"), round: 1, verdict: GateVerdict::Approved };
    let prepared = ready.map(|step| (step.id.clone(), prepare(step))).collect();
    Next { prepared, gates: vec![gate], ..Next::nothing() }
}

fn goes_on(execution: &Execution, plan: &Plan, service: &str, now: Time) -> Moved {
    let next = bring(execution, plan, service, now);
    let event = if matches!(execution.state, State::Running { .. }) {
        Event::Advance { epoch: execution.epoch, next }
    } else {
        Event::Claim { lease: Lease { holder: "w1".into(), until: now.plus(LEASE) }, next }
    };
    moved(execution, plan, event, now)
}

#[test]
fn inv_c4_a_void_decision_holds_back_a_step_that_waits_for_another_attempt() {
    let plan = gated();
    let asked = goes_on(&accepted(T0), &plan, "web", T0).to;
    let approved = goes_on(&asked, &plan, "web", T0).to;
    let left = goes_on(&approved, &plan, "web", T0).to;
    assert_eq!(left.steps[&id("left")].state, StepState::Sending);
    let busy = Event::Attempted { step: id("left"), attempt: 1, outcome: answered(503) };
    let waits = moved(&left, &plan, busy, T0).to;
    let void = goes_on(&waits, &plan, "db", T0).to;
    assert_eq!(void.steps[&id("gate")].state, StepState::Void);
    let later = T0.plus(Duration::from_secs(5));
    let again = goes_on(&void, &plan, "web", later);
    assert_eq!(again.effects, [Effect::Ask { step: id("gate"), round: 2 }]);
    assert_eq!(again.to.steps[&id("left")].attempts.len(), 1);
    let until = later.plus(Duration::from_secs(3_600));
    assert_eq!(again.to.state, State::Waiting { until, on: WaitingOn::Approval });
}
