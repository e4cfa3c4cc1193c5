//! Incidents through their public functions: what changes make of them, and what the bus carries.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::ids::{ExecutionId, WorkflowId};

pub(super) const NOW: Time = Time::from_millis(1_772_366_400_000);

pub(super) fn ann() -> Actor {
    Actor::Person { user: "ann".parse().unwrap() }
}

fn cause() -> Cause {
    Cause::first(ann(), "c-1")
}

pub(super) fn opened() -> Incident {
    opening().0
}

fn opening() -> (Incident, IncidentEvent) {
    let new: NewIncident = serde_json::from_value(json!({
        "title": "Disk full", "priority": "HIGH", "teamId": "ops",
        "metadata": {"service": "db", "hosts": ["a", "b"], "big": 9_007_199_254_740_993_u64},
    }))
    .unwrap();
    let opening = Opening {
        id: IncidentId::new(Time::from_millis(1), 7),
        created_by: "ann".parse().unwrap(),
        source: None,
    };
    Incident::open(new, opening, &cause(), Time::from_millis(1_772_366_000_000))
}

/// The same incident brought to a status by the machine itself.
pub(super) fn at_status(incident: &Incident, status: IncidentStatus) -> Incident {
    let patch = IncidentPatch { status: Some(status), ..IncidentPatch::default() };
    match decide(incident, &IncidentChange::Patch(patch), &cause(), Time::from_millis(1_772_366_200_000)) {
        IncidentDecision::Moved { to, .. } => *to,
        IncidentDecision::AlreadyDone => incident.clone(),
        IncidentDecision::Refused(refusal) => panic!("{refusal}"),
    }
}

fn patch(body: Value) -> IncidentChange {
    IncidentChange::Patch(serde_json::from_value(body).expect("parses"))
}

fn moved(incident: &Incident, change: &IncidentChange) -> (Incident, Vec<IncidentEvent>) {
    let decision = decide(incident, change, &cause(), NOW);
    let IncidentDecision::Moved { to, events } = decision else { panic!("{decision:?}") };
    (*to, events)
}

#[test]
fn the_table_of_an_incident_is_the_one_the_code_decides() {
    insta::assert_snapshot!(table::incident_table());
}

fn check_faults(body: Value, expected: &[&str]) {
    let decision = decide(&opened(), &patch(body.clone()), &cause(), NOW);
    let pointers: Vec<String> = match decision {
        IncidentDecision::Refused(IncidentRefusal::Invalid(faults)) => {
            faults.into_iter().map(|fault| fault.pointer).collect()
        }
        IncidentDecision::Refused(IncidentRefusal::Closed)
        | IncidentDecision::AlreadyDone
        | IncidentDecision::Moved { .. } => Vec::new(),
    };
    assert_eq!(pointers, expected, "{body}");
}

#[test]
fn a_patch_reports_every_fault_with_its_place() {
    check_faults(json!({}), &[""]);
    check_faults(json!({"reason": "because"}), &[""]);
    check_faults(json!({"status": null}), &[""]);
    check_faults(json!({"status": "CLOSED"}), &[]);
    check_faults(json!({"assignee": null}), &[]);
    check_faults(json!({"title": ""}), &["/title"]);
    check_faults(json!({"title": "é".repeat(200)}), &[]);
    check_faults(json!({"title": "é".repeat(201), "reason": "x".repeat(501)}), &["/title", "/reason"]);
    check_faults(json!({"status": "OPEN", "reason": "a\u{7}b"}), &["/reason"]);
    check_faults(json!({"metadata": {"a": "x".repeat(MAX_METADATA_BYTES)}}), &["/metadata"]);
    check_faults(json!({"metadata": {"a": nested(15)}}), &[]);
    check_faults(json!({"metadata": {"a": nested(16)}}), &["/metadata"]);
    // Within the bounds itself, over them with what is there.
    check_faults(json!({"metadata": {"a": "x".repeat(MAX_METADATA_BYTES - 20)}}), &["/metadata"]);
}

/// So many arrays within each other.
fn nested(levels: usize) -> Value {
    (0..levels).fold(Value::Null, |inner, _| json!([inner]))
}

#[test]
fn inv_c7_unknown_and_read_only_members_of_a_change_are_refused() {
    for body in [
        json!({"id": "x"}),
        json!({"teamId": "ops"}),
        json!({"escalation": 3}),
        json!({"status": "open"}),
        json!({"assignee": 7}),
    ] {
        assert!(serde_json::from_value::<IncidentPatch>(body.clone()).is_err(), "{body}");
    }
    assert!(serde_json::from_value::<Escalation>(json!({"level": 3})).is_err());
    assert!(
        serde_json::from_value::<NewIncident>(json!({"title": "t", "priority": "LOW", "seq": 1})).is_err()
    );
}

fn check_events(body: Value, expected: &[&str]) {
    let before = at_status(&opened(), IncidentStatus::Acknowledged);
    let (to, events) = moved(&before, &patch(body.clone()));
    let seen: Vec<String> =
        events.iter().map(|event| serde_json::to_value(&event.kind).unwrap().to_string()).collect();
    assert_eq!(seen, expected, "{body}");
    for (seq, event) in (before.seq + 1..).zip(&events) {
        assert_eq!(event.seq, seq);
        assert_eq!(event.idempotency_key(), format!("{}-{seq}", before.id));
        assert_eq!(event.snapshot, IncidentFacts::from(&to), "as it was right after the change");
        assert_eq!((event.at, event.due_at), (NOW, Some(NOW)));
    }
    assert_eq!(to.seq, before.seq + events.len() as u64);
    assert_eq!((to.updated_at, to.history.len()), (NOW, before.history.len() + 1));
}

#[test]
fn each_change_has_its_event_and_its_number() {
    let state_changed = r#"{"from":"ACKNOWLEDGED","to":"RESOLVED","type":"stateChanged"}"#;
    check_events(json!({"status": "RESOLVED"}), &[state_changed]);
    check_events(json!({"priority": "LOW"}), &[r#"{"fields":["priority"],"type":"updated"}"#]);
    check_events(
        json!({"status": "RESOLVED", "priority": "LOW", "assignee": "bob", "title": "t", "metadata": {"a": 1}}),
        &[state_changed, r#"{"fields":["priority","assignee","title","metadata"],"type":"updated"}"#],
    );
    // What is given but stays as it was is no change.
    check_events(
        json!({"status": "ACKNOWLEDGED", "priority": "HIGH", "title": "t"}),
        &[r#"{"fields":["title"],"type":"updated"}"#],
    );
}

#[test]
fn a_change_that_is_there_already_is_done_and_has_no_event() {
    let incident = opened();
    for body in [
        json!({"status": "OPEN"}),
        json!({"assignee": null}),
        json!({"metadata": {"service": "db", "absent": null}}),
        json!({"metadata": {}}),
    ] {
        let decision = decide(&incident, &patch(body.clone()), &cause(), NOW);
        assert_eq!(decision, IncidentDecision::AlreadyDone, "{body}");
    }
}

#[test]
fn an_escalation_raises_the_level_and_keeps_the_reason() {
    let escalation = Escalation { reason: Some("nobody answers".into()) };
    let (to, events) = moved(&opened(), &IncidentChange::Escalate(escalation));
    assert_eq!(to.escalation, 1);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].kind, IncidentEventKind::Escalated { level: 1 });
    let entry = to.history.last().unwrap();
    assert_eq!((entry.escalation, entry.reason.as_deref()), (Some(1), Some("nobody answers")));
}

#[test]
fn the_history_says_who_changed_what_from_what() {
    let (to, _) = moved(&opened(), &patch(json!({"status": "RESOLVED", "assignee": "bob", "title": "t"})));
    assert_eq!(
        serde_json::to_value(to.history.last()).unwrap(),
        json!({
            "at": NOW.millis(), "by": {"type": "person", "user": "ann"},
            "status": {"from": "OPEN", "to": "RESOLVED"}, "assignee": {"from": null, "to": "bob"},
            "fields": ["title"],
        })
    );
}

#[test]
fn reopening_takes_the_time_of_resolution_away() {
    let resolved = at_status(&opened(), IncidentStatus::Resolved);
    let first = resolved.resolved_at;
    assert!(first.is_some());
    let (closed, _) = moved(&resolved, &patch(json!({"status": "CLOSED"})));
    assert_eq!(closed.resolved_at, first, "closing later does not resolve it later");
    let (reopened, _) = moved(&resolved, &patch(json!({"status": "OPEN"})));
    assert_eq!(reopened.resolved_at, None);
}

fn check_merge(target: Value, patch: Value, expected: Value) {
    let Value::Object(mut members) = target else { panic!("an object") };
    merge::merge(&mut members, patch.as_object().unwrap());
    assert_eq!(Value::Object(members), expected);
}

#[test]
fn metadata_is_merged_as_rfc_7396_says() {
    check_merge(json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"}));
    check_merge(json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"}));
    check_merge(json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"}));
    check_merge(json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"}));
    check_merge(json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}}));
    check_merge(json!({"a": [{"b": 1}]}), json!({"a": [1, null]}), json!({"a": [1, null]}));
    check_merge(json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}}));
}

#[test]
fn an_item_written_before_there_were_changes_is_read() {
    let mut stored = serde_json::to_value(opened()).unwrap();
    for name in ["updatedAt", "resolvedAt", "escalation", "source", "history", "seq"] {
        stored.as_object_mut().unwrap().remove(name);
    }
    let incident: Incident = serde_json::from_value(stored).expect("reads");
    assert_eq!((incident.seq, incident.escalation, incident.updated_at), (0, 0, Time::EPOCH));
    assert_eq!(incident.changed_at(), incident.created_at);
}

#[test]
fn an_event_comes_back_from_the_bus_as_it_was() {
    let incident = at_status(&opened(), IncidentStatus::Acknowledged);
    let workflow = WorkflowId::new(NOW, 1);
    let (_, first) = opening();
    let by_workflow = first.consequence(workflow.clone(), ExecutionId::new(NOW, 2));
    assert_eq!((by_workflow.chain.as_slice(), &by_workflow.correlation_id[..]), (&[workflow][..], "c-1"));
    for change in
        [patch(json!({"status": "OPEN", "title": "t"})), IncidentChange::Escalate(Escalation::default())]
    {
        let IncidentDecision::Moved { events, .. } = decide(&incident, &change, &by_workflow, NOW) else {
            panic!("moves");
        };
        for event in events {
            let bytes = event.envelope().to_string();
            let read = IncidentEvent::try_from(bytes.as_bytes()).expect("reads");
            assert_eq!(read, IncidentEvent { due_at: None, ..event });
        }
    }
}

#[test]
fn the_bus_form_of_an_event_is_frozen() {
    let (_, event) = opening();
    insta::assert_json_snapshot!(event.envelope());
}

fn check_envelope(pointer: &str, value: Value, expected: &str) {
    let mut envelope = opening().1.envelope();
    *envelope.pointer_mut(pointer).expect("is there") = value;
    let error = IncidentEvent::try_from(envelope.to_string().as_bytes()).expect_err("is refused");
    let chain = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    let text = chain.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    assert!(text.contains(expected), "{text}");
}

#[test]
fn what_is_no_event_is_refused_and_says_what_is_wrong() {
    check_envelope("/source", json!("aws.health"), "its source is `aws.health`");
    check_envelope("/detail-type", json!("Incident Deleted"), "no detail-type `Incident Deleted`");
    check_envelope("/detail-type", json!("Incident Updated"), "by its data it is `Incident Created`");
    check_envelope("/detail/metadata/version", json!("2"), "its version is \"2\", this reads \"1\"");
    check_envelope("/detail/metadata", json!({}), "its version is absent");
    check_envelope("/detail/metadata/chain", json!(["x"]), "`wf_` and 26 characters");
    check_envelope("/detail/metadata/idempotencyKey", json!("x"), "its idempotency key is `x`");
    check_envelope("/detail/data/incident/createdAt", json!("noon"), "its detail does not fit");
    check_envelope("/detail/data/change", json!({"type": "vanished"}), "vanished");
    check_envelope("/detail", json!([]), "its version is absent");
    assert!(matches!(IncidentEvent::try_from(b"{" as &[u8]), Err(EventError::Envelope(_))));
}

fn metadata() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i32>().prop_map(Value::from),
        (0_usize..9_000).prop_map(|length| Value::from("x".repeat(length))),
    ];
    let value = leaf.prop_recursive(5, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[ab]", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    prop::collection::btree_map("[a-d]", value, 0..4).prop_map(|members| members.into_iter().collect())
}

fn change() -> impl Strategy<Value = IncidentChange> {
    let status = prop::option::of(prop::sample::select(IncidentStatus::ALL[..3].to_vec()));
    let closing = prop::option::weighted(0.02, Just(IncidentStatus::Closed));
    let priority = prop::option::of(prop::sample::select(Priority::ALL.to_vec()));
    let assignee = prop::option::of(prop::option::of(Just("bob".parse().unwrap())));
    let title = prop::option::of("[a-z]{0,210}");
    let patch = (status, closing, priority, assignee, title, prop::option::of(metadata())).prop_map(
        |(status, closing, priority, assignee, title, metadata)| {
            let status = closing.or(status);
            IncidentChange::Patch(IncidentPatch { status, priority, assignee, title, metadata, reason: None })
        },
    );
    prop_oneof![5 => patch, 1 => Just(IncidentChange::Escalate(Escalation::default()))]
}

fn assert_bounds(incident: &Incident) {
    assert!((1..=MAX_TITLE_CHARS).contains(&incident.title.chars().count()));
    assert!(serde_json::to_vec(&incident.metadata).unwrap().len() <= MAX_METADATA_BYTES);
    assert!(depth(&Value::Object(incident.metadata.clone())) <= MAX_METADATA_DEPTH);
    assert!(incident.history.len() <= history::MAX_HISTORY);
    assert_eq!(incident.resolved_at.is_some(), !incident.status.is_open());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_of_changes_keeps_the_bounds_and_numbers_without_gaps(
        changes in prop::collection::vec(change(), 1..80)
    ) {
        let mut incident = opened();
        let mut now = NOW;
        for change in changes {
            now = now.plus(Duration::from_secs(1));
            let IncidentDecision::Moved { to, events } = decide(&incident, &change, &cause(), now) else {
                continue;
            };
            prop_assert_ne!(incident.status, IncidentStatus::Closed, "closed is final");
            prop_assert!(!events.is_empty(), "no change without an event");
            let numbers: Vec<u64> = events.iter().map(|event| event.seq).collect();
            prop_assert_eq!(numbers, (incident.seq + 1..=to.seq).collect::<Vec<_>>());
            prop_assert_eq!(to.history.last().map(|entry| entry.at), Some(now));
            assert_bounds(&to);
            if matches!(change, IncidentChange::Patch(_)) {
                let again = decide(&to, &change, &cause(), now);
                prop_assert_eq!(again, IncidentDecision::AlreadyDone, "a patch that comes twice");
            }
            incident = *to;
        }
    }
}
