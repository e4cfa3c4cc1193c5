//! Which events start which workflows, what the answer says, and the ids of what is started.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::ids::{ExecutionId, IncidentId, TeamId, WorkflowId};
use crate::incident::{Actor, Cause, Incident, IncidentEvent, IncidentEventKind, IncidentFacts, Opening};
use crate::time::Time;
use crate::workflow::matching::{Candidate, MatchDecision, MatchOutcome, evaluate, evaluate_age};
use crate::workflow::start::{age_execution_id, execution_id};
use crate::workflow::{Trigger, condition};

const NOON: Time = Time::from_millis(1_772_366_400_000);

fn workflow(number: u128) -> WorkflowId {
    WorkflowId::new(NOON, number)
}

fn created() -> IncidentEvent {
    let new = serde_json::from_value(json!({
        "title": "Disk full", "priority": "HIGH", "teamId": "ops", "metadata": {
            "service": "db", "count": 1, "ratio": 1.0, "big": 9_007_199_254_740_993_u64, "empty": null,
            "hosts": [{"name": "a"}, {"name": "b"}], "0": "zero", "text": "x".repeat(5_000),
        },
    }))
    .unwrap();
    let opening = Opening { id: IncidentId::new(NOON, 7), created_by: "ann".parse().unwrap(), source: None };
    let cause = Cause::first(Actor::Source { name: "cloudwatch".into() }, "c-1");
    Incident::open(new, opening, &cause, NOON).1
}

fn event(kind: Value) -> IncidentEvent {
    IncidentEvent { kind: serde_json::from_value(kind).unwrap(), ..created() }
}

fn decide(trigger: Value, event: &IncidentEvent) -> MatchDecision {
    let trigger: Trigger = serde_json::from_value(trigger).unwrap();
    let (id, team): (_, TeamId) = (workflow(1), "ops".parse().unwrap());
    evaluate(&Candidate { id: &id, version: 1, enabled: true, team: Some(&team), trigger: &trigger }, event)
}

/// The predicate that said no, as `name: expected, saw seen`; or the outcome.
fn answer(decision: &MatchDecision) -> String {
    let no = decision.reasons.iter().find(|predicate| !predicate.holds);
    assert_eq!(decision.matched(), no.is_none());
    match no {
        None => format!("{:?}", decision.outcome),
        Some(no) => {
            let seen = no.seen.as_ref().map_or("nothing".to_owned(), Value::to_string);
            format!("{}: {}, saw {seen}", no.name, no.expected)
        }
    }
}

fn check(trigger: Value, event: &IncidentEvent, expected: &str) {
    assert_eq!(answer(&decide(trigger.clone(), event)), expected, "{trigger}");
}

#[test]
fn each_kind_of_trigger_waits_for_its_kind_of_event() {
    let events = [
        created(),
        event(json!({"type": "stateChanged", "from": "OPEN", "to": "RESOLVED"})),
        event(json!({"type": "escalated", "level": 1})),
        event(json!({"type": "updated", "fields": ["title"]})),
    ];
    let check_all = |trigger: Value, matched: Option<usize>| {
        for (position, event) in events.iter().enumerate() {
            let decision = decide(trigger.clone(), event);
            assert_eq!(decision.matched(), Some(position) == matched, "{trigger}: {}", event.detail_type());
        }
    };
    check_all(json!({"type": "incident_created"}), Some(0));
    check_all(json!({"type": "state_changed", "stateTransition": {"to": "RESOLVED"}}), Some(1));
    check_all(json!({"type": "escalation"}), Some(2));
    check_all(json!({"type": "manual"}), None);
    check_all(json!({"type": "age", "ageThresholdMinutes": 1}), None);
    check(json!({"type": "escalation"}), &events[0], r#"kind: "escalation", saw "incident_created""#);
    check(json!({"type": "escalation"}), &events[3], r#"kind: "escalation", saw "Incident Updated""#);
}

#[test]
fn a_transition_asks_where_to_and_where_from() {
    let resolved = event(json!({"type": "stateChanged", "from": "ACKNOWLEDGED", "to": "RESOLVED"}));
    let with = |transition: Value, expected: &str| {
        check(json!({"type": "state_changed", "stateTransition": transition}), &resolved, expected);
    };
    let seen = r#"saw {"from":"ACKNOWLEDGED","to":"RESOLVED"}"#;
    with(json!({"to": "RESOLVED"}), "Matched");
    with(json!({"to": "RESOLVED", "from": "ACKNOWLEDGED"}), "Matched");
    with(json!({"to": "CLOSED"}), &format!(r#"transition: {{"to":"CLOSED"}}, {seen}"#));
    with(
        json!({"to": "RESOLVED", "from": "OPEN"}),
        &format!(r#"transition: {{"from":"OPEN","to":"RESOLVED"}}, {seen}"#),
    );
}

#[test]
fn a_condition_compares_json_at_a_path_and_a_missing_field_never_matches() {
    let with = |field: &str, value: Value, expected: &str| {
        let condition = json!({"field": field, "value": value});
        check(json!({"type": "incident_created", "conditions": [condition]}), &created(), expected);
    };
    for (field, value) in [
        ("priority", json!("HIGH")),
        ("status", json!("OPEN")),
        ("teamId", json!("ops")),
        ("title", json!("Disk full")),
        ("escalation", json!(0)),
        ("escalation", json!(0.0)),
        ("createdAt", json!("2026-03-01T12:00:00.000Z")),
        ("metadata.service", json!("db")),
        ("metadata.count", json!(1.0)),
        ("metadata.ratio", json!(1)),
        ("metadata.big", json!(9_007_199_254_740_993_u64)),
        ("metadata.empty", json!(null)),
        ("metadata.hosts.1.name", json!("b")),
        ("metadata.hosts", json!([{"name": "a"}, {"name": "b"}])),
        ("metadata.0", json!("zero")),
    ] {
        with(field, value, "Matched");
    }
    with("priority", json!("high"), r#"incident.priority: "high", saw "HIGH""#);
    with("metadata.count", json!("1"), r#"incident.metadata.count: "1", saw 1"#);
    with("metadata.count", json!(true), "incident.metadata.count: true, saw 1");
    with(
        "metadata.big",
        json!(9_007_199_254_740_992_u64),
        "incident.metadata.big: 9007199254740992, saw 9007199254740993",
    );
    with("metadata.empty", json!(0), "incident.metadata.empty: 0, saw null");
    for missing in [
        "assignee",
        "metadata.nothing",
        "metadata.hosts.2",
        "metadata.hosts.-1",
        "metadata.service.x",
        "title.0",
    ] {
        with(missing, json!(null), &format!("incident.{missing}: null, saw nothing"));
    }
}

#[test]
fn every_name_a_condition_may_begin_with_leads_somewhere() {
    let facts = IncidentFacts { assignee: Some("bob".parse().unwrap()), ..created().snapshot };
    let json = serde_json::to_value(&facts).unwrap();
    for name in IncidentFacts::NAMES {
        assert_eq!(facts.find(name).as_deref(), json.get(name), "{name}");
    }
    assert_eq!(json.as_object().unwrap().len(), IncidentFacts::NAMES.len());
    assert_eq!(facts.find("nothing"), None);
}

#[test]
fn all_conditions_are_asked_and_what_was_seen_is_cut() {
    let decision = decide(
        json!({"type": "incident_created", "conditions": [
            {"field": "metadata.text", "value": "y"}, {"field": "priority", "value": "HIGH"},
            {"field": "metadata", "value": {}},
        ]}),
        &created(),
    );
    let holds: Vec<(&str, bool)> = decision.reasons.iter().map(|p| (p.name.as_ref(), p.holds)).collect();
    let asked = [
        ("enabled", true),
        ("team", true),
        ("kind", true),
        ("incident.metadata.text", false),
        ("incident.priority", true),
        ("incident.metadata", false),
    ];
    assert_eq!(holds, asked);
    let record = serde_json::to_string(&decision).unwrap();
    assert!(record.len() < 2_000, "{} bytes", record.len());
    assert_eq!(serde_json::from_str::<MatchDecision>(&record).unwrap(), decision);
}

#[test]
fn a_team_sees_its_own_incidents_and_a_global_workflow_all() {
    let trigger: Trigger = serde_json::from_value(json!({"type": "incident_created"})).unwrap();
    let (id, mut event) = (workflow(1), created());
    let (ops, web): (TeamId, TeamId) = ("ops".parse().unwrap(), "web".parse().unwrap());
    let asked = |team: Option<&TeamId>, enabled: bool, event: &IncidentEvent| {
        answer(&evaluate(&Candidate { id: &id, version: 1, enabled, team, trigger: &trigger }, event))
    };
    assert_eq!(asked(Some(&ops), true, &event), "Matched");
    assert_eq!(asked(None, true, &event), "Matched");
    assert_eq!(asked(Some(&web), true, &event), r#"team: "web", saw "ops""#);
    assert_eq!(asked(Some(&web), false, &event), "enabled: true, saw false");
    event.snapshot.team_id = None;
    assert_eq!(asked(None, true, &event), "Matched");
    assert_eq!(asked(Some(&ops), true, &event), r#"team: "ops", saw nothing"#);
}

#[test]
fn the_loop_guard_refuses_a_workflow_in_the_chain_and_a_chain_of_three() {
    let with = |chain: &[u128], expected: &str| {
        let chain = chain.iter().map(|number| workflow(*number)).collect();
        let event = IncidentEvent { chain, ..created() };
        let decision = decide(json!({"type": "incident_created"}), &event);
        assert_eq!(answer(&decision), expected);
        decision.outcome
    };
    assert_eq!(with(&[2, 3], "Matched"), MatchOutcome::Matched);
    let already = r#"chain: "not in the chain", saw "already in the chain""#;
    assert_eq!(with(&[1], already), MatchOutcome::RefusedByLoopGuard);
    assert_eq!(with(&[2, 3, 1], already), MatchOutcome::RefusedByLoopGuard);
    let deep = r#"depth: "a chain shorter than 3", saw 3"#;
    assert_eq!(with(&[2, 3, 4], deep), MatchOutcome::RefusedByLoopGuard);
    // What would not have matched anyway is not called a loop.
    let looping = IncidentEvent { chain: vec![workflow(1)], ..created() };
    assert_eq!(decide(json!({"type": "escalation"}), &looping).outcome, MatchOutcome::NotMatched);
}

#[test]
fn two_workflows_that_set_each_other_off_each_run_once() {
    let mut event = created();
    let mut started = Vec::new();
    for number in [1, 2, 1, 2] {
        let (id, trigger) =
            (workflow(number), serde_json::from_value(json!({"type": "incident_created"})).unwrap());
        let candidate = Candidate { id: &id, version: 1, enabled: true, team: None, trigger: &trigger };
        if evaluate(&candidate, &event).matched() {
            started.push(number);
            let cause = event.consequence(id.clone(), execution_id(&id, &event));
            event = IncidentEvent { seq: event.seq + 1, chain: cause.chain, ..event };
        }
    }
    assert_eq!(started, [1, 2]);
}

#[test]
fn an_age_trigger_asks_for_an_open_incident_that_is_old_enough() {
    let trigger: Trigger = serde_json::from_value(json!({
        "type": "age", "ageThresholdMinutes": 30, "conditions": [{"field": "priority", "value": "HIGH"}],
    }))
    .unwrap();
    let id = workflow(1);
    let candidate = Candidate { id: &id, version: 1, enabled: true, team: None, trigger: &trigger };
    let asked = |facts: &IncidentFacts, seconds: u64| {
        answer(&evaluate_age(&candidate, facts, NOON.plus(Duration::from_secs(seconds))))
    };
    let facts = created().snapshot;
    assert_eq!(asked(&facts, 30 * 60), "Matched");
    assert_eq!(asked(&facts, 30 * 60 - 1), r#"age: "30 minutes or more", saw 29"#);
    let facts = |change: Value| {
        let mut json = serde_json::to_value(created().snapshot).unwrap();
        json.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        serde_json::from_value::<IncidentFacts>(json).unwrap()
    };
    assert_eq!(asked(&facts(json!({"status": "ACKNOWLEDGED"})), 9_000), "Matched");
    assert_eq!(
        asked(&facts(json!({"status": "RESOLVED"})), 9_000),
        r#"open: "OPEN or ACKNOWLEDGED", saw "RESOLVED""#
    );
    assert_eq!(asked(&facts(json!({"priority": "LOW"})), 9_000), r#"incident.priority: "HIGH", saw "LOW""#);
    let other: Trigger = serde_json::from_value(json!({"type": "escalation"})).unwrap();
    let candidate = Candidate { trigger: &other, ..candidate };
    assert_eq!(
        answer(&evaluate_age(&candidate, &created().snapshot, NOON)),
        r#"kind: "age", saw "escalation""#
    );
}

#[test]
fn inv_b6_one_event_gives_one_execution_id_per_workflow() {
    let event = created();
    let id = execution_id(&workflow(1), &event);
    assert_eq!(
        id.as_str(),
        "ex_01KJMMA2G0XMBY9HGD1H2GF2VV",
        "frozen: a new form would start replayed events again"
    );
    // Delivered again, and read from the bus: the same.
    let bytes = event.envelope().to_string();
    let delivered = IncidentEvent::try_from(bytes.as_bytes()).unwrap();
    assert_eq!(execution_id(&workflow(1), &delivered), id);
    // What is not the event's identity has no part in it.
    let other = IncidentEvent {
        kind: IncidentEventKind::Escalated { level: 1 },
        correlation_id: "c-2".into(),
        ..event.clone()
    };
    assert_eq!(execution_id(&workflow(1), &other), id);
    let age = |workflow: &WorkflowId, incident: u128, minutes: u64| {
        age_execution_id(workflow, &IncidentId::new(NOON, incident), NOON, Duration::from_secs(minutes * 60))
    };
    assert_eq!(age(&workflow(1), 7, 30), age(&workflow(1), 7, 30));
    let distinct: BTreeSet<ExecutionId> = [
        id,
        execution_id(&workflow(2), &event),
        execution_id(&workflow(1), &IncidentEvent { seq: 2, ..event.clone() }),
        execution_id(&workflow(1), &IncidentEvent { incident: IncidentId::new(NOON, 8), ..event }),
        age(&workflow(1), 7, 30),
        age(&workflow(1), 7, 31),
        age(&workflow(1), 8, 30),
        age(&workflow(2), 7, 30),
    ]
    .into();
    assert_eq!(distinct.len(), 8);
}

#[test]
fn json_values_are_the_same_in_every_form_of_their_numbers() {
    let check = |left: Value, right: Value, expected: bool| {
        assert_eq!(condition::same(&left, &right), expected, "{left} {right}");
        assert_eq!(condition::same(&right, &left), expected, "{right} {left}");
    };
    check(json!({"a": [1, {"b": 2.0}]}), json!({"a": [1.0, {"b": 2}]}), true);
    check(json!({"a": 1}), json!({"a": 1, "b": null}), false);
    check(json!({"a": 1}), json!({"b": 1}), false);
    check(json!([1, 2]), json!([2, 1]), false);
    check(json!([1]), json!([1, 1]), false);
    check(json!(-1), json!(-1.0), true);
    check(json!(u64::MAX), json!(-1), false);
    check(json!(null), json!(false), false);
    assert!(!condition::holds(None, &Value::Null));
    let context = json!({"steps": {"a": {"body": [{"id": 5}]}}});
    assert!(condition::holds(condition::find(&context, "steps.a.body.0.id"), &json!(5.0)));
    assert_eq!(condition::find(&context, "steps.a.body.one"), None);
}
