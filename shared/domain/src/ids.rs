//! Identifiers, parsed once at the edge. Their alphabets exclude `#`, the separator of the table's keys.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::time::Time;

/// Why a text is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct InvalidId {
    /// What a valid one looks like, for the message to a client.
    pub expected: &'static str,
}

/// Declares a sortable, prefixed identifier: the prefix and 26 characters of a ULID.
macro_rules! sortable_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub const PREFIX: &'static str = $prefix;

            /// Ids made at a later millisecond sort after earlier ones; `random` tells apart those of one millisecond.
            pub fn new(at: Time, random: u128) -> Self {
                let millis = u64::try_from(at.millis()).unwrap_or(0);
                Self(format!(concat!($prefix, "{}"), Ulid::from_parts(millis, random)))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let expected = concat!("`", $prefix, "` and 26 characters of a ULID");
                let ulid = text.strip_prefix($prefix).and_then(|rest| Ulid::from_string(rest).ok());
                match ulid {
                    Some(ulid) if format!(concat!($prefix, "{}"), ulid) == text => Ok(Self(text.to_owned())),
                    Some(_) | None => Err(InvalidId { expected }),
                }
            }
        }

        string_conversions!($name);
    };
}

/// Declares an identifier that people choose.
macro_rules! chosen_id {
    ($(#[$doc:meta])* $name:ident, $most:literal, $extra:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The greatest length in bytes.
            pub const MAX_LENGTH: usize = $most;

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let allowed = |c: char| c.is_ascii_alphanumeric() || $extra.contains(c);
                let valid = !text.is_empty() && text.len() <= $most && text.chars().all(allowed);
                valid.then(|| Self(text.to_owned())).ok_or(InvalidId { expected: $expected })
            }
        }

        string_conversions!($name);
    };
}

macro_rules! string_conversions {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

sortable_id!(
    /// A runbook, over all its versions.
    RunbookId,
    "rb_"
);
sortable_id!(
    /// A workflow, over all its versions.
    WorkflowId,
    "wf_"
);
sortable_id!(
    /// One execution of a plan.
    ExecutionId,
    "ex_"
);
sortable_id!(
    /// An incident.
    IncidentId,
    "inc_"
);
sortable_id!(
    /// An inbound webhook of a monitoring system.
    IntegrationId,
    "int_"
);
sortable_id!(
    /// A window of a change freeze.
    FreezeId,
    "fz_"
);
sortable_id!(
    /// One time that somebody broke the glass.
    BreakGlassId,
    "bg_"
);
sortable_id!(
    /// A request for approval.
    ApprovalId,
    "ap_"
);
chosen_id!(
    /// A team, as the groups claim of the identity provider names it.
    TeamId,
    64,
    "-_.",
    "1 to 64 letters, digits, `-`, `_` or `.`"
);
chosen_id!(
    /// A person or machine, the subject of a verified token.
    UserId,
    128,
    "-_.@+|",
    "1 to 128 letters, digits, `-`, `_`, `.`, `@`, `+` or `|`"
);
chosen_id!(
    /// A person, as Slack names them.
    SlackUserId,
    32,
    "",
    "1 to 32 letters or digits, as in U012AB3CD"
);
/// A step within one plan: 1 to 64 letters, digits, `-` or `_` of whoever wrote the definition, and after it what the plan adds
/// of its own, such as `.search` for the search that precedes the step of that name, or `.undo` for what takes it back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StepId(String);

/// No definition may write these, so what a plan adds collides with no step of a definition.
const ADDED: [&str; 6] = [SEARCH, UNDO, PREREQUISITE, ".gate", ".settle", ".probe"];
const SEARCH: &str = ".search";
const UNDO: &str = ".undo";
const PREREQUISITE: &str = ".prerequisite";

impl StepId {
    /// The greatest length in bytes of what a definition writes.
    pub const MAX_LENGTH: usize = 64;

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The search that is made before this step.
    #[must_use]
    pub fn search(&self) -> Self {
        Self(format!("{}{SEARCH}", self.written()))
    }

    /// What takes this step back.
    #[must_use]
    pub fn undo(&self) -> Self {
        Self(format!("{}{UNDO}", self.written()))
    }

    /// What a plan checks before the first step, under the name that the definition gives it.
    #[must_use]
    pub fn prerequisite(&self) -> Self {
        Self(format!("{}{PREREQUISITE}", self.written()))
    }

    /// The approval that the risk of an execution may demand.
    pub fn risk_gate() -> Self {
        Self("risk.gate".to_owned())
    }

    /// The pause between the last step and its verification.
    pub fn settle() -> Self {
        Self("verification.settle".to_owned())
    }

    /// The probe before the first step and the one after the last.
    pub fn probe(before: Probe) -> Self {
        match before {
            Probe::Before => Self("baseline.probe".to_owned()),
            Probe::After => Self("verification.probe".to_owned()),
        }
    }

    /// The step that a definition wrote: of what a plan added the one it is made for, else this one.
    pub fn written(&self) -> &str {
        self.0.split_once('.').map_or(self.0.as_str(), |(written, _)| written)
    }

    /// The same as a name of its own.
    #[must_use]
    pub fn made_for(&self) -> Self {
        Self(self.written().to_owned())
    }

    pub fn is_search(&self) -> bool {
        self.0.ends_with(SEARCH)
    }

    pub fn is_undo(&self) -> bool {
        self.0.ends_with(UNDO)
    }

    pub fn is_prerequisite(&self) -> bool {
        self.0.ends_with(PREREQUISITE)
    }
}

/// When a probe is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    Before,
    After,
}

impl FromStr for StepId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let written = ADDED.iter().find_map(|added| text.strip_suffix(added)).unwrap_or(text);
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let valid = !written.is_empty() && written.len() <= Self::MAX_LENGTH && written.chars().all(allowed);
        let expected = "1 to 64 letters, digits, `-` or `_`";
        valid.then(|| Self(text.to_owned())).ok_or(InvalidId { expected })
    }
}

string_conversions!(StepId);

/// An AWS account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);

impl AccountId {
    /// How many digits it has; zeros in front count.
    pub const DIGITS: usize = 12;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let valid = text.len() == Self::DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        valid.then(|| Self(text.to_owned())).ok_or(InvalidId { expected: "the 12 digits of an AWS account" })
    }
}

string_conversions!(AccountId);
chosen_id!(
    /// The name of a stored secret.
    SecretName,
    128,
    "-_./",
    "1 to 128 letters, digits, `-`, `_`, `.` or `/`"
);

impl UserId {
    /// Muster itself, in the place of a person: `muster|events` or `muster|schedule`.
    pub fn of_muster(part: &'static str) -> Self {
        Self(format!("muster|{part}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sortable_ids_parse_what_they_print_and_sort_by_time() {
        let early = ExecutionId::new(Time::from_millis(1), u128::MAX);
        let late = ExecutionId::new(Time::from_millis(2), 0);
        assert!(early < late);
        assert_eq!(late.as_str().parse(), Ok(late));
    }

    #[test]
    fn ids_refuse_other_prefixes_separators_and_lower_case_ulids() {
        let id = RunbookId::new(Time::from_millis(1), u128::MAX).to_string();
        assert!(id.parse::<ExecutionId>().is_err());
        assert!(id.to_lowercase().parse::<RunbookId>().is_err());
        for text in ["", "a#b", "a b", "é", &"a".repeat(65)] {
            assert!(text.parse::<TeamId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_account_is_twelve_digits() {
        assert_eq!("000000000012".parse::<AccountId>().map(String::from), Ok("000000000012".to_owned()));
        for text in ["", "12345678901", "1234567890123", "12345678901a", "-12345678901", "१२३४"] {
            assert!(text.parse::<AccountId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_search_has_the_name_of_its_step_and_no_step_that_is_written_has_it() {
        let step: StepId = "a".repeat(64).parse().expect("valid");
        let search = step.search();
        assert_eq!(search.as_str().parse(), Ok(search.clone()));
        assert_eq!((search.written(), search.is_search()), (step.as_str(), true));
        assert_eq!((search.search(), step.is_search()), (search, false));
        for text in ["", ".search", "a.b", "a.search.search", "a.Search", &"a".repeat(65)] {
            assert!(text.parse::<StepId>().is_err(), "{text:?}");
        }
    }
}
