//! The keywords a schema may use, and what their values are.

use serde_json::{Map, Value};

use crate::fault::pointer_to;

/// What the value of a keyword is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    /// Says something to people; the validator does not read it.
    Annotation,
    /// A value that the validator compares with.
    Assertion,
    /// A regular expression.
    Pattern,
    /// A schema, or an array of schemas.
    Schemas,
    /// An object whose members are schemas.
    NamedSchemas,
    /// An object whose members are schemas and whose names are regular expressions.
    PatternSchemas,
    /// A reference to a definition of the same schema.
    Reference,
    /// The draft, at the root and nowhere else.
    Dialect,
}

impl Keyword {
    /// `None`: not supported. Unknown keywords are refused, because a validator that ignores a misspelt `required`
    /// requires nothing; names that begin with `x-` are annotations.
    ///
    /// Deliberately absent: whatever names or resolves a schema (`$id`, `$anchor`, `$dynamicRef`, …), and
    /// `unevaluatedProperties` and `unevaluatedItems`, whose cost doubles with each level.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "$comment" | "default" | "deprecated" | "description" | "examples" | "format" | "readOnly"
            | "title" | "writeOnly" => Self::Annotation,
            "const" | "dependentRequired" | "enum" | "exclusiveMaximum" | "exclusiveMinimum"
            | "maxContains" | "maxItems" | "maxLength" | "maxProperties" | "maximum" | "minContains"
            | "minItems" | "minLength" | "minProperties" | "minimum" | "multipleOf" | "required" | "type"
            | "uniqueItems" => Self::Assertion,
            "pattern" => Self::Pattern,
            "additionalItems"
            | "additionalProperties"
            | "allOf"
            | "anyOf"
            | "contains"
            | "else"
            | "if"
            | "items"
            | "not"
            | "oneOf"
            | "prefixItems"
            | "propertyNames"
            | "then" => Self::Schemas,
            "$defs" | "definitions" | "dependencies" | "dependentSchemas" | "properties" => {
                Self::NamedSchemas
            }
            "patternProperties" => Self::PatternSchemas,
            "$ref" => Self::Reference,
            "$schema" => Self::Dialect,
            _ if name.starts_with("x-") => Self::Annotation,
            _ => return None,
        })
    }
}

/// The schemas that are written directly within a schema, each with its JSON pointer from there.
pub(super) fn subschemas(members: &Map<String, Value>) -> Vec<(String, &Value)> {
    members.iter().flat_map(|(name, value)| within(name, value)).collect()
}

fn within<'s>(name: &str, value: &'s Value) -> Vec<(String, &'s Value)> {
    let at = pointer_to("", name);
    match (Keyword::of(name), value) {
        (Some(Keyword::Schemas), Value::Array(schemas)) => schemas
            .iter()
            .enumerate()
            .map(|(position, schema)| (format!("{at}/{position}"), schema))
            .collect(),
        (Some(Keyword::Schemas), schema) => vec![(at, schema)],
        (Some(Keyword::NamedSchemas | Keyword::PatternSchemas), Value::Object(schemas)) => {
            schemas.iter().map(|(name, schema)| (pointer_to(&at, name), schema)).collect()
        }
        _ => Vec::new(),
    }
}
