//! The note on a change, which has no place at a creation.

use crate::problem::{InputError, Problem};

/// `new` is what is created, as in `runbook`.
pub(super) fn refuse_note(note: Option<&str>, new: &str) -> Result<(), Problem> {
    match note {
        None => Ok(()),
        Some(_) => {
            let message = format!("is for changes; a new {new} has none");
            Err(Problem::invalid(vec![InputError::in_body("/changeNote".into(), message)]))
        }
    }
}
