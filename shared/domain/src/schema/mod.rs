//! Parameters of a runbook: a JSON Schema, compiled once per version, and what it makes of the values somebody sends.
//!
//! A schema comes from a person, so it is looked through before the validator compiles it: no reference leaves it, none
//! goes round in a circle, and neither its size nor its patterns can make validating slow. The validator itself does
//! no I/O: it is built without its resolvers.

pub(crate) mod bounds;
mod defaults;
mod dialect;
mod keyword;
mod lint;
mod pattern;
mod reference;
mod violation;
mod weight;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

pub use self::bounds::{MAX_BYTES, MAX_DEPTH, MAX_FAULTS};
pub use self::pattern::{MAX_PATTERN_BYTES, MAX_PATTERN_CLASSES, MAX_PATTERNS};
pub use self::weight::MAX_SUBSCHEMAS;

use self::defaults::Defaults;
use crate::fault::Fault;

/// The most comparisons that validating may take: values of the schema, references followed, times values of the
/// parameters. The slowest take less than a microsecond.
pub const MAX_WORK: usize = 128 * 1024;

/// A regex of more than this many bytes is refused by the validator, should the module `pattern` let one through.
const REGEX_SIZE_LIMIT: usize = 512 * 1024;

/// A compiled JSON Schema of an object.
#[derive(Debug)]
pub struct ParameterSchema {
    validator: Validator,
    defaults: Defaults,
    /// How many values the schema is made of, references followed.
    weight: usize,
}

impl ParameterSchema {
    /// Compiles a schema of draft 2020-12, or of draft-07 if `$schema` says so.
    ///
    /// Refuses what is not a schema of an object, keywords it does not know, references out of the schema, and
    /// defaults that do not satisfy it.
    pub fn compile(schema: &Value) -> Result<Self, Vec<Fault>> {
        let one = |fault| vec![fault];
        bounds::check(schema).map_err(one)?;
        let draft = dialect::draft_of(schema).map_err(one)?;
        let faults = lint::faults(schema);
        if !faults.is_empty() {
            return Err(bounds::capped(faults, 0));
        }
        let weight = weight::of(schema).map_err(one)?;
        let build = |schema: &Value| build(draft, schema);
        let validator = build(schema).map_err(one)?;
        let defaults = Defaults::of(schema);
        defaults.check(schema, build)?;
        Ok(Self { validator, defaults, weight })
    }

    /// The parameters with the defaults of absent properties filled in, or one fault per violation.
    pub fn validate(&self, mut parameters: Value) -> Result<Value, Vec<Fault>> {
        let Value::Object(members) = &mut parameters else {
            return Err(vec![Fault::new("", "parameters must be an object")]);
        };
        self.defaults.fill(members);
        bounds::check(&parameters).map_err(|fault| vec![fault])?;
        if bounds::count_values(&parameters).saturating_mul(self.weight) > MAX_WORK {
            return Err(vec![Fault::new("", "holds too many values for a schema as large as this one")]);
        }
        if self.validator.is_valid(&parameters) {
            return Ok(parameters);
        }
        Err(violation::faults(&self.validator, &parameters))
    }
}

fn build(draft: jsonschema::Draft, schema: &Value) -> Result<Validator, Fault> {
    jsonschema::options()
        .with_draft(draft)
        .offline()
        .should_validate_formats(false)
        .with_pattern_options(PatternOptions::regex().size_limit(REGEX_SIZE_LIMIT))
        .build(schema)
        .map_err(|error| violation::fault(&error))
}

#[cfg(test)]
mod tests;
