//! Workflows on the execution's machine: order, branches, delays, other executions, and the time of the whole.

use super::*;
use crate::execution::{ChildEnd, ParentWorkflow};

const T0: Time = Time::from_millis(1_000_000);

fn after(seconds: u64) -> Time {
    T0.plus(Duration::from_secs(seconds))
}

/// A plan of these nodes behind a trigger called `start`.
fn workflow(nodes: Value, edges: &[(&str, &str, Option<&str>)]) -> Plan {
    let mut all = vec![json!({"type": "trigger", "id": "start"})];
    all.extend(nodes.as_array().cloned().unwrap_or_default());
    let edges = edges.iter().map(|(from, to, when)| match when {
        Some(when) => json!({"from": from, "to": to, "when": when}),
        None => json!({"from": from, "to": to}),
    });
    let definition = json!({
        "name": "w", "trigger": {"type": "manual"}, "settings": {"timeout": "1min"},
        "definition": {"nodes": all, "edges": edges.collect::<Vec<_>>()},
    });
    Plan::of_workflow(&serde_json::from_value(definition).expect("parses")).expect("compiles")
}

fn call(id: &str) -> Value {
    json!({"type": "action", "id": id, "action": {"type": "webhook", "url": "https://ops.example/x"}})
}

fn runbook(id: &str, wait: bool) -> Value {
    let runbook = RunbookId::new(T0, 7);
    json!({"type": "action", "id": id, "action": {"type": "runbook", "runbookId": runbook, "wait": wait}})
}

fn started(at: Time) -> Execution {
    let pinned = PinnedWorkflow {
        id: WorkflowId::new(at, 2),
        name: "w".into(),
        version: 1,
        digest: Digest::of_bytes(b""),
    };
    Execution { pinned: Pinned::Workflow(pinned), ..accepted(at) }
}

/// Takes what comes, one transition after the other, answering every call with 200, until nothing more moves.
fn run(mut execution: Execution, plan: &Plan, now: Time) -> Execution {
    let mut event = claim(&execution, plan, now);
    for _ in 0..100 {
        let Decision::Moved(moved) = decide(&execution, plan, event, now) else { return execution };
        execution = moved.to;
        let send = moved.effects.into_iter().find_map(|effect| match effect {
            Effect::Send { step, attempt } => Some((step, attempt)),
            Effect::Nudge { .. }
            | Effect::Wake { .. }
            | Effect::Ask { .. }
            | Effect::Notify { .. }
            | Effect::Escalate { .. }
            | Effect::Audit { .. } => None,
        });
        event = match send {
            Some((step, attempt)) => Event::Attempted { step, attempt, outcome: answered(200) },
            None => Event::Advance { epoch: execution.epoch, next: next(&execution, plan, Ok(()), now) },
        };
        if !matches!(execution.state, State::Running { .. }) {
            return execution;
        }
    }
    panic!("it never comes to rest");
}

/// Steps in the order in which they came up, with the last word about each.
fn story(execution: &Execution) -> String {
    let steps = execution.steps.iter().map(|(id, run)| match &run.state {
        StepState::Succeeded => id.to_string(),
        StepState::Skipped { because } => format!("-{id}({})", word(because)),
        StepState::Sending
        | StepState::Waiting { .. }
        | StepState::Delayed { .. }
        | StepState::AwaitsChild { .. }
        | StepState::AwaitsApproval { .. }
        | StepState::Void
        | StepState::AwaitsCallback { .. }
        | StepState::Armed
        | StepState::Failed { .. }
        | StepState::NeedsReview { .. } => format!("?{id}"),
    });
    steps.collect::<Vec<_>>().join(" ")
}

fn branching() -> Plan {
    let nodes = json!([
        {"type": "condition", "id": "is-web", "field": "params.service", "equals": "web"},
        {"type": "condition", "id": "is-db", "field": "params.missing", "equals": null},
        call("a"), call("b"), call("c"), call("d"), call("z"),
    ]);
    workflow(
        nodes,
        &[
            ("start", "is-web", None),
            ("is-web", "a", Some("true")),
            ("is-web", "is-db", Some("false")),
            ("is-db", "b", Some("true")),
            ("is-db", "c", Some("false")),
            ("c", "d", None),
            ("a", "z", None),
            ("d", "z", None),
        ],
    )
}

#[test]
fn a_branch_is_taken_and_the_other_is_skipped_with_its_cause() {
    let ended = run(started(T0), &branching(), T0);
    assert_eq!(ended.status(), ExecutionStatus::Success);
    assert_eq!(story(&ended), "a -b(nothing) -c(nothing) -d(nothing) -is-db(is-web) is-web z");
    let mut other = started(T0);
    other.parameters = json!({"service": "db"}).as_object().cloned().unwrap_or_default();
    let ended = run(other, &branching(), T0);
    assert_eq!(story(&ended), "-a(is-web) -b(is-db) c d is-db is-web z");
    assert!(ended.trail.is_intact(ended.id.as_str()));
}

#[test]
fn a_step_that_fails_stops_the_workflow() {
    let plan = workflow(json!([call("a"), call("b")]), &[("start", "a", None), ("a", "b", None)]);
    let running = moved(&started(T0), &plan, claim(&started(T0), &plan, T0), T0).to;
    let step = "a".parse().expect("valid");
    let event = Event::Attempted { step, attempt: 1, outcome: answered(404) };
    let ended = moved(&running, &plan, event, T0).to;
    assert_eq!(ended.status(), ExecutionStatus::Failed);
    assert_eq!(ended.steps.len(), 1);
}

#[test]
fn every_step_is_stored_before_the_next_begins() {
    let plan = branching();
    let first = moved(&started(T0), &plan, claim(&started(T0), &plan, T0), T0);
    assert_eq!(story(&first.to), "-b(nothing) -c(nothing) -d(nothing) -is-db(is-web) is-web");
    assert!(first.effects.is_empty(), "{:?}", first.effects);
}

#[test]
fn inv_g4_a_delay_is_a_due_time_and_ends_once() {
    let nodes = json!([{"type": "delay", "id": "pause", "seconds": 30}, call("a")]);
    let plan = workflow(nodes, &[("start", "pause", None), ("pause", "a", None)]);
    let waiting = run(started(T0), &plan, T0);
    assert_eq!(waiting.state, State::Waiting { until: after(30), on: WaitingOn::Delay });
    assert_eq!(waiting.due_at, Some(after(31)));
    let early = decide(&waiting, &plan, claim(&waiting, &plan, after(29)), after(29));
    assert_eq!(early, Decision::Refused(Refusal::NotDue(after(30))));
    let ended = run(waiting, &plan, after(30));
    assert_eq!((ended.status(), story(&ended)), (ExecutionStatus::Success, "a pause".into()));
}

#[test]
fn the_time_of_the_whole_is_checked_before_each_step_and_bounds_every_wait() {
    let nodes = json!([{"type": "delay", "id": "pause", "seconds": 50}, call("a"), {"type": "delay", "id": "rest", "seconds": 1}]);
    let plan = workflow(nodes, &[("start", "pause", None), ("pause", "a", None), ("a", "rest", None)]);
    let waiting = run(started(T0), &plan, T0);
    let ended = run(waiting.clone(), &plan, after(60));
    assert_eq!(ended.state, State::Cancelled { reason: "Timed out after 60 s".into() });
    assert_eq!(story(&ended), "?pause");
    let late = run(waiting, &plan, after(59));
    assert_eq!(late.state, State::Waiting { until: after(60), on: WaitingOn::Delay });
}

/// What a worker brings for the step `go`.
fn bring(execution: &Execution, child: Execution, ended: Vec<ChildEnd>) -> Event {
    let prepared = BTreeMap::from([("go".parse().expect("valid"), Prepared::Child(Ok(Box::new(child))))]);
    let lease = Lease { holder: "w".into(), until: after(3_600) };
    let next = Next { prepared, ended, ..Next::nothing() };
    if matches!(execution.state, State::Running { .. }) {
        Event::Advance { epoch: execution.epoch, next }
    } else {
        Event::Claim { lease, next }
    }
}

fn child(waits: bool) -> Execution {
    let parent = Parent {
        execution: started(T0).id,
        step: "go".parse().expect("valid"),
        workflow: Some(ParentWorkflow { id: WorkflowId::new(T0, 2), name: "w".into() }),
        runbooks: Vec::new(),
        waits,
    };
    Execution { id: ExecutionId::new(T0, 9), parent: Some(parent), ..accepted(T0) }
}

#[test]
fn a_runbook_starts_in_the_same_commit_and_by_default_nobody_waits_for_it() {
    let plan = workflow(json!([runbook("go", false)]), &[("start", "go", None)]);
    let moved = moved(&started(T0), &plan, bring(&started(T0), child(false), Vec::new()), T0);
    assert_eq!(moved.children, [child(false)]);
    assert!(moved.effects.contains(&Effect::Wake { execution: child(false).id }));
    assert_eq!(moved.to.status(), ExecutionStatus::Success);
}

#[test]
fn a_workflow_that_waits_for_a_runbook_ends_as_it_does() {
    let plan = workflow(json!([runbook("go", true)]), &[("start", "go", None)]);
    let waiting = moved(&started(T0), &plan, bring(&started(T0), child(true), Vec::new()), T0).to;
    assert_eq!(waiting.state, State::Waiting { until: after(60), on: WaitingOn::Child });
    assert_eq!(waiting.due_at, Some(after(30)));
    let idle = decide(&waiting, &plan, bring(&waiting, child(true), Vec::new()), after(5));
    assert_eq!(idle, Decision::Refused(Refusal::AwaitsChild));
    for (status, expected) in [
        (ExecutionStatus::Success, ExecutionStatus::Success),
        (ExecutionStatus::Failed, ExecutionStatus::Failed),
        (ExecutionStatus::Cancelled, ExecutionStatus::Failed),
    ] {
        let end = ChildEnd { step: "go".parse().expect("valid"), status, error: None };
        let ended = moved(&waiting, &plan, bring(&waiting, child(true), vec![end]), after(5)).to;
        assert_eq!(ended.status(), expected);
    }
}

#[test]
fn the_end_of_an_awaited_execution_wakes_the_one_that_waits() {
    for waits in [true, false] {
        let child = child(waits);
        let running = moved(&child, &plan(true), claim(&child, &plan(true), T0), T0).to;
        let ended = moved(&running, &plan(true), attempted(&running, answered(200)), T0);
        let parent = started(T0).id;
        assert_eq!(ended.effects.contains(&Effect::Wake { execution: parent }), waits);
    }
}
