//! What is wrong with a schema as it is written: keywords, references and patterns that are not supported.

use serde_json::Value;

use super::keyword::{Keyword, subschemas};
use super::pattern::Patterns;
use super::reference;
use crate::fault::{Fault, pointer_to};

/// All faults of a schema whose depth and size are bounded.
pub(super) fn faults(schema: &Value) -> Vec<Fault> {
    let mut lint = Lint { root: schema, faults: Vec::new(), patterns: Patterns::new() };
    lint.walk(schema, "");
    lint.faults
}

struct Lint<'s> {
    root: &'s Value,
    faults: Vec<Fault>,
    patterns: Patterns<'s>,
}

impl<'s> Lint<'s> {
    fn walk(&mut self, schema: &'s Value, pointer: &str) {
        let Value::Object(members) = schema else { return };
        for (name, value) in members {
            self.check_keyword(name, value, &pointer_to(pointer, name), pointer);
        }
        for (within, schema) in subschemas(members) {
            self.walk(schema, &format!("{pointer}{within}"));
        }
    }

    fn check_keyword(&mut self, name: &str, value: &'s Value, pointer: &str, schema_pointer: &str) {
        match Keyword::of(name) {
            None => self.refuse(pointer, format!("`{}` is not a supported keyword", shown(name))),
            Some(Keyword::Dialect) if !schema_pointer.is_empty() => {
                self.refuse(pointer, "`$schema` may stand only at the root".into());
            }
            Some(Keyword::Reference) => self.check_reference(value, pointer),
            // Anything but a string is left to the validator to refuse.
            Some(Keyword::Pattern) => self.check_pattern(value.as_str().unwrap_or_default(), pointer),
            Some(Keyword::PatternSchemas) => {
                for (pattern, _) in value.as_object().into_iter().flatten() {
                    self.check_pattern(pattern, &pointer_to(pointer, pattern));
                }
            }
            Some(Keyword::Annotation | Keyword::Assertion | Keyword::Dialect) => {}
            Some(Keyword::Schemas | Keyword::NamedSchemas) => {}
        }
    }

    fn check_reference(&mut self, value: &Value, pointer: &str) {
        if reference::target(self.root, value).is_none() {
            let message = "must be #/$defs/name or #/definitions/name, of a definition that is there; \
                           names are letters, digits, `_`, `-` and `.`";
            self.refuse(pointer, message.into());
        }
    }

    fn check_pattern(&mut self, pattern: &'s str, pointer: &str) {
        if let Err(fault) = self.patterns.add(pattern) {
            self.refuse(pointer, fault.to_string());
        }
    }

    fn refuse(&mut self, pointer: &str, message: String) {
        self.faults.push(Fault::new(pointer, message));
    }
}

/// A name as a message shows it.
fn shown(name: &str) -> String {
    name.chars().take(64).collect()
}
