//! From a JSON value to a definition, with the place of what does not fit.

use muster_domain::fault::{Fault, pointer_to};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The most unknown fields that are named.
const MAX_UNKNOWN: usize = 20;

/// The definition, or the first fault of its types.
pub(super) fn definition<T: DeserializeOwned>(value: &Value) -> Result<T, Fault> {
    parse(value).map_err(|error| Fault::new(pointer_of(&error), error.inner().to_string()))
}

/// Takes every member out that no definition has, so that all are named and not only the first.
pub(super) fn take_unknown_fields<T: DeserializeOwned>(value: &mut Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    while faults.len() < MAX_UNKNOWN
        && let Err(error) = parse::<T>(value)
    {
        let message = error.inner().to_string();
        let Some((field, known)) = unknown_field(&message) else {
            break;
        };
        let parent = parent_of(&error, &field);
        let holder = value.pointer_mut(&parent).and_then(Value::as_object_mut);
        if holder.and_then(|members| members.remove(&field)).is_none() {
            break;
        }
        faults.push(Fault::new(pointer_to(&parent, &field), unknown_message(&field, &known)));
    }
    faults
}

type PathError = serde_path_to_error::Error<serde_json::Error>;

fn parse<T: DeserializeOwned>(value: &Value) -> Result<T, PathError> {
    serde_path_to_error::deserialize(value)
}

/// The field and the fields there are, of serde's message about an unknown one.
fn unknown_field(message: &str) -> Option<(String, Vec<String>)> {
    let mut quoted = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    let field = quoted.next()?.to_owned();
    Some((field, quoted.map(str::to_owned).collect()))
}

fn unknown_message(field: &str, known: &[String]) -> String {
    let alike = |name: &&String| strsim::jaro_winkler(&name.to_lowercase(), &field.to_lowercase());
    let nearest = known.iter().max_by(|left, right| alike(left).total_cmp(&alike(right)));
    match nearest.filter(|name| alike(name) > 0.8) {
        Some(name) => format!("is no field; did you mean `{name}`?"),
        None => format!("is no field; remove it. There are: {}", known.join(", ")),
    }
}

/// The object that holds the field an error is about: serde tells some errors at the field, others at its object.
fn parent_of(error: &PathError, field: &str) -> String {
    let pointer = pointer_of(error);
    let own = pointer_to("", field);
    pointer.strip_suffix(own.as_str()).unwrap_or(&pointer).to_owned()
}

fn pointer_of(error: &PathError) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in error.path() {
        pointer = match segment {
            Segment::Seq { index } => format!("{pointer}/{index}"),
            Segment::Map { key } => pointer_to(&pointer, key),
            Segment::Enum { .. } | Segment::Unknown => pointer,
        };
    }
    pointer
}
