//! What stands where in the tree: what is checked first, the phases as they are written, what verifies them, and undos.

use std::collections::BTreeSet;

use serde_json::Value;

use super::step::{NOT_RUN, Said, of_step, of_steps};
use super::{INDENT, Sight, width_of};
use crate::operator::output::{Paint, field, items};

const NONE: &Value = &Value::Null;

/// One line of the tree.
#[derive(Debug)]
pub(super) struct Place<'v> {
    depth: usize,
    name: String,
    what: What<'v>,
}

#[derive(Debug)]
enum What<'v> {
    /// A phase or a group, with the ids of its steps.
    Over(Vec<String>),
    /// A step: as it is written and as it runs, either of which may be absent.
    Step { written: &'v Value, run: &'v Value },
    /// The way back, and why.
    Back(String),
}

impl Place<'_> {
    pub(super) fn indent(&self) -> usize {
        self.depth * INDENT
    }

    pub(super) fn label(&self) -> String {
        format!("{}{}", " ".repeat(self.indent()), self.name)
    }

    pub(super) fn width(&self) -> usize {
        self.indent() + width_of(&self.name)
    }

    pub(super) fn said(&self, sight: Sight<'_>, paint: Paint) -> Said {
        match &self.what {
            What::Over(steps) => of_steps(steps, sight, paint),
            What::Step { written, run } => of_step((written, run), sight, paint),
            What::Back(why) => Said::line(why.clone()),
        }
    }
}

/// Every line in order. A step that no definition names stands under the one it is made for, or at the end.
pub(super) fn places<'v>(sight: Sight<'v>) -> Vec<Place<'v>> {
    let mut tree = Tree { execution: sight.execution, places: Vec::new(), placed: BTreeSet::new() };
    if sight.execution.get("undoes").is_none() {
        tree.before(sight.definition);
        items(sight.definition, "phases").iter().for_each(|phase| tree.phase(phase));
        tree.after(sight.definition);
    }
    tree.back();
    tree.rest();
    tree.places
}

/// Without what stands in phases in which nothing goes on.
pub(super) fn folded<'v>(places: Vec<Place<'v>>, sight: Sight<'v>) -> Vec<Place<'v>> {
    let mut quiet = false;
    let mut kept = Vec::new();
    for place in places {
        if place.depth == 0 {
            let said = place.said(sight, Paint::Plain).first;
            quiet = matches!(&place.what, What::Over(_)) && QUIET.contains(&said.as_str());
        }
        if place.depth == 0 || !quiet {
            kept.push(place);
        }
    }
    kept
}

/// What is said of a phase in which nothing goes on.
const QUIET: [&str; 4] = ["SUCCEEDED", "SKIPPED", "PENDING", NOT_RUN];

struct Tree<'v> {
    execution: &'v Value,
    places: Vec<Place<'v>>,
    placed: BTreeSet<String>,
}

impl<'v> Tree<'v> {
    /// What a plan adds before the first step. The gate of the risk is shown where it asks.
    fn before(&mut self, definition: &'v Value) {
        // What is found out when the run begins is no step: a free target, and that nothing is frozen.
        let is_step = |written: &&Value| written.get("probe").or_else(|| written.get("rule")).is_some();
        let mut steps: Vec<(String, &'v Value)> = items(definition, "prerequisites")
            .iter()
            .filter(is_step)
            .map(|written| (format!("{}.prerequisite", field(written, "/id")), written))
            .collect();
        if definition.get("verification").is_some() {
            steps.push(("baseline.probe".to_owned(), NONE));
        }
        let gate = "risk.gate".to_owned();
        if self.run(&gate).pointer("/skipped/because").and_then(Value::as_str) == Some("notDemanded") {
            self.placed.insert(gate);
        } else if !self.run(&gate).is_null() {
            steps.push((gate, NONE));
        }
        self.section("before the first step", steps);
    }

    fn phase(&mut self, phase: &'v Value) {
        let entries = items(phase, "steps");
        let steps = entries.iter().flat_map(members).map(|step| field(step, "/id")).collect();
        self.push(0, titled(phase), What::Over(steps));
        for entry in entries {
            match entry.get("parallel") {
                None => self.step(1, field(entry, "/id"), entry),
                Some(group) => self.group(group),
            }
        }
    }

    fn group(&mut self, group: &'v Value) {
        let members = items(group, "steps");
        let steps = members.iter().map(|step| field(step, "/id")).collect();
        self.push(1, format!("{}, side by side", titled(group)), What::Over(steps));
        for step in members {
            self.step(2, field(step, "/id"), step);
        }
    }

    fn after(&mut self, definition: &'v Value) {
        let Some(verification) = definition.get("verification") else { return };
        let mut steps = Vec::new();
        if verification.get("settleSeconds").and_then(Value::as_u64).is_some_and(|seconds| seconds > 0) {
            steps.push(("verification.settle".to_owned(), NONE));
        }
        steps.push(("verification.probe".to_owned(), NONE));
        self.section("did it help", steps);
    }

    /// The undos, the last step's first, once they are wanted.
    fn back(&mut self) {
        let undos: Vec<&'v Value> = undos(self.execution);
        let why = self.execution.pointer("/unwinding/reason").and_then(Value::as_str);
        match why {
            None if self.execution.get("undoes").is_none() => {
                self.placed.extend(undos.iter().map(|undo| field(undo, "/id")));
            }
            why => {
                let why = why.map(|why| format!("because {why}")).unwrap_or_default();
                self.push(0, "taking back, the last first".to_owned(), What::Back(why));
                undos.into_iter().for_each(|undo| self.step(1, field(undo, "/id"), NONE));
            }
        }
    }

    fn rest(&mut self) {
        let steps = items(self.execution, "steps").iter().map(|step| (field(step, "/id"), NONE));
        let steps: Vec<_> = steps.filter(|(id, _)| !self.placed.contains(id)).collect();
        steps.into_iter().for_each(|(id, written)| self.step(0, id, written));
    }

    fn section(&mut self, title: &str, steps: Vec<(String, &'v Value)>) {
        if steps.is_empty() {
            return;
        }
        self.push(0, title.to_owned(), What::Over(steps.iter().map(|(id, _)| id.clone()).collect()));
        steps.into_iter().for_each(|(id, written)| self.step(1, id, written));
    }

    /// The step, after what is made for it: the search that precedes it.
    fn step(&mut self, depth: usize, id: String, written: &'v Value) {
        if !self.placed.insert(id.clone()) {
            return;
        }
        let search = format!("{id}.search");
        if !self.run(&search).is_null() {
            self.step(depth, search, NONE);
        }
        let run = self.run(&id);
        let name = named(&id, [written, run]);
        self.push(depth, name, What::Step { written, run });
    }

    fn push(&mut self, depth: usize, name: String, what: What<'v>) {
        self.places.push(Place { depth, name, what });
    }

    fn run(&self, id: &str) -> &'v Value {
        run_of(self.execution, id)
    }
}

/// What became of a step; `null` if it has not begun.
pub(super) fn run_of<'v>(execution: &'v Value, id: &str) -> &'v Value {
    let mut steps = items(execution, "steps").iter();
    steps.find(|step| step.get("id").and_then(Value::as_str) == Some(id)).unwrap_or(NONE)
}

/// In the reverse order of the steps that they take back, which the API lists as they began.
fn undos(execution: &Value) -> Vec<&Value> {
    let steps = items(execution, "steps");
    let of_begun = steps.iter().rev().map(|step| run_of(execution, &format!("{}.undo", field(step, "/id"))));
    let mut undos: Vec<&Value> = of_begun.filter(|undo| !undo.is_null()).collect();
    let known: BTreeSet<String> = undos.iter().map(|undo| field(undo, "/id")).collect();
    let others = steps.iter().filter(|step| field(step, "/id").ends_with(".undo"));
    undos.extend(others.filter(|undo| !known.contains(&field(undo, "/id"))));
    undos
}

fn members(entry: &Value) -> Vec<&Value> {
    match entry.get("parallel") {
        None => vec![entry],
        Some(group) => items(group, "steps").iter().collect(),
    }
}

fn titled(entry: &Value) -> String {
    named(&field(entry, "/id"), [entry, NONE])
}

/// The id, and the name that somebody gave it.
fn named(id: &str, sources: [&Value; 2]) -> String {
    match sources.iter().find_map(|source| source.get("name")) {
        None => id.to_owned(),
        Some(name) => format!("{id} ({})", field(name, "")),
    }
}
