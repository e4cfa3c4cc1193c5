//! Names: each is unique over the whole runbook, and none is one that a plan adds.

use std::collections::BTreeMap;

use crate::fault::{Fault, check_length};
use crate::ids::StepId;
use crate::runbook::phased::layout::END;
use crate::runbook::phased::{Entry, PhasedRunbook};
use crate::runbook::validate::MAX_NAME_CHARS;

/// The end of a run, and what stands before the dot in the names that a plan adds.
const RESERVED: [&str; 4] = [END, "risk", "baseline", "verification"];

pub(super) fn check(runbook: &PhasedRunbook, faults: &mut Vec<Fault>) {
    let mut taken = BTreeMap::new();
    for (at, id, name) in named(runbook) {
        let at_id = format!("{at}/id");
        if id.as_str().contains('.') {
            faults.push(Fault::new(&at_id, "holds a `.`; 1 to 64 letters, digits, `-` or `_`"));
        }
        if RESERVED.contains(&id.as_str()) {
            faults.push(Fault::new(&at_id, format!("`{id}` is a name of Muster's own; choose another")));
        }
        if let Some(name) = name {
            check_length(&format!("{at}/name"), name, 1, MAX_NAME_CHARS, faults);
        }
        if let Some(other) = taken.get(id) {
            faults.push(Fault::new(at_id, format!("`{id}` is also the id at {other}; choose another")));
        } else {
            taken.insert(id.clone(), at);
        }
    }
}

/// Everything that has an id, with its JSON pointer and its name for people.
fn named(runbook: &PhasedRunbook) -> Vec<(String, &StepId, Option<&String>)> {
    let prerequisites = runbook.prerequisites.iter().enumerate();
    let mut named: Vec<_> = prerequisites
        .map(|(place, check)| (format!("/prerequisites/{place}"), &check.id, check.name.as_ref()))
        .collect();
    for (number, phase) in runbook.phases.iter().enumerate() {
        let at = format!("/phases/{number}");
        named.push((at.clone(), &phase.id, phase.name.as_ref()));
        for (place, entry) in phase.steps.iter().enumerate() {
            named.extend(named_of(&format!("{at}/steps/{place}"), entry));
        }
    }
    named
}

fn named_of<'r>(at: &str, entry: &'r Entry) -> Vec<(String, &'r StepId, Option<&'r String>)> {
    let group = entry.group().map(|group| (format!("{at}/parallel"), &group.id, group.name.as_ref()));
    let steps = entry.steps(at).into_iter().map(|(at, step)| (at, &step.id, step.name.as_ref()));
    group.into_iter().chain(steps).collect()
}
