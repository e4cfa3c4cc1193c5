//! A text that grows up to its limit and no further.

use super::{MAX_OUTPUT_BYTES, RenderFault};

/// Collects rendered text. Pushing beyond the limit fails at once, so that nothing larger is ever held.
#[derive(Debug, Default)]
pub(super) struct Output {
    text: String,
}

impl Output {
    pub(super) fn push(&mut self, text: &str) -> Result<(), RenderFault> {
        if text.len() > MAX_OUTPUT_BYTES - self.text.len() {
            return Err(RenderFault::TooLong);
        }
        self.text.push_str(text);
        Ok(())
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}
