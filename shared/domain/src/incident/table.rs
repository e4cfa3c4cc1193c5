//! The printed table of what may be done to an incident: every status and every change.

use super::tests::{NOW, ann, at_status, opened};
use super::{
    Cause, Escalation, Incident, IncidentChange, IncidentDecision, IncidentPatch, IncidentStatus, decide,
};

/// Markdown, as `docs/STATE-MACHINES.md` has it.
pub(crate) fn incident_table() -> String {
    let mut text = String::from("| state | event | becomes |\n|---|---|---|\n");
    for status in IncidentStatus::ALL {
        let incident = at_status(&opened(), status);
        for (name, change) in changes() {
            let cause = Cause::first(ann(), "c-1");
            let becomes = cell(&incident, &decide(&incident, &change, &cause, NOW));
            text.push_str(&format!("| {} | {name} | {becomes} |\n", status.as_str()));
        }
    }
    text
}

fn changes() -> Vec<(String, IncidentChange)> {
    let to_status = |status: IncidentStatus| {
        let patch = IncidentPatch { status: Some(status), ..IncidentPatch::default() };
        (format!("to {}", status.as_str()), IncidentChange::Patch(patch))
    };
    let retitled = IncidentPatch { title: Some("another title".into()), ..IncidentPatch::default() };
    let others = [
        ("escalate".to_owned(), IncidentChange::Escalate(Escalation::default())),
        ("other fields".to_owned(), IncidentChange::Patch(retitled)),
    ];
    IncidentStatus::ALL.into_iter().map(to_status).chain(others).collect()
}

fn cell(before: &Incident, decision: &IncidentDecision) -> String {
    match decision {
        IncidentDecision::AlreadyDone => "already done".into(),
        IncidentDecision::Refused(refusal) => format!("refused: {refusal}"),
        IncidentDecision::Moved { to, events } => {
            let resolved = match (before.resolved_at, to.resolved_at) {
                (None, Some(_)) => Some("resolved now"),
                (Some(_), None) => Some("no longer resolved"),
                (None, None) | (Some(_), Some(_)) => None,
            };
            let types = events.iter().map(|event| event.detail_type());
            let parts: Vec<&str> = std::iter::once(to.status.as_str()).chain(types).chain(resolved).collect();
            parts.join(" + ")
        }
    }
}
