//! What an approval step asks for.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Approver;

/// How many of whom must agree, by when, and what happens if they do not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GateSpec {
    /// In order: a level is asked once those before it have agreed.
    pub levels: Vec<Level>,
    /// How long people have, up to 7 days.
    #[serde(default = "default_expiry", skip_serializing_if = "is_default_expiry")]
    pub expires_in_seconds: u64,
    #[serde(default, skip_serializing_if = "OnExpiry::is_deny")]
    pub on_expiry: OnExpiry,
    /// Who is asked as well if the first do not answer, the earliest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalation: Vec<Rung>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reason_required: bool,
    /// A JSON Schema of what an approver fills in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Value>,
}

/// People of whom some must agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Level {
    pub of: Vec<Approver>,
    /// How many different people.
    #[serde(default = "default_needed")]
    pub needed: u32,
}

/// What becomes of a gate whose time is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OnExpiry {
    #[default]
    Deny,
    /// Everyone of the escalation gets one more period; after it the gate is denied.
    Escalate,
    /// The run goes on; only where every covered step is of low risk.
    Proceed,
}

/// One more group that is asked if a gate is still open after a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rung {
    /// Counted from the asking.
    pub after_seconds: u64,
    pub to: Vec<Approver>,
}

const DEFAULT_EXPIRY_SECONDS: u64 = 3_600;

impl GateSpec {
    /// A gate that one of these people may open.
    pub fn of_one(of: Vec<Approver>) -> Self {
        Self {
            levels: vec![Level { of, needed: default_needed() }],
            expires_in_seconds: default_expiry(),
            on_expiry: OnExpiry::default(),
            escalation: Vec::new(),
            reason_required: false,
            form: None,
        }
    }

    /// Who may answer a level once so many rungs were climbed.
    pub fn admitted(&self, level: usize, rungs: u32) -> impl Iterator<Item = &Approver> {
        let own = self.levels.get(level).map_or(&[][..], |level| &level.of);
        let climbed = usize::try_from(rungs).unwrap_or(usize::MAX);
        own.iter().chain(self.escalation.iter().take(climbed).flat_map(|rung| &rung.to))
    }

    /// The rungs that are still to be climbed.
    pub(super) fn rungs_after(&self, climbed: u32) -> &[Rung] {
        let climbed = usize::try_from(climbed).unwrap_or(usize::MAX);
        self.escalation.get(climbed..).unwrap_or_default()
    }

    pub(super) const fn period(&self) -> Duration {
        Duration::from_secs(self.expires_in_seconds)
    }
}

impl Rung {
    pub(super) const fn after(&self) -> Duration {
        Duration::from_secs(self.after_seconds)
    }
}

impl OnExpiry {
    fn is_deny(&self) -> bool {
        *self == Self::Deny
    }
}

const fn default_expiry() -> u64 {
    DEFAULT_EXPIRY_SECONDS
}

fn is_default_expiry(seconds: &u64) -> bool {
    *seconds == DEFAULT_EXPIRY_SECONDS
}

const fn default_needed() -> u32 {
    1
}
