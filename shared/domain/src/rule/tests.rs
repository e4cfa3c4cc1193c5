//! What a rule says of values, what is refused, and that neither takes long, whatever the text and the values.

mod limits;
mod random;
mod refusals;
mod values;

use serde_json::{Value, json};

use super::*;

fn context() -> Value {
    json!({
        "incident": {
            "title": "Disk full on db-1", "priority": "HIGH", "assignee": null, "count": 3,
            "tags": ["db", "disk"],
            "metadata": {"service": "payments", "app.kubernetes.io/name": "api", "load": 0.75},
        },
        "params": {"full": true, "id": 9007199254740993_u64, "most": u64::MAX, "limit": 10},
        "steps": {"list-nodes": {"status": "SUCCESS", "outputs": {
            "nodes": [{"name": "n-1", "ready": true, "pods": [1, 2]}, {"name": "n-2", "ready": false, "pods": []}],
            "n": 2,
        }}},
    })
}

#[test]
fn a_rule_is_stored_as_its_text() {
    let rule: Rule = serde_json::from_str("\"params.full == true\"").unwrap();
    assert_eq!(rule, Rule::compile("params.full == true").unwrap());
    assert_eq!(serde_json::to_string(&rule).unwrap(), "\"params.full == true\"");
    let refused = serde_json::from_str::<Rule>("\"params.full = true\"").unwrap_err();
    assert_eq!(refused.to_string(), "column 13: `=` cannot stand here; write `==` to compare");
}

#[test]
fn a_rule_names_what_it_reads() {
    let check = |text: &str, roots: &[&str], paths: &[&str]| {
        let rule = Rule::compile(text).unwrap();
        assert_eq!(rule.roots().into_iter().collect::<Vec<_>>(), roots, "{text}");
        assert_eq!(rule.paths(), paths, "{text}");
    };
    check("true", &[], &[]);
    check("a.b == 1 && (c || !a.b)", &["a", "c"], &["a.b", "c", "a.b"]);
    check("steps[\"list-nodes\"].outputs.n == 0", &["steps"], &["steps.list-nodes.outputs.n"]);
    check("steps.list-nodes.outputs.nodes[0].ready", &["steps"], &["steps.list-nodes.outputs.nodes.0.ready"]);
    check("labels['a.b'].c == labels[\"\"]", &["labels"], &["labels[\"a.b\"].c", "labels[\"\"]"]);
    check("has(x.y) || exists(z)", &["x", "z"], &["x.y", "z"]);
    check("a.all(x, x.b == y.c)", &["a", "y"], &["a", "y.c"]);
    check("a.exists(a, a.b) && a.d", &["a"], &["a", "a.d"]);
    check("a.t.matches(\"x\") && size(a.l) > b.size()", &["a", "b"], &["a.t", "a.l", "b"]);
    check("\"x\" in a.b || a.b.contains(c.d)", &["a", "c"], &["a.b", "a.b", "c.d"]);
}
