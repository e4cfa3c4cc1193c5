//! Which draft of JSON Schema a schema is written in, and that it describes an object.

use jsonschema::Draft;
use serde_json::Value;

use crate::fault::Fault;

/// The draft that `$schema` names; 2020-12 if it names none.
pub(super) fn draft_of(schema: &Value) -> Result<Draft, Fault> {
    let Value::Object(members) = schema else {
        return Err(Fault::new("", "a schema of parameters is an object"));
    };
    if members.get("type").is_some_and(|kind| kind != "object") {
        return Err(Fault::new("/type", "parameters are an object; leave `type` out or make it \"object\""));
    }
    match members.get("$schema") {
        None => Ok(Draft::Draft202012),
        Some(Value::String(uri)) => draft_named(uri),
        Some(_) => Err(unknown()),
    }
}

fn draft_named(uri: &str) -> Result<Draft, Fault> {
    let name = uri.trim_end_matches('#').trim_start_matches("https://").trim_start_matches("http://");
    match name {
        "json-schema.org/draft/2020-12/schema" => Ok(Draft::Draft202012),
        "json-schema.org/draft-07/schema" => Ok(Draft::Draft7),
        _ => Err(unknown()),
    }
}

fn unknown() -> Fault {
    let known = "https://json-schema.org/draft/2020-12/schema or http://json-schema.org/draft-07/schema#";
    Fault::new("/$schema", format!("must be {known}"))
}
