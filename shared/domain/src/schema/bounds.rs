//! Limits of a JSON value that somebody sent, checked before anything else walks it.

use std::io;

use serde_json::Value;

use crate::fault::Fault;

/// The most bytes of a value as compact JSON.
pub const MAX_BYTES: usize = 16 * 1024;
/// The most arrays and objects within each other.
pub const MAX_DEPTH: usize = 16;
/// The most faults that are reported of one value.
pub const MAX_FAULTS: usize = 50;

/// Refuses a value that is larger or deeper than the limits.
pub(crate) fn check(value: &Value) -> Result<(), Fault> {
    if !is_within_depth(value, MAX_DEPTH) {
        return Err(Fault::new("", format!("nests deeper than {MAX_DEPTH} levels")));
    }
    let mut room = Room { left: MAX_BYTES };
    serde_json::to_writer(&mut room, value)
        .map_err(|_full| Fault::new("", format!("is larger than {MAX_BYTES} bytes of JSON")))
}

/// How many values a value is made of, itself included.
pub(crate) fn count_values(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
        Value::Array(elements) => 1 + elements.iter().map(count_values).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(count_values).sum::<usize>(),
    }
}

/// At most [`MAX_FAULTS`] faults, the last of which says how many more there are; `unseen` were never listed.
pub(crate) fn capped(mut faults: Vec<Fault>, unseen: usize) -> Vec<Fault> {
    let total = faults.len() + unseen;
    if total > MAX_FAULTS {
        faults.truncate(MAX_FAULTS - 1);
        faults.push(Fault::new("", format!("and {} more faults", total - faults.len())));
    }
    faults
}

fn is_within_depth(value: &Value, levels: usize) -> bool {
    let within = |inner: &Value| levels > 0 && is_within_depth(inner, levels - 1);
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        Value::Array(elements) => levels > 0 && elements.iter().all(within),
        Value::Object(members) => levels > 0 && members.values().all(within),
    }
}

/// Counts what is written and fails as soon as it is too much.
struct Room {
    left: usize,
}

impl io::Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
