//! What makes a workflow valid. Every fault is reported, not only the first.

use std::collections::BTreeMap;

use serde_json::Value;

use super::condition::{check_field, check_value};
use super::wiring::{Wiring, positions};
use super::{Branch, Edge, Graph, Node, Settings, Timeout, WorkflowDefinition};
use crate::fault::{Fault, check_length};
use crate::ids::StepId;
use crate::schema::bounds::capped;

const MAX_NAME_CHARS: usize = 200;
const MAX_DESCRIPTION_CHARS: usize = 4_000;
const MAX_NODES: usize = 100;
const MAX_EDGES: usize = 200;
const MAX_DELAY_SECONDS: u64 = 30 * 24 * 60 * 60;
/// One version is one item, and the table's items end at 400 KB.
const MAX_DEFINITION_BYTES: usize = 256 * 1024;
/// What a condition node may read.
const CONDITION_ROOTS: [&str; 5] = ["incident", "team", "workflow", "params", "steps"];

const NODES: &str = "/definition/nodes";
const EDGES: &str = "/definition/edges";

impl WorkflowDefinition {
    /// All that is wrong with this definition; empty if it may be saved.
    pub fn faults(&self) -> Vec<Fault> {
        let bytes = serde_json::to_vec(self).map_or(usize::MAX, |json| json.len());
        if bytes > MAX_DEFINITION_BYTES {
            return vec![Fault::new("", format!("is larger than {MAX_DEFINITION_BYTES} bytes of JSON"))];
        }
        let mut faults = Vec::new();
        check_length("/name", &self.name, 1, MAX_NAME_CHARS, &mut faults);
        check_length("/description", &self.description, 0, MAX_DESCRIPTION_CHARS, &mut faults);
        faults.extend(self.trigger.faults("/trigger"));
        check_settings(&self.settings, &mut faults);
        check_counts(&self.definition, &mut faults);
        // What follows takes time by the square of the nodes.
        if self.definition.nodes.len() <= MAX_NODES && self.definition.edges.len() <= MAX_EDGES {
            GraphCheck::of(&self.definition, self.settings.timeout).run(&mut faults);
        }
        capped(faults, 0)
    }
}

fn check_settings(settings: &Settings, faults: &mut Vec<Fault>) {
    if !(1..=1_000).contains(&settings.max_starts_per_minute) {
        faults.push(Fault::new("/settings/maxStartsPerMinute", "must be 1 to 1000"));
    }
    if !(1..=1_440).contains(&settings.misfire_minutes) {
        faults.push(Fault::new("/settings/misfireMinutes", "must be 1 to 1440"));
    }
}

fn check_counts(graph: &Graph, faults: &mut Vec<Fault>) {
    let (nodes, edges) = (graph.nodes.len(), graph.edges.len());
    if nodes > MAX_NODES {
        faults.push(Fault::new(NODES, format!("has {nodes} nodes; at most {MAX_NODES}")));
    }
    if edges > MAX_EDGES {
        faults.push(Fault::new(EDGES, format!("has {edges} edges; at most {MAX_EDGES}")));
    }
}

/// A graph under examination.
struct GraphCheck<'g> {
    graph: &'g Graph,
    timeout: Timeout,
    positions: BTreeMap<&'g StepId, usize>,
    wiring: Wiring,
}

impl<'g> GraphCheck<'g> {
    fn of(graph: &'g Graph, timeout: Timeout) -> Self {
        Self { graph, timeout, positions: positions(graph), wiring: Wiring::of(graph) }
    }

    fn run(&self, faults: &mut Vec<Fault>) {
        for (position, node) in self.graph.nodes.iter().enumerate() {
            self.check_node(position, node, faults);
        }
        self.check_triggers(faults);
        for (position, edge) in self.graph.edges.iter().enumerate() {
            self.check_edge(position, edge, faults);
        }
        self.check_cycles(faults);
        self.check_reach(faults);
        self.check_delays(faults);
    }

    fn check_node(&self, position: usize, node: &Node, faults: &mut Vec<Fault>) {
        let at = format!("{NODES}/{position}");
        if !self.is_first(position, node) {
            faults.push(Fault::new(format!("{at}/id"), format!("`{}` is the id of another node", node.id())));
        }
        if node.id().is_search() {
            faults.push(Fault::new(format!("{at}/id"), "holds a `.`; 1 to 64 letters, digits, `-` or `_`"));
        }
        if let Some(name) = node.name() {
            check_length(&format!("{at}/name"), name, 1, MAX_NAME_CHARS, faults);
        }
        match node {
            Node::Trigger { .. } => {}
            Node::Action { action, .. } => faults.extend(action.faults(&format!("{at}/action"))),
            Node::Condition { field, equals, .. } => {
                self.check_condition(position, field, equals, faults);
                self.check_branches(position, node.id(), faults);
            }
            Node::Delay { seconds, .. } => self.check_delay(&format!("{at}/seconds"), *seconds, faults),
        }
    }

    fn check_condition(&self, position: usize, field: &str, equals: &Value, faults: &mut Vec<Fault>) {
        let at = format!("{NODES}/{position}");
        check_field(&format!("{at}/field"), field, &CONDITION_ROOTS, faults);
        check_value(&format!("{at}/equals"), equals, faults);
        let mut segments = field.split('.');
        if segments.next() == Some("steps")
            && let Some(id) = segments.next()
            && !self.runs_before(id, position)
        {
            let message = format!("no node `{id}` runs before this one");
            faults.push(Fault::new(format!("{at}/field"), message));
        }
    }

    fn runs_before(&self, id: &str, position: usize) -> bool {
        let known = id.parse::<StepId>().ok().and_then(|id| self.positions.get(&id).copied());
        known.is_some_and(|known| self.wiring.reached_from(known).contains(&position))
    }

    /// Both branches are named, each by one edge.
    fn check_branches(&self, position: usize, id: &StepId, faults: &mut Vec<Fault>) {
        for branch in Branch::ALL {
            let edges = self.graph.edges.iter().filter(|edge| edge.from == *id && edge.when == Some(branch));
            let count = edges.count();
            if count != 1 {
                let name = branch.as_str();
                let message = format!("has {count} edges with `when: \"{name}\"`; it needs one");
                faults.push(Fault::new(format!("{NODES}/{position}"), message));
            }
        }
    }

    fn check_delay(&self, at: &str, seconds: u64, faults: &mut Vec<Fault>) {
        let limit = self.timeout.duration().as_secs();
        if !(1..=MAX_DELAY_SECONDS).contains(&seconds) {
            faults.push(Fault::new(at, format!("must be 1 to {MAX_DELAY_SECONDS}")));
        } else if seconds > limit {
            faults.push(Fault::new(at, format!("is longer than the workflow's timeout of {limit} seconds")));
        }
    }

    fn check_triggers(&self, faults: &mut Vec<Fault>) {
        let mut triggers = self.triggers();
        if triggers.next().is_none() {
            faults.push(Fault::new(NODES, "has no node of type `trigger`; it needs one to start from"));
        }
        for position in triggers {
            let message = "is a second node of type `trigger`; a workflow has one";
            faults.push(Fault::new(format!("{NODES}/{position}"), message));
        }
    }

    fn triggers(&self) -> impl Iterator<Item = usize> {
        let nodes = self.graph.nodes.iter().enumerate();
        nodes.filter(|(_, node)| matches!(node, Node::Trigger { .. })).map(|(position, _)| position)
    }

    fn check_edge(&self, position: usize, edge: &Edge, faults: &mut Vec<Fault>) {
        let at = format!("{EDGES}/{position}");
        for (end, id) in [("from", &edge.from), ("to", &edge.to)] {
            if !self.positions.contains_key(id) {
                faults.push(Fault::new(format!("{at}/{end}"), format!("there is no node `{id}`")));
            }
        }
        if matches!(self.node(&edge.to), Some(Node::Trigger { .. })) {
            faults.push(Fault::new(format!("{at}/to"), "leads into the trigger, where nothing can lead"));
        }
        // A branch that is there twice is a fault of its condition.
        let mut earlier = self.graph.edges.iter().take(position);
        if edge.when.is_none() && earlier.any(|earlier| earlier == edge) {
            faults.push(Fault::new(&at, "is there twice; remove one"));
        }
        self.check_when(&at, edge, faults);
    }

    fn check_when(&self, at: &str, edge: &Edge, faults: &mut Vec<Fault>) {
        let of_condition = matches!(self.node(&edge.from), Some(Node::Condition { .. }));
        if of_condition && edge.when.is_none() {
            let message = "leaves a condition; say `when: \"true\"` or `when: \"false\"`";
            faults.push(Fault::new(at, message));
        } else if !of_condition && edge.when.is_some() {
            faults.push(Fault::new(
                format!("{at}/when"),
                "belongs only on the edges of a condition; remove it",
            ));
        }
    }

    fn node(&self, id: &StepId) -> Option<&Node> {
        self.positions.get(id).and_then(|position| self.graph.nodes.get(*position))
    }

    fn check_cycles(&self, faults: &mut Vec<Fault>) {
        for cycle in self.wiring.cycles() {
            let message = format!("is in a cycle of {}; a workflow runs forward only", self.names(&cycle));
            let first = cycle.first().copied().unwrap_or_default();
            faults.push(Fault::new(format!("{NODES}/{first}"), message));
        }
    }

    fn check_reach(&self, faults: &mut Vec<Fault>) {
        let Some(start) = self.triggers().next() else { return };
        let reached = self.wiring.reached_from(start);
        for (position, node) in self.graph.nodes.iter().enumerate() {
            // A second trigger, or a second node of an id, is a fault already.
            let judged = matches!(node, Node::Trigger { .. }) || !self.is_first(position, node);
            if !judged && !reached.contains(&position) {
                let message = "cannot be reached from the trigger; add an edge to it or remove it";
                faults.push(Fault::new(format!("{NODES}/{position}"), message));
            }
        }
    }

    fn is_first(&self, position: usize, node: &Node) -> bool {
        self.positions.get(node.id()) == Some(&position)
    }

    /// Delays that follow one another add up.
    fn check_delays(&self, faults: &mut Vec<Fault>) {
        let limit = self.timeout.duration().as_secs();
        let Some(order) = self.wiring.order() else { return };
        // A delay that is too long alone is a fault already.
        if (0..order.len()).any(|position| self.delay(position) > limit) {
            return;
        }
        let mut path = self.wiring.heaviest_path(&order, |position| self.delay(position));
        path.retain(|position| self.delay(*position) > 0);
        let total: u64 = path.iter().map(|position| self.delay(*position)).sum();
        if let Some(last) = path.last().filter(|_| total > limit) {
            let names = self.names(&path);
            let message = format!(
                "the delays {names} take {total} seconds together, longer than the timeout of {limit}"
            );
            faults.push(Fault::new(format!("{NODES}/{last}/seconds"), message));
        }
    }

    fn delay(&self, position: usize) -> u64 {
        match self.graph.nodes.get(position) {
            Some(Node::Delay { seconds, .. }) => *seconds,
            Some(Node::Trigger { .. } | Node::Action { .. } | Node::Condition { .. }) | None => 0,
        }
    }

    fn names<'p>(&self, positions: impl IntoIterator<Item = &'p usize>) -> String {
        let nodes = positions.into_iter().filter_map(|position| self.graph.nodes.get(*position));
        nodes.map(|node| format!("`{}`", node.id())).collect::<Vec<_>>().join(", ")
    }
}
