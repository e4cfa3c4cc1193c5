//! Colours, where a terminal shows them and nobody asked for none.

use super::screen::Display;

/// Whether text is coloured. <https://no-color.org>: any non-empty `NO_COLOR` forbids it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    Plain,
    Colour,
}

impl Paint {
    pub(crate) fn of_stdout() -> Self {
        let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        match Display::of_stdout() {
            Display::Terminal if !forbidden => Self::Colour,
            Display::Terminal | Display::Lines => Self::Plain,
        }
    }

    pub(crate) fn head(self, text: &str) -> String {
        self.wrapped(text, "1")
    }

    /// A status in its colour; any other text as it is.
    pub(crate) fn status(self, text: &str) -> String {
        match text {
            "SUCCESS" | "SUCCEEDED" | "COMPLETED" | "APPROVED" | "RESOLVED" => self.wrapped(text, "32"),
            "FAILED" | "ENGAGED" | "CRITICAL" => self.wrapped(text, "31"),
            "NEEDS_REVIEW" | "UNDO_FAILED" | "PAUSED" | "CANCELLED" | "ROLLED_BACK" | "DEPRECATED"
            | "HIGH" => self.wrapped(text, "33"),
            "RUNNING" | "SENDING" | "WAITING" | "PENDING" | "DRAFT" => self.wrapped(text, "36"),
            _ => text.to_owned(),
        }
    }

    fn wrapped(self, text: &str, code: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Colour => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}
