//! The nodes of a workflow's execution as lines of the story, each when something else has become of it.

use std::collections::BTreeMap;

use muster_domain::time::Time;
use serde_json::Value;

use super::person::{list, text};
use super::timeline::moment;

/// What has been told so far.
pub(super) struct Nodes {
    start: Time,
    /// By id.
    told: BTreeMap<String, String>,
}

impl Nodes {
    pub(super) fn new(start: Time) -> Self {
        Self { start, told: BTreeMap::new() }
    }

    /// The lines that were not told yet.
    pub(super) fn news(&mut self, execution: &Value) -> Vec<String> {
        list(execution, "/steps").iter().filter_map(|node| self.change(node)).collect()
    }

    fn change(&mut self, node: &Value) -> Option<String> {
        let became = became(node)?;
        let before = self.told.insert(text(node, "/id").to_owned(), became.clone());
        (before.as_ref() != Some(&became)).then(|| self.line(node, &became))
    }

    fn line(&self, node: &Value, became: &str) -> String {
        let at = ["/endedAt", "/startedAt"].into_iter().find_map(|at| node.pointer(at)?.as_str());
        // A node that was skipped never began.
        let when = at.map_or_else(String::new, |at| {
            let after = moment(at).since(self.start).as_secs_f64();
            format!("{after:>+8.3} s")
        });
        format!("  {when:>10}  {}: {became}", label(node))
    }
}

fn label(node: &Value) -> String {
    let id = text(node, "/id");
    match text(node, "/name") {
        "" => id.to_owned(),
        name => format!("{id} ({name})"),
    }
}

/// Nothing before the node has begun.
fn became(node: &Value) -> Option<String> {
    let answer = node.pointer("/answer").and_then(Value::as_bool);
    let child = node.pointer("/executionId").and_then(Value::as_str);
    match (text(node, "/status"), answer, child) {
        ("PENDING", ..) => None,
        ("WAITING", _, Some(child)) => Some(format!("waits for execution {child} of the runbook")),
        ("WAITING", ..) => Some(format!("waits until {}", text(node, "/waitingUntil"))),
        ("SUCCEEDED", Some(answer), _) => Some(format!("the answer is {answer}")),
        ("SUCCEEDED", None, Some(child)) => Some(format!("done: execution {child} ended well")),
        ("SUCCEEDED", None, None) => Some("done".into()),
        ("SKIPPED", ..) => {
            Some(format!("skipped, because {} chose the other way", text(node, "/skipped/condition")))
        }
        (status, ..) => Some(format!("{status} {}", text(node, "/error"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(second: u8, node: Value) -> Value {
        let mut merged = json!({"startedAt": format!("2026-03-01T12:00:0{second}.500Z")});
        merged.as_object_mut().unwrap().extend(node.as_object().unwrap().clone());
        merged
    }

    #[test]
    fn each_change_of_a_node_is_told_once() {
        let mut nodes = Nodes::new(moment("2026-03-01T12:00:00.000Z"));
        let ask = node(0, json!({"id": "ask", "name": "Is it?", "status": "SUCCEEDED", "answer": true}));
        let waits =
            node(1, json!({"id": "wait", "status": "WAITING", "waitingUntil": "2026-03-01T12:00:02.500Z"}));
        let pending = json!({"id": "restart", "status": "PENDING"});
        assert_eq!(
            nodes.news(&json!({"steps": [ask, waits, pending]})),
            [
                "    +0.500 s  ask (Is it?): the answer is true",
                "    +1.500 s  wait: waits until 2026-03-01T12:00:02.500Z",
            ]
        );
        let waited =
            node(1, json!({"id": "wait", "status": "SUCCEEDED", "endedAt": "2026-03-01T12:00:02.500Z"}));
        let restart = node(2, json!({"id": "restart", "status": "WAITING", "executionId": "ex_1"}));
        let skipped = json!({"id": "leave", "status": "SKIPPED", "skipped": {"because": "branchNotTaken", "condition": "ask"}});
        let later = json!({"steps": [ask, waited, restart, skipped]});
        assert_eq!(
            nodes.news(&later),
            [
                "    +2.500 s  wait: done",
                "    +2.500 s  restart: waits for execution ex_1 of the runbook",
                "              leave: skipped, because ask chose the other way",
            ]
        );
        assert!(nodes.news(&later).is_empty());
    }
}
