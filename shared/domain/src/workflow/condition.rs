//! Conditions: the value at a dotted path equals a given one.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::fault::Fault;
use crate::template::{MAX_PATH_BYTES, MAX_PATH_DEPTH, walk};

/// The longest value a condition may compare with, in bytes of JSON.
pub const MAX_VALUE_BYTES: usize = 1_024;

/// A condition of a trigger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// A dotted path into the incident, such as `metadata.service`.
    pub field: String,
    pub value: Value,
}

/// Whether what was seen equals what is expected. What is missing equals nothing, not even null.
pub fn holds(seen: Option<&Value>, expected: &Value) -> bool {
    seen.is_some_and(|seen| same(seen, expected))
}

/// The value at a dotted path; a number is the index of an array. `None` if the path leads nowhere.
pub fn find<'v>(context: &'v Value, path: &str) -> Option<&'v Value> {
    walk(context, path.split('.'))
}

/// Equality of JSON values, in which `1` and `1.0` are one number.
pub fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => same_number(left, right),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            let found = |(name, value): (&String, &Value)| right.get(name).is_some_and(|r| same(value, r));
            left.len() == right.len() && left.iter().all(found)
        }
        (left, right) => left == right,
    }
}

/// Integers compare exactly, for ids go beyond what a float can tell apart.
fn same_number(left: &Number, right: &Number) -> bool {
    if left.is_f64() || right.is_f64() { left.as_f64() == right.as_f64() } else { left == right }
}

/// Checks a dotted path whose first segment is one of `roots`.
pub(super) fn check_field(at: &str, field: &str, roots: &[&str], faults: &mut Vec<Fault>) {
    let root = field.split('.').next().unwrap_or_default();
    if field.is_empty() {
        faults.push(Fault::new(at, "is empty; name a field, as in `metadata.service`"));
    } else if field.len() > MAX_PATH_BYTES || field.split('.').count() > MAX_PATH_DEPTH {
        let message = format!("has more than {MAX_PATH_DEPTH} segments or {MAX_PATH_BYTES} bytes");
        faults.push(Fault::new(at, message));
    } else if field.split('.').any(str::is_empty) {
        faults.push(Fault::new(at, "has an empty segment; write it as `metadata.service`"));
    } else if !roots.contains(&root) {
        faults.push(Fault::new(at, format!("there is no `{root}`; there are {}", roots.join(", "))));
    }
}

pub(super) fn check_value(at: &str, value: &Value, faults: &mut Vec<Fault>) {
    let bytes = serde_json::to_vec(value).map_or(usize::MAX, |json| json.len());
    if bytes > MAX_VALUE_BYTES {
        faults.push(Fault::new(at, format!("is larger than {MAX_VALUE_BYTES} bytes of JSON")));
    }
}
