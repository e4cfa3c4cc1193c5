//! What the validator finds, as faults: where, and what would be right, without the value that is wrong.

use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::bounds::{MAX_FAULTS, capped};
use crate::fault::Fault;

/// The longest message, in characters.
const MAX_MESSAGE_CHARS: usize = 200;

/// One fault per violation. The validator knows them all; only those that are shown become messages.
pub(super) fn faults(validator: &Validator, parameters: &Value) -> Vec<Fault> {
    let mut errors = validator.iter_errors(parameters);
    let shown = errors.by_ref().take(MAX_FAULTS).map(|error| fault(&error)).collect();
    capped(shown, errors.count())
}

/// A value may be long or private, so that the message tells the rule and the pointer tells the value.
pub(super) fn fault(error: &ValidationError<'_>) -> Fault {
    let message = error.masked_with("the value").to_string();
    Fault::new(error.instance_path().as_str(), shortened(message))
}

fn shortened(message: String) -> String {
    match message.char_indices().nth(MAX_MESSAGE_CHARS) {
        None => message,
        Some(_) => message.chars().take(MAX_MESSAGE_CHARS - 1).chain(['…']).collect(),
    }
}
