//! References: from a schema to a definition at its root, and to nothing else.

use serde_json::Value;

use crate::fault::pointer_to;

/// A definition that a `$ref` names.
#[derive(Debug, Clone)]
pub(super) struct Target<'s> {
    /// The JSON pointer of the definition, which is also its identity.
    pub(super) pointer: String,
    pub(super) schema: &'s Value,
}

/// The definition at the end of `#/$defs/name` or `#/definitions/name`; `None` if there is none.
///
/// A name that would have to be escaped is not found: then no two spellings lead to one definition.
pub(super) fn target<'s>(root: &'s Value, reference: &Value) -> Option<Target<'s>> {
    let (definitions, name) = reference.as_str()?.strip_prefix("#/")?.split_once('/')?;
    let known = matches!(definitions, "$defs" | "definitions");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !known || !name.chars().all(plain) {
        return None;
    }
    let schema = root.get(definitions)?.get(name)?;
    Some(Target { pointer: pointer_to(&pointer_to("", definitions), name), schema })
}
