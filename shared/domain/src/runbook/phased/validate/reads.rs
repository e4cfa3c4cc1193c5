//! What rules and templates may read at a place.

use serde_json::Value;

use crate::fault::{Fault, pointer_to};
use crate::rule::Rule;
use crate::runbook::phased::Layout;
use crate::template::Template;

/// What is known before anything runs.
const SURROUNDINGS: [&str; 5] = ["incident", "team", "workflow", "runbook", "params"];
/// What is known of an incident without a run.
const INCIDENT: [&str; 2] = ["incident", "team"];
const STEPS: &str = "steps";
/// A template of a call may name its own step, as in `{{step.key}}`.
const STEP: &str = "step";
/// What an assertion is about.
const RESPONSE: &str = "response";

/// The names that stand for something at a place.
#[derive(Clone)]
pub(super) struct Reads<'l> {
    roots: Vec<&'static str>,
    /// The steps of the units before this number.
    steps: Option<(&'l Layout<'l>, usize)>,
}

impl<'l> Reads<'l> {
    pub(super) fn incident() -> Self {
        Self { roots: INCIDENT.to_vec(), steps: None }
    }

    pub(super) fn surroundings() -> Self {
        Self { roots: SURROUNDINGS.to_vec(), steps: None }
    }

    /// What a step of this unit may read: the steps of earlier units, not those beside it.
    pub(super) fn before(layout: &'l Layout<'l>, unit: usize) -> Self {
        let roots = SURROUNDINGS.into_iter().chain([STEPS]).collect();
        Self { roots, steps: Some((layout, unit)) }
    }

    pub(super) fn with_response(&self) -> Self {
        self.with(RESPONSE)
    }

    pub(super) fn with_own_step(&self) -> Self {
        self.with(STEP)
    }

    fn with(&self, root: &'static str) -> Self {
        let mut more = self.clone();
        more.roots.push(root);
        more
    }

    pub(super) fn check_rule(&self, at: &str, text: &str, faults: &mut Vec<Fault>) {
        let rule = match Rule::compile(text) {
            Ok(rule) => rule,
            Err(fault) => return faults.push(Fault::new(at, fault.to_string())),
        };
        let roots = rule.roots();
        let unknown = roots.iter().filter_map(|root| self.unknown_root(root));
        faults.extend(unknown.map(|message| Fault::new(at, message)));
        let paths = rule.paths();
        let unread = paths.iter().filter_map(|path| self.unknown_step(path.split('.')));
        let mut messages: Vec<String> = unread.collect();
        messages.dedup();
        faults.extend(messages.into_iter().map(|message| Fault::new(at, message)));
    }

    /// Checks every text of a value whose depth is known to be small.
    pub(super) fn check_templates(&self, at: &str, value: &Value, faults: &mut Vec<Fault>) {
        match value {
            Value::String(text) => self.check_template(at, text, faults),
            Value::Array(elements) => {
                let elements = elements.iter().enumerate();
                elements
                    .for_each(|(place, inner)| self.check_templates(&format!("{at}/{place}"), inner, faults));
            }
            Value::Object(members) => {
                let members = members.iter();
                members.for_each(|(name, inner)| self.check_templates(&pointer_to(at, name), inner, faults));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A text that does not compile is a fault of the member that it stands in, which is told there.
    fn check_template(&self, at: &str, text: &str, faults: &mut Vec<Fault>) {
        let Ok(template) = Template::compile(text) else { return };
        for path in template.paths() {
            let segments = || path.segments().iter().map(String::as_str);
            let unknown = segments().next().and_then(|root| self.unknown_root(root));
            let fault = unknown.or_else(|| self.unknown_step(segments()));
            faults.extend(fault.map(|message| Fault::new(at, message)));
        }
    }

    fn unknown_root(&self, root: &str) -> Option<String> {
        let message = || format!("there is no `{root}` here; there are {}", self.roots.join(", "));
        (!self.roots.contains(&root)).then(message)
    }

    fn unknown_step<'p>(&self, mut segments: impl Iterator<Item = &'p str>) -> Option<String> {
        let (layout, unit) = self.steps?;
        if segments.next() != Some(STEPS) {
            return None;
        }
        let Some(id) = segments.next() else {
            return Some("names no step; write it as `steps.<id>.outputs.<name>`".to_owned());
        };
        match layout.step(id) {
            None => Some(format!("there is no step `{id}`")),
            Some(spot) if spot.unit < unit => None,
            Some(_) => {
                Some(format!("the step `{id}` does not come before; only results of earlier steps are known"))
            }
        }
    }
}
