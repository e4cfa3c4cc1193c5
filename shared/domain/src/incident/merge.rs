//! JSON merge patch (RFC 7396): members are replaced, and `null` removes one.

use serde_json::{Map, Value};

/// The depth of the patch bounds the recursion.
pub(super) fn merge(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, change) in patch {
        let before = target.remove(name);
        match change {
            Value::Null => {}
            Value::Object(inner) => {
                let mut members = members_of(before);
                merge(&mut members, inner);
                target.insert(name.clone(), Value::Object(members));
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                target.insert(name.clone(), change.clone());
            }
        }
    }
}

/// What is not an object is replaced by one.
fn members_of(value: Option<Value>) -> Map<String, Value> {
    if let Some(Value::Object(members)) = value { members } else { Map::new() }
}
