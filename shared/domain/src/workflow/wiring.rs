//! A graph by the positions of its nodes, and the questions that are asked of it.

use std::collections::{BTreeMap, BTreeSet};

use super::Graph;
use crate::ids::StepId;

/// Which positions follow which. Edges that name unknown nodes are left out, and of nodes with one id the first counts.
pub(super) struct Wiring {
    next: Vec<BTreeSet<usize>>,
}

impl Wiring {
    pub(super) fn of(graph: &Graph) -> Self {
        let positions = positions(graph);
        let mut next = vec![BTreeSet::new(); graph.nodes.len()];
        for edge in &graph.edges {
            if let (Some(&from), Some(&to)) = (positions.get(&edge.from), positions.get(&edge.to))
                && let Some(followers) = next.get_mut(from)
            {
                followers.insert(to);
            }
        }
        Self { next }
    }

    /// Every position after all that lead to it, low positions first; `None` if there is a cycle.
    pub(super) fn order(&self) -> Option<Vec<usize>> {
        let mut waits_for = self.predecessor_counts();
        let starts = waits_for.iter().enumerate().filter(|(_, count)| **count == 0);
        let mut ready: BTreeSet<usize> = starts.map(|(position, _)| position).collect();
        let mut order = Vec::with_capacity(self.next.len());
        while let Some(position) = ready.pop_first() {
            order.push(position);
            for &follower in self.followers(position) {
                if let Some(count) = waits_for.get_mut(follower) {
                    *count -= 1;
                    if *count == 0 {
                        ready.insert(follower);
                    }
                }
            }
        }
        (order.len() == self.next.len()).then_some(order)
    }

    /// All positions that at least one edge away from `start` can be reached; `start` itself only in a cycle.
    pub(super) fn reached_from(&self, start: usize) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<usize> = self.followers(start).copied().collect();
        while let Some(position) = open.pop() {
            if reached.insert(position) {
                open.extend(self.followers(position));
            }
        }
        reached
    }

    /// Each set of positions that all lead to one another.
    pub(super) fn cycles(&self) -> Vec<BTreeSet<usize>> {
        let mut cycles: Vec<BTreeSet<usize>> = Vec::new();
        for position in 0..self.next.len() {
            let known = cycles.iter().any(|cycle| cycle.contains(&position));
            let reached = self.reached_from(position);
            if known || !reached.contains(&position) {
                continue;
            }
            let leads_back = |other: &usize| self.reached_from(*other).contains(&position);
            cycles.push(reached.into_iter().filter(leads_back).collect());
        }
        cycles
    }

    /// The path whose weights add up to most, along an `order` of all positions.
    pub(super) fn heaviest_path(&self, order: &[usize], weight: impl Fn(usize) -> u64) -> Vec<usize> {
        let mut best: Vec<(u64, Option<usize>)> =
            (0..self.next.len()).map(|position| (weight(position), None)).collect();
        for &position in order {
            let total = best.get(position).map_or(0, |(total, _)| *total);
            for &follower in self.followers(position) {
                let through = total.saturating_add(weight(follower));
                if let Some(known) = best.get_mut(follower).filter(|known| known.0 < through) {
                    *known = (through, Some(position));
                }
            }
        }
        let end = (0..best.len()).max_by_key(|end| best.get(*end).map(|(total, _)| *total));
        let before = |position: &usize| best.get(*position).and_then(|(_, before)| *before);
        let mut path: Vec<usize> = std::iter::successors(end, before).collect();
        path.reverse();
        path
    }

    fn followers(&self, position: usize) -> impl Iterator<Item = &usize> {
        self.next.get(position).into_iter().flatten()
    }

    fn predecessor_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.next.len()];
        for follower in self.next.iter().flatten() {
            if let Some(count) = counts.get_mut(*follower) {
                *count += 1;
            }
        }
        counts
    }
}

/// Where each id stands first.
pub(super) fn positions(graph: &Graph) -> BTreeMap<&StepId, usize> {
    let mut positions = BTreeMap::new();
    for (position, node) in graph.nodes.iter().enumerate() {
        positions.entry(node.id()).or_insert(position);
    }
    positions
}
