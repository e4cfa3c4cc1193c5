//! The difference between two versions, field by field.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fault::pointer_to;

/// One place where two definitions differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// JSON pointer into the definition.
    pub pointer: String,
    /// What was there; absent if the place is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What is there; absent if the place is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// Every place where `after` differs from `before`, in the order of their names. Arrays are compared by position.
pub fn diff(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare("", Some(before), Some(after), &mut changes);
    changes
}

fn compare(pointer: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    match (before, after) {
        (Some(left), Some(right)) if left == right => {}
        (Some(Value::Object(left)), Some(Value::Object(right))) => {
            let mut names: Vec<&String> = left.keys().chain(right.keys()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                compare(&pointer_to(pointer, name), left.get(name), right.get(name), changes);
            }
        }
        (Some(Value::Array(left)), Some(Value::Array(right))) => {
            for position in 0..left.len().max(right.len()) {
                compare(&format!("{pointer}/{position}"), left.get(position), right.get(position), changes);
            }
        }
        (before, after) => changes.push(Change {
            pointer: pointer.to_owned(),
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(before: Value, after: Value, expected: Value) {
        let seen = serde_json::to_value(diff(&before, &after)).expect("serialises");
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_diff_names_each_changed_place() {
        check(json!({"a": 1}), json!({"a": 1}), json!([]));
        check(json!({"a": 1}), json!({"a": 2}), json!([{"pointer": "/a", "before": 1, "after": 2}]));
        check(json!({"a": {"b/c": 1}}), json!({"a": {}}), json!([{"pointer": "/a/b~1c", "before": 1}]));
        check(json!([1]), json!([1, {}]), json!([{"pointer": "/1", "after": {}}]));
    }
}
