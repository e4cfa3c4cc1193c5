//! The defaults of absent properties.

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::bounds::capped;
use super::{reference, violation};
use crate::fault::{Fault, pointer_to};

/// The properties of an object that have a default, or hold an object with such properties.
#[derive(Debug, Default)]
pub(super) struct Defaults {
    properties: Vec<Property>,
}

#[derive(Debug)]
struct Property {
    name: String,
    /// JSON pointer of its schema.
    pointer: String,
    default: Option<Value>,
    within: Defaults,
}

impl Defaults {
    /// Gathers the defaults of `properties`, through references. The schema is known to be finite.
    pub(super) fn of(root: &Value) -> Self {
        let mut defaults = Self::default();
        defaults.gather(root, root, "");
        defaults
    }

    /// Gives each absent property its default, and goes on within the properties that are objects.
    pub(super) fn fill(&self, object: &mut Map<String, Value>) {
        for property in &self.properties {
            if let Some(default) = &property.default
                && !object.contains_key(&property.name)
            {
                object.insert(property.name.clone(), default.clone());
            }
            if let Some(Value::Object(members)) = object.get_mut(&property.name) {
                property.within.fill(members);
            }
        }
    }

    /// Every default, filled in itself, must satisfy the schema of its property.
    pub(super) fn check<B>(&self, root: &Value, build: B) -> Result<(), Vec<Fault>>
    where
        B: Fn(&Value) -> Result<Validator, Fault> + Copy,
    {
        let mut faults = Vec::new();
        self.gather_faults(root, build, &mut faults);
        if faults.is_empty() { Ok(()) } else { Err(capped(faults, 0)) }
    }

    fn gather(&mut self, root: &Value, schema: &Value, pointer: &str) {
        if let Some(target) = schema.get("$ref").and_then(|reference| reference::target(root, reference)) {
            self.gather(root, target.schema, &target.pointer);
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, schema) in properties.into_iter().flatten() {
            let pointer = pointer_to(&format!("{pointer}/properties"), name);
            let mut within = Self::default();
            within.gather(root, schema, &pointer);
            let default = default_of(root, schema).cloned();
            if default.is_some() || !within.properties.is_empty() {
                self.properties.push(Property { name: name.clone(), pointer, default, within });
            }
        }
    }

    fn gather_faults<B>(&self, root: &Value, build: B, faults: &mut Vec<Fault>)
    where
        B: Fn(&Value) -> Result<Validator, Fault> + Copy,
    {
        for property in &self.properties {
            if let Some(default) = &property.default
                && let Err(found) = property.check(default.clone(), root, build)
            {
                let pointer = format!("{}/default", property.pointer);
                faults.extend(found.into_iter().map(|fault| fault.under(&pointer)));
            }
            property.within.gather_faults(root, build, faults);
        }
    }
}

impl Property {
    fn check<B>(&self, mut default: Value, root: &Value, build: B) -> Result<(), Vec<Fault>>
    where
        B: Fn(&Value) -> Result<Validator, Fault>,
    {
        if let Value::Object(members) = &mut default {
            self.within.fill(members);
        }
        let validator = build(&standing_alone(root, &self.pointer)).map_err(|fault| vec![fault])?;
        let faults = violation::faults(&validator, &default);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

/// The default a schema gives itself, or that of the definition it names.
fn default_of<'s>(root: &'s Value, schema: &'s Value) -> Option<&'s Value> {
    let of_target = || default_of(root, reference::target(root, schema.get("$ref")?)?.schema);
    schema.get("default").or_else(of_target)
}

/// A part of a schema as a schema of its own, with the definitions it may name.
fn standing_alone(root: &Value, pointer: &str) -> Value {
    let mut alone = json!({"allOf": [root.pointer(pointer)]});
    for name in ["$schema", "$defs", "definitions"] {
        if let (Some(members), Some(value)) = (alone.as_object_mut(), root.get(name)) {
            members.insert(name.to_owned(), value.clone());
        }
    }
    alone
}
