//! What was decided, as it is stored and read again.

use serde_json::{Value, json};

use super::parsed;
use crate::audit::ChainHead;
use crate::ids::{IncidentId, WorkflowId};
use crate::time::Time;
use crate::workflow::why_part::FULL_BYTES;
use crate::workflow::{MatchDecision, MatchOutcome, PartWriter, Predicate, WhyPart, Workflow, why};

fn workflow(name: String) -> Workflow {
    let definition = parsed(super::written(&[]));
    let at = Time::EPOCH;
    Workflow {
        id: WorkflowId::new(at, 1),
        team: None,
        name,
        enabled: true,
        version: 1,
        trigger: definition.trigger,
        settings: definition.settings,
        created_by: "ann".parse().expect("valid"),
        created_at: at,
        updated_at: at,
        deleted_at: None,
        audit: ChainHead::default(),
    }
}

fn asked(name: &str, expected: impl Into<Value>, seen: &str) -> Predicate {
    Predicate {
        name: name.to_owned().into(),
        expected: expected.into(),
        seen: Some(seen.into()),
        holds: false,
    }
}

fn decided(reasons: Vec<Predicate>) -> MatchDecision {
    MatchDecision { outcome: MatchOutcome::NotMatched, reasons }
}

fn part(writer: PartWriter) -> WhyPart {
    let at = Time::EPOCH;
    let incident = IncidentId::new(at, 1);
    let event = format!("{incident}-1");
    let expires_at = at.plus(why::KEPT_FOR);
    WhyPart { event, event_at: at, incident, part: 0, at, expires_at, decided: writer.finish() }
}

#[test]
fn every_decision_comes_back_with_its_own_reasons_in_their_order() {
    let mut writer = PartWriter::default();
    let alike = asked("kind", "incident_created", "incident_created");
    let decisions = ["search", "checkout", "search"]
        .map(|service| decided(vec![asked("incident.metadata.service", service, "ads"), alike.clone()]));
    for decision in &decisions {
        writer.add(&workflow("Page".into()), decision, None);
    }
    let written = serde_json::to_value(part(writer)).expect("JSON");
    assert_eq!(written["asked"].as_array().map(Vec::len), Some(3), "what is asked alike is kept once");
    let read: WhyPart = serde_json::from_value(written).expect("a part");
    let records: Vec<Vec<Predicate>> = read.records().map(|record| record.reasons).collect();
    assert_eq!(records, decisions.map(|decision| decision.reasons));
}

#[test]
fn a_reason_that_is_not_there_is_left_out() {
    let mut writer = PartWriter::default();
    writer.add(&workflow("Page".into()), &decided(vec![asked("kind", "escalation", "age")]), None);
    let mut written = serde_json::to_value(part(writer)).expect("JSON");
    written["decisions"][0]["reasons"] = json!([7, 0]);
    let read: WhyPart = serde_json::from_value(written).expect("a part");
    assert_eq!(read.records().map(|record| record.reasons.len()).collect::<Vec<_>>(), [1]);
}

/// Decisions as large as definitions allow, in characters that JSON writes longest.
#[test]
fn a_full_part_fits_into_one_item_whatever_is_asked() {
    const MOST_ITEM_BYTES: usize = 390 * 1024;
    let escaped = |count: usize| "\u{1}".repeat(count);
    let mut writer = PartWriter::default();
    let mut number = 0;
    while !writer.is_full() {
        number += 1;
        let one = |position: usize| {
            asked(
                &format!("incident.metadata.{position}"),
                format!("{number}{}", escaped(168)),
                &escaped(256),
            )
        };
        writer.add(&workflow(escaped(200)), &decided((0..20).map(one).collect()), None);
    }
    let bytes = serde_json::to_vec(&part(writer)).expect("JSON").len();
    assert!((FULL_BYTES..MOST_ITEM_BYTES).contains(&bytes), "{bytes} bytes");
}

/// What is weighed is about what is written, so that parts are neither tiny nor split for nothing.
#[test]
fn a_full_part_has_about_the_size_that_it_is_meant_to_have() {
    let mut writer = PartWriter::default();
    let mut number = 0;
    while !writer.is_full() {
        number += 1;
        let reasons = vec![
            asked("team", "ops", "ops"),
            asked("incident.metadata.service", format!("service-{number}"), "checkout"),
        ];
        writer.add(&workflow(format!("Restart service {number}")), &decided(reasons), None);
    }
    let bytes = serde_json::to_vec(&part(writer)).expect("JSON").len();
    assert!(bytes.abs_diff(FULL_BYTES) < FULL_BYTES / 4, "{bytes} bytes");
}
