//! From a JSON value to a definition, with the place of what does not fit.

use std::collections::BTreeSet;

use muster_domain::fault::{Fault, pointer_to};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The most faults that are named.
const MAX_FAULTS: usize = 20;

/// The definition, or the first fault of its types.
pub(super) fn definition<T: DeserializeOwned>(value: &Value) -> Result<T, Fault> {
    parse(value).map_err(|error| Fault::new(pointer_of(&error), error.inner().to_string()))
}

/// Takes every member out that no definition has, so that all are named and not only the first.
pub(super) fn take_unknown_fields<T: DeserializeOwned>(value: &mut Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    while faults.len() < MAX_FAULTS
        && let Err(error) = parse::<T>(value)
        && let Some(fault) = take_unknown_field(&error, value)
    {
        faults.push(fault);
    }
    faults
}

/// Every fault of the types. `put_aside` makes the part around a pointer one that fits, so that what comes after it is looked
/// at as well; it says whether it could.
pub(super) fn faults<T: DeserializeOwned>(
    value: &Value,
    put_aside: fn(&mut Value, &str) -> bool,
) -> Vec<Fault> {
    let (mut value, mut faults) = (value.clone(), Vec::new());
    // What misses a member after another was taken from it has no second fault: the one was meant to be the other.
    let mut changed = BTreeSet::new();
    while faults.len() < MAX_FAULTS
        && let Err(error) = parse::<T>(&value)
    {
        if let Some(fault) = take_unknown_field(&error, &mut value) {
            changed.insert(holder_of(&fault.pointer).to_owned());
            faults.push(fault);
            continue;
        }
        let (pointer, message) = (pointer_of(&error), error.inner().to_string());
        let misses = message.starts_with("missing field");
        let went_on = if !misses && take_member(&mut value, &pointer) {
            changed.insert(holder_of(&pointer).to_owned());
            true
        } else {
            put_aside(&mut value, &pointer)
        };
        if !(misses && changed.contains(&pointer)) {
            faults.push(Fault::new(pointer, message));
        }
        if !went_on {
            break;
        }
    }
    faults
}

/// The pointer to what holds the thing at a pointer.
fn holder_of(pointer: &str) -> &str {
    pointer.rsplit_once('/').map_or("", |(holder, _)| holder)
}

/// Whether there was such a member of an object; elements of lists stay, for the places of the others.
fn take_member(value: &mut Value, pointer: &str) -> bool {
    let Some((holder, name)) = pointer.rsplit_once('/') else { return false };
    let name = name.replace("~1", "/").replace("~0", "~");
    let members = value.pointer_mut(holder).and_then(Value::as_object_mut);
    members.and_then(|members| members.remove(&name)).is_some()
}

fn take_unknown_field(error: &PathError, value: &mut Value) -> Option<Fault> {
    let (field, known) = unknown_field(&error.inner().to_string())?;
    let parent = parent_of(error, &field);
    value.pointer_mut(&parent)?.as_object_mut()?.remove(&field)?;
    Some(Fault::new(pointer_to(&parent, &field), unknown_message(&field, &known)))
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
