//! Promises that hold for every graph, and for whatever events and triggers people send.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::ids::{StepId, TeamId, WorkflowId};
use crate::incident::{IncidentEvent, IncidentFacts, IncidentStatus};
use crate::time::Time;
use crate::workflow::matching::{Candidate, MatchOutcome, evaluate, evaluate_age};
use crate::workflow::{Edge, Graph, Node, Trigger};

/// Small graphs, of which many are valid: few ids, and edges that mostly lead forward.
fn graph() -> impl Strategy<Value = Graph> {
    let node = (0_usize..3, 1_u64..150);
    let link =
        (0_usize..6, 0_usize..6, prop::option::weighted(0.3, any::<bool>()), prop::bool::weighted(0.9));
    (prop::collection::vec(node, 1..6), prop::collection::vec(link, 0..9)).prop_map(|(nodes, edges)| {
        let mut written = vec![trigger("n0")];
        for (position, (kind, seconds)) in nodes.into_iter().enumerate() {
            let id = format!("n{}", position + 1);
            written.push(match kind {
                0 => condition(&id),
                1 => delay(&id, seconds),
                _ => action(&id, json!({"type": "webhook", "url": "https://x.example/"})),
            });
        }
        let edges: Vec<Value> = edges
            .into_iter()
            .map(|(one, other, when, forward)| {
                let (from, to) = if forward { (one.min(other), one.max(other)) } else { (one, other) };
                let (from, to) = (format!("n{from}"), format!("n{to}"));
                when.map_or_else(|| edge(&from, &to), |when| branch(&from, &to, &when.to_string()))
            })
            .collect();
        serde_json::from_value(json!({"nodes": written, "edges": edges})).unwrap()
    })
}

/// Valid by construction: each node hangs on an earlier one, and conditions have both branches.
fn tree() -> impl Strategy<Value = Graph> {
    prop::collection::vec((0_usize..3, any::<prop::sample::Index>(), 1_u64..10), 0..25).prop_map(|parts| {
        let mut nodes = vec![trigger("n0")];
        let mut edges = Vec::new();
        let mut ends = vec![("n0".to_owned(), None)];
        for (kind, place, seconds) in parts {
            let id = format!("n{}", nodes.len());
            let (from, when) = ends[place.index(ends.len())].clone();
            ends.retain(|end| *end != (from.clone(), when) || when.is_none());
            edges.push(when.map_or_else(|| edge(&from, &id), |when: &str| branch(&from, &id, when)));
            match kind {
                0 => ends.extend([(id.clone(), Some("true")), (id.clone(), Some("false"))]),
                _ => ends.push((id.clone(), None)),
            }
            nodes.push(if kind == 0 { condition(&id) } else { delay(&id, seconds) });
        }
        for (from, when) in ends {
            if let Some(when) = when {
                let id = format!("n{}", nodes.len());
                edges.push(branch(&from, &id, when));
                nodes.push(delay(&id, 1));
            }
        }
        serde_json::from_value(json!({"nodes": nodes, "edges": edges})).unwrap()
    })
}

fn with_graph(graph: Graph) -> WorkflowDefinition {
    WorkflowDefinition { definition: graph, ..parsed(written(&[("/settings/timeout", json!("15min"))])) }
}

/// By another way than the code under test: again and again, whatever an edge of a reached node leads to.
fn reachable(graph: &Graph) -> BTreeSet<&StepId> {
    let starts = graph.nodes.iter().filter(|node| matches!(node, Node::Trigger { .. }));
    let mut reached: BTreeSet<&StepId> = starts.map(Node::id).collect();
    for _ in &graph.nodes {
        let ahead = graph.edges.iter().filter(|edge| reached.contains(&edge.from));
        let ahead: Vec<&StepId> = ahead.map(|edge| &edge.to).collect();
        reached.extend(ahead);
    }
    reached
}

fn assert_runs(graph: &Graph) {
    let order = graph.topological_order().expect("a valid graph has an order");
    let places: BTreeMap<&StepId, usize> =
        order.iter().enumerate().map(|(at, node)| (node.id(), at)).collect();
    assert_eq!(places.len(), graph.nodes.len(), "every node once");
    assert!(matches!(order[0], Node::Trigger { .. }), "the trigger comes first");
    let forward = |edge: &Edge| places[&edge.from] < places[&edge.to];
    assert!(graph.edges.iter().all(forward), "every edge leads forward");
    assert_eq!(reachable(graph).len(), graph.nodes.len(), "every node is reached");
}

#[test]
fn the_order_of_a_graph_is_the_order_of_the_file_where_edges_leave_a_choice() {
    let nodes = json!([delay("z", 1), trigger("s"), delay("b", 1), delay("a", 1), delay("end", 1)]);
    let edges = json!([edge("s", "a"), edge("s", "b"), edge("s", "z"), edge("a", "end"), edge("z", "end")]);
    let graph: Graph = serde_json::from_value(json!({"nodes": nodes, "edges": edges})).unwrap();
    let order = graph.topological_order().unwrap();
    let ids: Vec<&str> = order.iter().map(|node| node.id().as_str()).collect();
    assert_eq!(ids, ["s", "z", "b", "a", "end"]);
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "[a-c.é]{0,300}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-c0-1]", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_trigger() -> impl Strategy<Value = Trigger> {
    let condition = ("(metadata|title|status|nothing)(\\.[a-c0-1]){0,3}|.{0,12}", json_value())
        .prop_map(|(field, value)| json!({"field": field, "value": value}));
    let conditions = prop::collection::vec(condition, 0..4);
    let kind = prop::sample::select(vec!["incident_created", "state_changed", "escalation", "manual", "age"]);
    (kind, conditions, any::<u32>()).prop_map(|(kind, conditions, minutes)| {
        let mut trigger = json!({"type": kind, "conditions": conditions});
        match kind {
            "state_changed" => trigger["stateTransition"] = json!({"to": "RESOLVED"}),
            "age" => trigger["ageThresholdMinutes"] = json!(minutes),
            _ => {}
        }
        serde_json::from_value(trigger).unwrap()
    })
}

fn any_event() -> impl Strategy<Value = IncidentEvent> {
    let kind = prop::sample::select(vec![
        json!({"type": "created"}),
        json!({"type": "stateChanged", "from": "OPEN", "to": "RESOLVED"}),
        json!({"type": "escalated", "level": 1}),
        json!({"type": "updated", "fields": ["title"]}),
    ]);
    let metadata = prop::collection::btree_map("[a-c0-1]", json_value(), 0..4);
    let chain = prop::collection::vec(0_u128..5, 0..5);
    (kind, metadata, chain, any::<i64>()).prop_map(|(kind, metadata, chain, at)| {
        let facts = json!({
            "id": "inc_01J9Z3X4C6D8E0F2G4H6J8K0M2", "title": "t", "priority": "LOW", "status": IncidentStatus::Open,
            "metadata": metadata, "createdAt": "2026-03-01T12:00:00Z",
        });
        let snapshot: IncidentFacts = serde_json::from_value(facts).unwrap();
        serde_json::from_value(json!({
            "incident": snapshot.id, "seq": 1, "kind": kind, "at": Time::from_millis(at),
            "actor": {"type": "source", "name": "s"}, "correlationId": "c", "snapshot": snapshot,
            "chain": chain.into_iter().map(|number| WorkflowId::new(Time::EPOCH, number)).collect::<Vec<_>>(),
        }))
        .unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_graph_without_faults_has_an_order_and_reaches_every_node(graph in graph()) {
        let faults = with_graph(graph.clone()).faults();
        if faults.is_empty() {
            assert_runs(&graph);
        }
        if graph.topological_order().is_none() {
            prop_assert!(faults.iter().any(|fault| fault.message.contains("cycle")), "{:?}", faults);
        }
    }

    #[test]
    fn a_graph_that_is_valid_by_construction_has_no_faults(graph in tree()) {
        let faults = with_graph(graph.clone()).faults();
        prop_assert!(faults.is_empty(), "{:?}", faults);
        assert_runs(&graph);
    }

    #[test]
    fn every_event_and_trigger_gets_an_answer(
        trigger in any_trigger(), event in any_event(), global: bool, enabled: bool, now: i64
    ) {
        let (id, team): (_, TeamId) = (WorkflowId::new(Time::EPOCH, 1), "ops".parse().unwrap());
        let team = (!global).then_some(&team);
        let candidate = Candidate { id: &id, version: 1, enabled, team, trigger: &trigger };
        let decision = evaluate(&candidate, &event);
        let no = decision.reasons.iter().any(|predicate| !predicate.holds);
        prop_assert_eq!(decision.matched(), !no, "a match has no no, and everything else has one");
        if decision.matched() {
            prop_assert!(enabled && global && !event.chain.contains(&id) && event.chain.len() < 3);
        }
        if decision.outcome == MatchOutcome::RefusedByLoopGuard {
            let clear = IncidentEvent { chain: Vec::new(), ..event.clone() };
            prop_assert!(evaluate(&candidate, &clear).matched(), "only the chain stood against it");
        }
        let aged = evaluate_age(&candidate, &event.snapshot, Time::from_millis(now));
        prop_assert_eq!(aged.matched(), aged.reasons.iter().all(|predicate| predicate.holds));
    }
}
