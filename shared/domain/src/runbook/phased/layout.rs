//! Where everything of a phased runbook stands: its units, steps and groups, in order, by number and by name.

use std::collections::BTreeMap;

use super::{Entry, Phase, PhasedRunbook, Step};
use crate::ids::StepId;

/// The names of a runbook. Of what has the name of another, the first counts.
pub(crate) struct Layout<'r> {
    /// Every unit with its JSON pointer and its phase.
    pub(crate) units: Vec<(String, &'r Phase, &'r Entry)>,
    steps: BTreeMap<&'r str, Spot<'r>>,
    targets: BTreeMap<&'r str, Target>,
}

/// A step and the number of its unit.
#[derive(Clone, Copy)]
pub(crate) struct Spot<'r> {
    pub(crate) unit: usize,
    pub(crate) step: &'r Step,
}

/// What a jump may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The number of a unit; of a phase that of its first.
    Unit(usize),
    /// After the last unit.
    End,
    /// A step of a group, whose unit this is; nothing leads there.
    Member(usize),
}

/// Where a jump leads that ends the run.
pub(crate) const END: &str = "end";

impl<'r> Layout<'r> {
    pub(crate) fn of(runbook: &'r PhasedRunbook) -> Self {
        let mut layout =
            Self { units: runbook.entries().collect(), steps: BTreeMap::new(), targets: BTreeMap::new() };
        let mut first = 0;
        for phase in &runbook.phases {
            layout.targets.entry(phase.id.as_str()).or_insert(Target::Unit(first));
            for (place, entry) in phase.steps.iter().enumerate() {
                layout.add(first + place, entry);
            }
            first += phase.steps.len();
        }
        layout
    }

    fn add(&mut self, unit: usize, entry: &'r Entry) {
        self.targets.entry(entry.id().as_str()).or_insert(Target::Unit(unit));
        for (_, step) in entry.steps("") {
            self.steps.entry(step.id.as_str()).or_insert(Spot { unit, step });
            self.targets.entry(step.id.as_str()).or_insert(Target::Member(unit));
        }
    }

    pub(crate) fn step(&self, id: &str) -> Option<Spot<'r>> {
        self.steps.get(id).copied()
    }

    /// What a jump to this name would lead to.
    pub(crate) fn target(&self, name: &str) -> Option<Target> {
        if name == END { Some(Target::End) } else { self.targets.get(name).copied() }
    }

    /// The steps of a unit.
    pub(crate) fn steps_of(&self, unit: usize) -> impl Iterator<Item = &'r Step> {
        let entry = self.units.get(unit).map(|(_, _, entry)| *entry);
        entry.into_iter().flat_map(|entry| entry.steps("")).map(|(_, step)| step)
    }

    /// What an approval of this unit covers if it does not say: every later call, up to the next approval. Of a group with
    /// one that is every other step, for they begin before it decides.
    pub(crate) fn covered_from(&self, unit: usize) -> Vec<StepId> {
        let mut covered = Vec::new();
        for later in unit + 1..self.units.len() {
            covered.extend(self.steps_of(later).filter(|step| step.calls()).map(|step| step.id.clone()));
            if self.steps_of(later).any(|step| step.approval.is_some()) {
                break;
            }
        }
        covered
    }
}
