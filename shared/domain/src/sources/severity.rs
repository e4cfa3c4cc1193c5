//! How bad a sender says it is.

use serde::{Deserialize, Serialize};

use crate::incident::Priority;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    Critical,
    High,
    Medium,
    Low,
    Info,
}

impl Severity {
    /// What a signal has if nothing says more: neither loud nor lost.
    pub const DEFAULT: Self = Self::Medium;

    pub const fn priority(self) -> Priority {
        match self {
            Self::Critical => Priority::Critical,
            Self::High => Priority::High,
            Self::Medium => Priority::Medium,
            Self::Low | Self::Info => Priority::Low,
        }
    }

    /// The severity that a word of the monitoring tools names, in any case.
    pub(super) fn named(word: &str) -> Option<Self> {
        match word.trim().to_ascii_lowercase().as_str() {
            "critical" | "crit" | "fatal" | "emergency" | "emerg" | "disaster" | "p1" | "sev1" | "sev-1" => {
                Some(Self::Critical)
            }
            "high" | "error" | "err" | "major" | "p2" | "sev2" | "sev-2" => Some(Self::High),
            "medium" | "moderate" | "warning" | "warn" | "average" | "p3" | "sev3" | "sev-3" => {
                Some(Self::Medium)
            }
            "low" | "minor" | "notice" | "p4" | "sev4" | "sev-4" => Some(Self::Low),
            "info" | "informational" | "information" | "debug" | "p5" | "sev5" | "sev-5" => Some(Self::Info),
            _ => None,
        }
    }
}

/// What a severity was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SeveritySource {
    /// A member of the delivery that means severity, priority or urgency.
    Payload,
    /// A label or tag that people put on the alert.
    Label,
    /// A rule of Muster over the kind of the event.
    Rule,
    /// Nothing said anything.
    Default,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_severities() {
        for (word, expected) in [
            ("CRITICAL", Some(Severity::Critical)),
            (" p1 ", Some(Severity::Critical)),
            ("error", Some(Severity::High)),
            ("Warning", Some(Severity::Medium)),
            ("minor", Some(Severity::Low)),
            ("P5", Some(Severity::Info)),
            ("page", None),
            ("1", None),
            ("", None),
        ] {
            assert_eq!(Severity::named(word), expected, "{word}");
        }
    }

    #[test]
    fn priorities_follow_severities() {
        assert_eq!(Severity::Critical.priority(), Priority::Critical);
        assert_eq!(Severity::High.priority(), Priority::High);
        assert_eq!(Severity::Medium.priority(), Priority::Medium);
        assert_eq!(Severity::Low.priority(), Priority::Low);
        assert_eq!(Severity::Info.priority(), Priority::Low);
    }
}
