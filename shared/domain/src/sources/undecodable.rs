//! Why a delivery could not be read.

use std::sync::Arc;

/// A delivery in no shape that its source is known to send.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot read {reading}: {}; {mend}", self.fault())]
pub struct Undecodable {
    /// What the bytes were taken for.
    pub reading: &'static str,
    /// JSON pointer (RFC 6901) to the fault; empty for the delivery itself.
    pub pointer: String,
    /// What is wrong there.
    pub problem: String,
    /// What the sender should be changed to do.
    pub mend: &'static str,
    #[source]
    pub cause: Option<Arc<serde_json::Error>>,
}

impl Undecodable {
    pub(super) fn at(pointer: impl Into<String>, problem: impl Into<String>, mend: &'static str) -> Self {
        let (pointer, problem) = (pointer.into(), problem.into());
        Self { reading: "a delivery", pointer, problem, mend, cause: None }
    }

    pub(super) fn missing(pointer: impl Into<String>, mend: &'static str) -> Self {
        Self::at(pointer, "is missing or empty", mend)
    }

    pub(super) fn not_json(cause: serde_json::Error) -> Self {
        let mend = "send UTF-8 JSON, unchanged as the source produces it";
        Self { cause: Some(Arc::new(cause)), ..Self::at("", "is not JSON that can be read", mend) }
    }

    pub(super) fn while_reading(self, reading: &'static str) -> Self {
        Self { reading, ..self }
    }

    /// The fault alone, as in "`/event/id` is missing or empty".
    pub(super) fn fault(&self) -> String {
        let place =
            if self.pointer.is_empty() { "the body".to_owned() } else { format!("`{}`", self.pointer) };
        format!("{place} {}", self.problem)
    }
}
