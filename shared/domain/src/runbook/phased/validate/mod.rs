//! What makes a phased definition valid. Every fault is reported, not only the first.

mod around;
mod calls;
mod fields;
mod flow;
mod gates;
mod names;
mod phases;
mod reads;

use self::reads::Reads;
use super::{Layout, PhasedRunbook};
use crate::fault::Fault;
use crate::runbook::validate::{check_parameters, check_texts};
use crate::schema::bounds::capped;

/// The most of each, over the whole runbook.
const MAX_STEPS: usize = 200;
const MAX_PHASES: usize = 50;
/// One version is one item, and the table's items end at 400 KB.
const MAX_DEFINITION_BYTES: usize = 256 * 1024;
/// Each pattern is a table of up to 64 KiB, which is made in milliseconds and lives as long as the plan.
const MAX_PATTERNS: usize = 100;
/// What begins a pattern in a rule.
const MATCHES: &str = "matches";

impl PhasedRunbook {
    /// All that is wrong with this definition; empty if it may be saved.
    pub fn faults(&self) -> Vec<Fault> {
        let too_many = self.too_many();
        // What follows takes time by the square of the steps.
        if !too_many.is_empty() {
            return too_many;
        }
        let layout = Layout::of(self);
        let mut faults = Vec::new();
        check_texts(&self.common(), &mut faults);
        check_parameters(self.parameters.as_ref(), &mut faults);
        names::check(self, &mut faults);
        around::check(self, &mut faults);
        phases::check(self, &layout, &mut faults);
        capped(faults, 0)
    }

    fn too_many(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let (phases, steps) = (self.phases.len(), self.steps().count());
        if phases > MAX_PHASES {
            faults.push(Fault::new("/phases", format!("has {phases} phases; at most {MAX_PHASES}")));
        }
        if steps > MAX_STEPS {
            let message =
                format!("has {steps} steps; at most {MAX_STEPS}. Move a part into a runbook of its own");
            faults.push(Fault::new("/phases", message));
        }
        let json = serde_json::to_string(self).unwrap_or_default();
        if json.len() > MAX_DEFINITION_BYTES {
            faults.push(Fault::new("", format!("is larger than {MAX_DEFINITION_BYTES} bytes of JSON")));
        }
        // Counted as text, for to compile them is what takes the time.
        let patterns = json.matches(MATCHES).count();
        if patterns > MAX_PATTERNS {
            let message = format!(
                "says `{MATCHES}` {patterns} times; at most {MAX_PATTERNS}, for each keeps a table in memory"
            );
            faults.push(Fault::new("", message));
        }
        faults
    }
}

/// Reports a number outside of what is allowed.
fn check_range(at: &str, number: u64, least: u64, most: u64, faults: &mut Vec<Fault>) {
    if !(least..=most).contains(&number) {
        faults.push(Fault::new(at, format!("must be {least} to {most}")));
    }
}

/// Reports a list of too few or too many.
fn check_count(at: &str, count: usize, least: usize, most: usize, faults: &mut Vec<Fault>) {
    if !(least..=most).contains(&count) {
        faults.push(Fault::new(at, format!("has {count} entries; {least} to {most} are allowed")));
    }
}
