//! What validating by a schema costs, references followed as the validator follows them: twenty definitions that each
//! name the next one twice are a million subschemas.

use serde_json::Value;

use super::bounds::{MAX_DEPTH, count_values};
use super::keyword::{Keyword, subschemas};
use super::reference;
use crate::fault::Fault;

/// The most subschemas of a schema, references followed.
pub const MAX_SUBSCHEMAS: usize = 256;

/// How many values the schema compares with, references followed; or why it is more than it may be.
pub(super) fn of(schema: &Value) -> Result<usize, Fault> {
    let mut walk = Walk { root: schema, subschemas: 0, weight: 0, within: Vec::new() };
    walk.add(schema, "", 0)?;
    Ok(walk.weight)
}

struct Walk<'s> {
    root: &'s Value,
    subschemas: usize,
    weight: usize,
    /// The definitions the walk is within, by pointer.
    within: Vec<String>,
}

impl<'s> Walk<'s> {
    /// Stops at the first fault: what explodes must not be walked to its end.
    fn add(&mut self, schema: &'s Value, pointer: &str, depth: usize) -> Result<(), Fault> {
        self.subschemas += 1;
        self.weight += 1;
        if depth > MAX_DEPTH {
            let message = format!("nests deeper than {MAX_DEPTH} schemas, references followed");
            return Err(Fault::new(pointer, message));
        }
        if self.subschemas > MAX_SUBSCHEMAS {
            return Err(Fault::new(
                "",
                format!("has more than {MAX_SUBSCHEMAS} subschemas, references followed"),
            ));
        }
        let Value::Object(members) = schema else {
            return Ok(());
        };
        for (name, value) in members {
            self.weight += weight_of_keyword(name, value);
        }
        for (within, schema) in subschemas(members) {
            self.add(schema, &format!("{pointer}{within}"), depth + 1)?;
        }
        match members.get("$ref") {
            None => Ok(()),
            Some(reference) => self.follow(reference, &format!("{pointer}/$ref"), depth),
        }
    }

    fn follow(&mut self, reference: &Value, pointer: &str, depth: usize) -> Result<(), Fault> {
        let Some(target) = reference::target(self.root, reference) else {
            return Ok(());
        };
        if self.within.contains(&target.pointer) {
            return Err(Fault::new(pointer, "leads back to itself; recursive schemas are not supported"));
        }
        self.within.push(target.pointer.clone());
        self.add(target.schema, &target.pointer, depth + 1)?;
        self.within.pop();
        Ok(())
    }
}

fn weight_of_keyword(name: &str, value: &Value) -> usize {
    match Keyword::of(name) {
        // Dividing decimals exactly takes about as long as ten comparisons.
        Some(Keyword::Assertion) if name == "multipleOf" => 10,
        Some(Keyword::Assertion) => count_values(value),
        Some(Keyword::Pattern | Keyword::Reference) => 1,
        Some(Keyword::Annotation | Keyword::Dialect) | None => 0,
        // Their schemas are added one by one.
        Some(Keyword::Schemas | Keyword::NamedSchemas | Keyword::PatternSchemas) => 0,
    }
}
