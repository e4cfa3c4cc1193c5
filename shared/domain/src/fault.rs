//! What is wrong with an input: where it stands and how to mend it.

use serde::{Deserialize, Serialize};

/// One fault of an input. All faults of an input are reported together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// JSON pointer (RFC 6901) from the root of the input; empty for the input itself.
    pub pointer: String,
    /// A sentence for a person: what is wrong and what would be right.
    pub message: String,
}

impl Fault {
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }

    /// The same fault seen from an outer value that holds the faulty one at `prefix`.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.pointer.insert_str(0, prefix);
        self
    }
}

/// Appends one reference token to a JSON pointer, escaped as RFC 6901 asks.
pub fn pointer_to(parent: &str, token: &str) -> String {
    format!("{parent}/{}", token.replace('~', "~0").replace('/', "~1"))
}

/// Reports a text of fewer than `least` or more than `most` characters, or with control characters but line ends and tabs.
pub(crate) fn check_length(pointer: &str, text: &str, least: usize, most: usize, faults: &mut Vec<Fault>) {
    let length = text.chars().count();
    if length < least || length > most {
        faults.push(Fault::new(pointer, format!("has {length} characters; {least} to {most} are allowed")));
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        faults.push(Fault::new(pointer, "holds control characters; remove them"));
    }
}
